/** One attempt to connect, and whether another one is worth it. */
import { isIP } from 'node:net'
import { absolutePath, type Endpoint, formatAddress, parseAddress } from '../address.js'
import type { Authentication } from '../authentication.js'
import { challengesOfClient } from '../challenges.js'
import type { ClientPlan, Connected } from '../client.js'
import { systemError, TimeoutError } from '../errors.js'
import { clientHandshake, type Handshake } from '../handshake.js'
import { Inbox } from '../inbox.js'
import { environment } from '../native.js'

/** The first pause before another attempt, in milliseconds, and the longest. */
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 50

/** The pauses between attempts: short at first, then longer. */
export class Pauses {
  #next = FIRST_PAUSE

  next(): number {
    const pause = this.#next
    this.#next = Math.min(pause * 2, LONGEST_PAUSE)
    return pause
  }
}

/** An address as the system takes it. */
export interface SystemAddress {
  readonly name: string
  readonly inet: boolean
}

/** Where to connect, if no name has to be looked up for that. */
export function literalAddress(endpoint: Endpoint): SystemAddress | undefined {
  if (!('host' in endpoint)) return { name: endpoint.path, inet: false }
  const { host, port } = endpoint
  return isIP(host) && !host.includes('%') ? { name: formatAddress({ host, port }), inet: true } : undefined
}

/** Of the addresses of a host, those of the family that was asked for. */
export function ofFamily(addresses: readonly string[], { family }: Endpoint): SystemAddress[] {
  const isOfFamily = (address: string) => address.startsWith('[') === (family === 'AF_INET6')
  return addresses.filter(isOfFamily).map(name => ({ name, inet: true }))
}

/** The error of an attempt, as Node has it. */
export function connectError(errno: number, { name, inet }: SystemAddress): NodeJS.ErrnoException {
  const address = parseAddress(name, inet)
  return systemError(
    errno,
    'connect',
    typeof address === 'string' ? { path: address } : { address: address.host, port: address.port },
  )
}

/**
 * Whether it may end otherwise in a while: nobody listens yet, as long as `retryUntil` has not come, or as many others
 * wait as the listener allows.
 */
export function isWorthAnother({ code }: NodeJS.ErrnoException, retryUntil: number): boolean {
  if (code === 'EAGAIN') return true
  return (code === 'ECONNREFUSED' || code === 'ENOENT') && performance.now() < retryUntil
}

/** A connected slot, and what is still to be done on it: its part of the handshake, if there is a key. */
export interface Arrival {
  readonly connected: Connected
  readonly handshake: Handshake | undefined
}

/** @param address Where it is connected to. */
export function arrive(
  slot: number,
  address: SystemAddress,
  { authentication: { authkey, legacyAuth }, maxMessageLength }: ClientPlan,
): Arrival {
  const { name, inet } = address
  // What was given may be all interfaces, or be written in another way.
  const place = inet ? (environment.addresses(slot).peer ?? name) : absolutePath(name)
  const challenges = challengesOfClient(place, !inet)
  return {
    connected: { inbox: new Inbox(slot, maxMessageLength), remoteAddress: inet ? parseAddress(place, true) : name },
    handshake: authkey && clientHandshake({ authkey, legacyAuth, challenges, isLocal: !inet }),
  }
}

/** The end of the time for a handshake, and what is said when it comes: the time of the whole may be shorter. */
export function handshakeLimit(
  { handshakeTimeout }: Authentication,
  timeout: number,
  deadline: number,
): { until: number; error: () => TimeoutError } {
  const until = performance.now() + handshakeTimeout
  if (deadline <= until) return { until: deadline, error: () => TimeoutError.create(timeout) }
  return { until, error: () => TimeoutError.ofHandshake(handshakeTimeout) }
}
