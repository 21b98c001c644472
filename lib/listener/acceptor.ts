/**
 * Takes connections in and authenticates them, side by side, while somebody wants one: what a listener accepts from.
 *
 * Nobody can hold it up: each handshake has its time, there are so many at once at most, and the oldest makes room for
 * a newcomer. Connections that nobody wants yet stay with the system.
 */
import { absolutePath, formatAddress, parseAddress } from '../address.js'
import { challengesOfListener } from '../challenges.js'
import { errnoOf, type HandshakeError, systemError, TimeoutError } from '../errors.js'
import { listenerHandshake } from '../handshake.js'
import { Inbox } from '../inbox.js'
import type { BoundAddress, InetAddress } from '../interfaces.js'
import { defer, environment, type Observer, readers } from '../native.js'
import { Negotiation } from '../negotiation.js'

/** How many connections are taken in before the event loop has its turn. */
const ACCEPTS_PER_TURN = 64
/** When to try again after the system was out of descriptors or memory, in milliseconds. */
const RETRY = 50
/** How long a handshake may take before it makes room then, in milliseconds. */
const GRACE = 200
/** The longest time that one of Node's timers takes, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1
/** What the system says then. */
const EXHAUSTED = new Set((['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'] as const).map(errnoOf))

export interface AcceptorOptions {
  readonly maxMessageLength: number
  /** Without it nobody is asked. */
  readonly authkey: Uint8Array | undefined
  readonly legacyAuth: boolean
  /** Milliseconds for one handshake. */
  readonly handshakeTimeout: number
  /** How many handshakes there are at once, at most. */
  readonly maxPending: number
}

/** What has come of connecting. */
export interface AcceptorEvents {
  /** There may be one to take. */
  onReady(): void
  onRefused(error: HandshakeError, address: BoundAddress | undefined): void
  /** Nothing can be accepted any more. */
  onFailed(error: Error): void
}

/** A peer that is through, and what has arrived from it. */
export interface Peer {
  readonly inbox: Inbox
  readonly address: BoundAddress | undefined
}

/** A peer in its handshake. */
interface Newcomer extends Peer {
  /** When it came, on the clock of `performance.now()`. */
  readonly since: number
  negotiation: Negotiation | undefined
}

