/**
 * What others can subscribe to through `node:diagnostics_channel`. Nothing is published while nobody has subscribed,
 * nothing for each message, and never a key or a message's contents.
 */
import { type Channel, channel, tracingChannel } from 'node:diagnostics_channel'
import type { HandshakeError } from './errors.js'
import type { BoundAddress, Family } from './interfaces.js'

const connectionOpen = channel('carom:connection:open')
const connectionClose = channel('carom:connection:close')
const listenerListen = channel('carom:listener:listen')
const listenerAccept = channel('carom:listener:accept')
const authenticationFailed = channel('carom:listener:authentication-failed')
const listenerClose = channel('carom:listener:close')
const processStart = channel('carom:process:start')
const processExit = channel('carom:process:exit')
const clientConnect = tracingChannel<ClientContext, ClientContext>('carom:client:connect')

/** What subscribers of `carom:client:connect` get, with the `result` or `error` that Node adds. */
export interface ClientContext {
  readonly address: BoundAddress
  readonly family: Family
}

function publish(to: Channel, message: object): void {
  if (to.hasSubscribers) to.publish(message)
}

export function connectionOpened(connection: object): void {
  publish(connectionOpen, { connection })
}

export function connectionClosed(connection: object): void {
  publish(connectionClose, { connection })
}

export function listenerOpened(listener: object): void {
  publish(listenerListen, { listener })
}

export function listenerAccepted(listener: object, connection: object): void {
  publish(listenerAccept, { listener, connection })
}

export function listenerRefused(listener: object, error: HandshakeError, address: BoundAddress | undefined): void {
  publish(authenticationFailed, { listener, error, address })
}

export function listenerClosed(listener: object): void {
  publish(listenerClose, { listener })
}

export function processStarted(process: object): void {
  publish(processStart, { process })
}

export function processEnded(process: object): void {
  publish(processExit, { process })
}

function isTraced(): boolean {
  const { start, end, asyncStart, asyncEnd, error } = clientConnect
  return [start, end, asyncStart, asyncEnd, error].some(({ hasSubscribers }) => hasSubscribers)
}

/** Traces a client's connecting, when somebody has subscribed to that. */
export function traceConnect<T>(context: ClientContext, connect: () => Promise<T>): Promise<T> {
  return isTraced() ? clientConnect.tracePromise(connect, context) : connect()
}

/** The same for the blocking form. */
export function traceConnectSync<T>(context: ClientContext, connect: () => T): T {
  return isTraced() ? clientConnect.traceSync(connect, context) : connect()
}
