/** Clients: connections to listeners. */
import { checkAddress, type Endpoint } from './address.js'
import { type AsyncOptions, checkOptions, checkSignal, checkTimeout } from './arguments.js'
import { type Authentication, type AuthOptions, checkAuthentication } from './authentication.js'
import { connectTo } from './client/connecting.js'
import { connectToSync } from './client/connecting-sync.js'
import { announce, type Connection, connect } from './connection.js'
import { traceConnect, traceConnectSync } from './diagnostics.js'
import { invalidArgType, outOfRange } from './errors.js'
import type { Inbox } from './inbox.js'
import type { Address, BoundAddress, ConnectionOptions, Family } from './interfaces.js'
import { checkSettings, type Settings } from './settings.js'

/** How a client connects, and what its connection is given. */
export interface ClientOptions extends ConnectionOptions, AuthOptions, AsyncOptions {
  /** Default: told from the address; for the name of a host `AF_INET`. */
  family?: Family | undefined
  /** Try again for so many milliseconds while nobody listens yet. Default 0. `timeout` bounds the whole. */
  retryFor?: number | undefined
}
/** The same for the blocking form, which has no signal. */
export type ClientSyncOptions = Omit<ClientOptions, 'signal'>

/** What a client does until it is connected. */
export interface ClientPlan {
  readonly endpoint: Endpoint
  readonly authentication: Authentication
  readonly maxMessageLength: number
  /** Milliseconds. */
  readonly timeout: number
  readonly retryFor: number
  readonly signal: AbortSignal | undefined
}

/** What a connection is made of. */
export interface Connected {
  readonly inbox: Inbox
  readonly remoteAddress: BoundAddress
}

/**
 * Connects to a `Listener`, of carom, `multiprocessing.connection` or billiard.
 * @throws `ECONNREFUSED`, `ENOENT`, …; AuthenticationError; TimeoutError; EOFError when the peer hung up.
 */
export function Client<Receives = unknown, Sends = Receives>(
  address: Address,
  options?: ClientOptions,
): Promise<Connection<Receives, Sends>> {
  if (new.target) throw new TypeError('Client is called without new: const conn = await Client(address)')
  try {
    const { plan, settings } = planFor(address, options)
    if (plan.signal?.aborted) throw plan.signal.reason
    return traceConnect(contextOf(plan), async () => open(await connectTo(plan), settings))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The same; blocks the thread until the connection is there. */
export function ClientSync<Receives = unknown, Sends = Receives>(
  address: Address,
  options?: ClientSyncOptions,
): Connection<Receives, Sends> {
  if (new.target) throw new TypeError('ClientSync is called without new: const conn = ClientSync(address)')
  const { plan, settings } = planFor(address, options)
  return traceConnectSync(contextOf(plan), () => open(connectToSync(plan), settings))
}

function planFor(address: Address, given: ClientOptions | undefined): { plan: ClientPlan; settings: Settings } {
  const options = checkOptions(given) ?? {}
  const endpoint = checkAddress(address, options.family)
  const authentication = checkAuthentication(options)
  const settings = { ...checkSettings(options), isKeyless: authentication.authkey === undefined }
  const { maxMessageLength } = settings
  const timeout = checkTimeout(options.timeout)
  const retryFor = checkRetryFor(options.retryFor)
  const signal = checkSignal(options.signal)
  return { plan: { endpoint, authentication, maxMessageLength, timeout, retryFor, signal }, settings }
}

function checkRetryFor(retryFor = 0): number {
  if (typeof retryFor !== 'number') throw invalidArgType('retryFor', 'a number of milliseconds', retryFor)
  if (Number.isNaN(retryFor)) throw outOfRange('retryFor', 'a number of milliseconds', retryFor)
  return Math.max(retryFor, 0)
}

function contextOf({ endpoint }: ClientPlan) {
  const { family } = endpoint
  return { address: 'host' in endpoint ? { host: endpoint.host, port: endpoint.port } : endpoint.path, family }
}

// biome-ignore lint/suspicious/noExplicitAny: whoever connects knows what the connection carries
function open({ inbox, remoteAddress }: Connected, settings: Settings): Connection<any, any> {
  return announce(connect(inbox.slot, { ...settings, remoteAddress }, inbox))
}