export class Acceptor implements Observer {
  readonly #slot: number
  readonly #address: BoundAddress
  /** The address, where it is the same for all: a listener at all interfaces has more than one. */
  readonly #place: string | undefined
  readonly #options: AcceptorOptions
  readonly #events: AcceptorEvents
  /** Those that are through, the earliest first. */
  readonly #ready: Peer[] = []
  /** Those that are not, the earliest first. */
  readonly #newcomers = new Set<Newcomer>()
  /** How many connections are wanted. */
  #demand = 0
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  /** When to try again, after the system could not. */
  #retryAt = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(slot: number, address: BoundAddress, options: AcceptorOptions, events: AcceptorEvents) {
    this.#slot = slot
    this.#address = address
    this.#place = typeof address === 'string' ? absolutePath(address) : undefined
    this.#options = options
    this.#events = events
  }

  /** How many are through. */
  get readyCount(): number {
    return this.#ready.length
  }

  /** When something is to be done even if nothing happens. */
  get nextDeadline(): number {
    for (const { since } of this.#newcomers) return Math.min(since + this.#options.handshakeTimeout, this.#retryAt)
    return this.#retryAt
  }

  /** One more connection is wanted, or with -1 one less. */
  want(change: 1 | -1): void {
    this.#demand += change
    if (!this.#isClosed) readers[this.#slot] = this.#demand > 0 ? this : undefined
  }

  /**
   * Takes in what there is, as long as `wanted` are not through.
   * @returns whether there may be more to take in.
   * @throws the system's error, after which nothing can be accepted any more.
   */
  takeIn(wanted = this.#demand): boolean {
    const now = performance.now()
    this.#expire(now)
    if (this.#retryAt <= now) this.#retryAt = Number.POSITIVE_INFINITY
    try {
      for (let taken = 0; taken < ACCEPTS_PER_TURN; taken++) {
        if (this.#ready.length >= wanted || this.#retryAt !== Number.POSITIVE_INFINITY || this.#isClosed) return false
        const accepted = environment.accept(this.#slot, this.#options.maxMessageLength)
        if (accepted === null) return false
        if (typeof accepted === 'object') this.#welcome(accepted.slot, accepted.peer)
        else if (accepted >= 0) this.#welcome(accepted)
        else this.#cannotAccept(accepted)
      }
      return true
    } finally {
      this.#arm()
    }
  }

  onNews(): void {
    try {
      if (this.takeIn()) defer(this)
    } catch (error) {
      this.#events.onFailed(error as Error)
    }
  }

  /** Takes one that is through. */
  take(): Peer | undefined {
    return this.#ready.shift()
  }

  /** Drops all that nobody has taken. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    readers[this.#slot] = undefined
    for (const { inbox, negotiation } of this.#newcomers) {
      negotiation?.abandon()
      environment.close(inbox.slot)
    }
    for (const { inbox } of this.#ready) environment.close(inbox.slot)
    this.#newcomers.clear()
    this.#ready.length = 0
    environment.close(this.#slot)
  }

  #welcome(slot: number, name?: string): void {
    const inbox = new Inbox(slot, this.#options.maxMessageLength)
    const address = name === undefined ? undefined : parseAddress(name, typeof this.#address !== 'string')
    const { authkey, maxPending } = this.#options
    if (authkey === undefined) {
      this.#ready.push({ inbox, address })
      this.#events.onReady()
      return
    }
    for (const oldest of this.#newcomers) {
      if (this.#newcomers.size < maxPending) break
      this.#refuse(oldest, TimeoutError.pushedOut())
    }
    // By the callback that is told of who was pushed out.
    if (this.#isClosed) {
      environment.close(slot)
      return
    }
    this.#begin({ inbox, address, since: performance.now(), negotiation: undefined }, authkey)
  }

  #begin(newcomer: Newcomer, authkey: Uint8Array): void {
    const { inbox } = newcomer
    this.#newcomers.add(newcomer)
    const challenges = challengesOfListener(this.#placeOf(inbox.slot))
    const handshake = listenerHandshake({ authkey, legacyAuth: this.#options.legacyAuth, challenges })
    newcomer.negotiation = new Negotiation(inbox, handshake, error => {
      if (error !== undefined) {
        this.#refuse(newcomer, error)
        return
      }
      this.#newcomers.delete(newcomer)
      this.#ready.push(newcomer)
      this.#events.onReady()
    })
    newcomer.negotiation.begin()
  }

  /** Where a peer has connected to. */
  #placeOf(slot: number): string {
    return this.#place ?? environment.addresses(slot).local ?? formatAddress(this.#address as InetAddress)
  }

  #refuse(newcomer: Newcomer, error: HandshakeError): void {
    this.#newcomers.delete(newcomer)
    newcomer.negotiation?.abandon()
    environment.close(newcomer.inbox.slot)
    this.#events.onRefused(error, newcomer.address)
  }

  /** Those whose time is over make room. */
  #expire(now: number): void {
    const { handshakeTimeout } = this.#options
    for (const newcomer of this.#newcomers) {
      if (newcomer.since + handshakeTimeout > now) return
      this.#refuse(newcomer, TimeoutError.ofHandshake(handshakeTimeout))
    }
  }

  /** Descriptors become free again; of anything else nothing good can come. */
  #cannotAccept(errno: number): void {
    if (!EXHAUSTED.has(errno)) throw systemError(errno, 'accept')
    const now = performance.now()
    for (const oldest of this.#newcomers) {
      // Who has had some time makes room, so that silent peers cannot have all that there is.
      if (oldest.since + GRACE > now) break
      this.#refuse(oldest, TimeoutError.pushedOut())
      return
    }
    this.#retryAt = now + RETRY
  }

  /** One timer for all: their times end in the order in which they came. */
  #arm(): void {
    const at = this.nextDeadline
    // One that comes too early does no harm.
    if (at >= this.#timerAt || this.#isClosed) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY
        this.onNews()
      },
      Math.min(Math.max(at - performance.now(), 0), MAX_TIMER),
    ).unref()
  }
}
