/** Listeners: they bind an address and accept connections. */
import { checkBindAddress } from './address.js'
import {
  type AsyncOptions,
  checkBoolean,
  checkCount,
  checkOptions,
  checkSignal,
  checkTimeout,
  type SyncOptions,
} from './arguments.js'
import { type AuthOptions, checkAuthentication } from './authentication.js'
import { announce, type Connection, connect } from './connection.js'
import { listenerAccepted, listenerClosed, listenerOpened, listenerRefused } from './diagnostics.js'
import { busy, ClosedError, type HandshakeError, invalidArgType, invalidArgValue, TimeoutError } from './errors.js'
import type { Address, BoundAddress, ConnectionOptions, Family } from './interfaces.js'
import { asyncMessages } from './iterators.js'
import { Limit } from './limit.js'
import { Acceptor, type Peer } from './listener/acceptor.js'
import { listenAt } from './listener/place.js'
import { Liveness } from './liveness.js'
import { deadlineAfter, environment, lookNow, NOW, turnSync } from './native.js'
import { sendAll } from './outbox.js'
import { checkSettings, type Settings } from './settings.js'
import { type Look, Readiness, readiness } from './waitable.js'

const DEFAULT_BACKLOG = 511
const DEFAULT_MAX_PENDING = 128
const MAX_COUNT = 2 ** 31 - 1
const MAX_MODE = 0o777

/** How a listener listens, and what its connections are given. */
export interface ListenerOptions extends ConnectionOptions, AuthOptions {
  /** Default: told from the address, else the platform's. */
  family?: Family | undefined
  /** Connections that the kernel queues. Default 511, as in `node:net`. */
  backlog?: number | undefined
  /** Peers that may be in a handshake at once. Default 128. */
  maxPending?: number | undefined
  /** Permissions of the socket file, such as `0o600`. `AF_UNIX` only. */
  mode?: number | undefined
  /** Replace a socket file on which nobody accepts. Default `false`. */
  replaceStale?: boolean | undefined
  /** Told of each peer that failed the handshake, which is then dropped. */
  onAuthenticationFailed?: ((error: HandshakeError, address: BoundAddress | undefined) => void) | undefined
}

interface Pending {
  // biome-ignore lint/suspicious/noExplicitAny: whoever accepts knows what the connection carries
  readonly resolve: (conn: Connection<any, any>) => void
  readonly reject: (reason: unknown) => void
  limit: Limit | undefined
}

/** Those that an accept waits on, so that the collector does not have what nobody else holds. */
const accepting = new Set<Listener<unknown, never>>()
/** All that are open, for the end of the process. */
const open = new Set<WeakRef<Listener<unknown, never>>>()
/** Closes listeners that were dropped without `close()`, when the collector has them. */
const dropped = new FinalizationRegistry(({ acceptor, self }: { acceptor: Acceptor; self: WeakRef<Listener> }) => {
  open.delete(self)
  acceptor.close()
})

/** Binds an address and accepts connections. */
export class Listener<out Receives = unknown, in Sends = Receives> implements Disposable, AsyncDisposable {
  /** The bound address: a port 0 has become the real one. Kept after `close()`. */
  readonly address: BoundAddress
  /** What kind of address it is. */
  readonly family: Family
  readonly #slot: number
  readonly #settings: Settings
  readonly #acceptor: Acceptor
  readonly #liveness = new Liveness()
  readonly #self: WeakRef<Listener<unknown, never>> = new WeakRef(this)
  #readiness: ListenerReadiness | undefined
  #onAuthenticationFailed: ListenerOptions['onAuthenticationFailed']
  #pending: Pending[] = []
  #lastAccepted: BoundAddress | undefined
  #closed = false

  static {
    process.on('exit', () => {
      for (const self of open) {
        const listener = self.deref()
        if (listener === undefined) continue
        // Nobody can be told any more, and a rejection that nobody handles would change the exit code.
        for (const each of listener.#pending.splice(0)) listener.#settled(each)
        listener.closeSync()
      }
    })
  }

  /**
   * Binds and listens before it returns.
   * @throws the system's error (`EADDRINUSE`, `EACCES`); TypeError or RangeError for an address that cannot be bound.
   */
  constructor(address?: Address, options?: ListenerOptions)
  constructor(options?: ListenerOptions)
  constructor(addressOrOptions?: Address | ListenerOptions, maybeOptions?: ListenerOptions) {
    const [address, given] = isOptions(addressOrOptions, maybeOptions)
      ? [undefined, addressOrOptions]
      : [addressOrOptions, maybeOptions]
    const options = checkOptions(given) ?? {}
    const endpoint = checkBindAddress(address, options.family)
    const file = endpoint === undefined || endpoint.family === 'AF_UNIX'
    const isFile = file && !(endpoint && 'path' in endpoint && endpoint.path.startsWith('\0'))
    const mode = options.mode === undefined ? undefined : checkCount('mode', options.mode, 0, 0, MAX_MODE)
    const replaceStale = checkBoolean('replaceStale', options.replaceStale, false)
    if (!isFile && mode !== undefined) throw invalidArgValue('mode', 'is for socket files, which this address has not')
    if (!isFile && replaceStale)
      throw invalidArgValue('replaceStale', 'is for socket files, which this address has not')
    const backlog = checkCount('backlog', options.backlog, DEFAULT_BACKLOG, 0, MAX_COUNT)
    const maxPending = checkCount('maxPending', options.maxPending, DEFAULT_MAX_PENDING, 1, MAX_COUNT)
    const authentication = checkAuthentication(options)
    const { onAuthenticationFailed } = options
    if (onAuthenticationFailed !== undefined && typeof onAuthenticationFailed !== 'function')
      throw invalidArgType('onAuthenticationFailed', 'a function', onAuthenticationFailed)
    this.#settings = checkSettings(options)
    this.#onAuthenticationFailed = onAuthenticationFailed

    const place = listenAt(endpoint, { backlog, mode, replaceStale })
    this.address = place.address
    this.family = place.family
    this.#slot = place.slot
    const self = this.#self as WeakRef<Listener>
    const { maxMessageLength } = this.#settings
    const acceptorOptions = { ...authentication, maxMessageLength, maxPending }
    this.#acceptor = new Acceptor(place.slot, place.address, acceptorOptions, {
      onReady: () => withListener(self, listener => listener.#serve()),
      onRefused: (error, address) => withListener(self, listener => listener.#refused(error, address)),
      onFailed: error => withListener(self, listener => listener.#fail(error)),
    })
    open.add(self)
    dropped.register(this, { acceptor: this.#acceptor, self }, this)
    listenerOpened(this)
  }

  /** The address of the peer that was last accepted; `undefined` for one without a name. */
  get lastAccepted(): BoundAddress | undefined {
    return this.#lastAccepted
  }

  /** True from the call of `close()` on. */
  get closed(): boolean {
    return this.#closed
  }

  /** The descriptor (Windows: the handle); -1 when closed. */
  get fd(): number {
    return this.#closed ? -1 : environment.listeningFd(this.#slot)
  }

  /**
   * The next connection whose handshake is done. Concurrent accepts are served first come, first served.
   * @throws ClosedError, TimeoutError.
   */
  accept(options?: AsyncOptions): Promise<Connection<Receives, Sends>> {
    try {
      const timeout = checkTimeout(checkOptions(options)?.timeout)
      const signal = checkSignal(options?.signal)
      if (this.#closed) throw ClosedError.create('listener')
      if (signal?.aborted) throw signal.reason
      if (timeout <= 0) return Promise.resolve(this.#acceptNow())
      return this.#acceptLater(timeout, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The same; blocks the thread. @throws also code `ERR_CAROM_BUSY` while an async accept is pending. */
  acceptSync(options?: SyncOptions): Connection<Receives, Sends> {
    const timeout = checkTimeout(checkOptions(options)?.timeout)
    if (this.#closed) throw ClosedError.create('listener')
    if (this.#pending.length > 0)
      throw busy('An accept is pending on this listener: await it, or abort it, before a blocking accept')
    if (timeout <= 0) return this.#acceptNow()
    const deadline = deadlineAfter(timeout)
    const acceptor = this.#acceptor
    acceptor.want(1)
    try {
      for (;;) {
        const isMore = acceptor.takeIn()
        const peer = acceptor.take()
        if (peer !== undefined) return this.#connection(peer)
        // By the callback that is told of a peer that has failed.
        if (this.#closed) throw ClosedError.create('listener')
        if (deadline <= performance.now()) throw TimeoutError.create(timeout)
        // What was accepted for sending leaves before this thread blocks, or the other end might wait for it for ever.
        sendAll()
        turnSync(isMore ? NOW : Math.min(deadline, acceptor.nextDeadline))
      }
    } finally {
      acceptor.want(-1)
    }
  }

  /** Stops listening and removes the socket file. Idempotent. Accepted connections live on. */
  close(): Promise<void> {
    this.closeSync()
    return Promise.resolve()
  }

  /** The same. */
  closeSync(): void {
    if (this.#closed) return
    this.#closed = true
    open.delete(this.#self)
    dropped.unregister(this)
    this.#acceptor.close()
    this.#fail(ClosedError.create('listener'))
    this.#readiness?.changed()
    listenerClosed(this)
  }

  /** A pending accept keeps the process alive (the default). */
  ref(): this {
    return this.#setReferenced(true)
  }

  /** A pending accept does not keep the process alive. */
  unref(): this {
    return this.#setReferenced(false)
  }

  /** The connections until `close()`. Leaving the loop leaves the listener open. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Connection<Receives, Sends>> {
    return asyncMessages(async () => {
      if (this.#closed) return { value: undefined, done: true }
      try {
        return { value: await this.accept(), done: false }
      } catch (error) {
        if (this.#closed && error instanceof ClosedError) return { value: undefined, done: true }
        throw error
      }
    })
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.closeSync()
  }

  /** `await close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  get [readiness](): Readiness {
    this.#readiness ??= new ListenerReadiness(this.#acceptor, this.#liveness, () => {
      if (this.#closed) throw ClosedError.create('listener')
    })
    return this.#readiness
  }

  #acceptNow(): Connection<Receives, Sends> {
    lookNow()
    if (this.#pending.length === 0) this.#acceptor.takeIn(1)
    const peer = this.#acceptor.take()
    if (peer === undefined) throw TimeoutError.create(0)
    return this.#connection(peer)
  }

  #acceptLater(timeout: number, signal: AbortSignal | undefined): Promise<Connection<Receives, Sends>> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { resolve: resolve as Pending['resolve'], reject, limit: undefined }
      if (signal !== undefined || timeout !== Number.POSITIVE_INFINITY) {
        pending.limit = new Limit(timeout, signal, reason => {
          this.#pending.splice(this.#pending.indexOf(pending), 1)
          this.#settled(pending)
          reject(reason)
        })
      }
      this.#pending.push(pending)
      this.#acceptor.want(1)
      this.#liveness.begin()
      accepting.add(this)
      this.#serve()
      this.#acceptor.onNews()
    })
  }

  /** Gives those who wait what is through, in their order. */
  #serve(): void {
    while (this.#pending.length > 0) {
      const peer = this.#acceptor.take()
      if (peer === undefined) return
      const pending = this.#pending.shift() as Pending
      this.#settled(pending)
      pending.resolve(this.#connection(peer))
    }
    if (this.#acceptor.readyCount > 0) this.#readiness?.changed()
  }

  /** Those who wait do so in vain. */
  #fail(error: Error): void {
    const pending = this.#pending
    this.#pending = []
    for (const each of pending) {
      this.#settled(each)
      each.reject(error)
    }
    this.#readiness?.changed()
  }

  #settled(pending: Pending): void {
    pending.limit?.clear()
    this.#liveness.end()
    this.#acceptor.want(-1)
    if (this.#pending.length === 0) accepting.delete(this)
  }

  #connection({ inbox, address }: Peer): Connection<Receives, Sends> {
    this.#lastAccepted = address
    const conn: Connection<Receives, Sends> = announce(
      connect(inbox.slot, { ...this.#settings, remoteAddress: address }, inbox),
    )
    listenerAccepted(this, conn)
    return conn
  }

  #refused(error: HandshakeError, address: BoundAddress | undefined): void {
    listenerRefused(this, error, address)
    if (this.#onAuthenticationFailed === undefined) {
      process.emitWarning(
        `A peer failed the handshake: ${error.message}. Give the listener onAuthenticationFailed to be told of each`,
        { type: 'CaromWarning', code: 'CAROM_AUTHENTICATION_FAILED' },
      )
      this.#onAuthenticationFailed = () => {}
      return
    }
    try {
      this.#onAuthenticationFailed(error, address)
    } catch (thrown) {
      // It must not stop the others from being accepted: an uncaught exception, as in any listener of events.
      queueMicrotask(() => {
        throw thrown
      })
    }
  }

  #setReferenced(referenced: boolean): this {
    this.#liveness.setReferenced(referenced)
    this.#readiness?.changed()
    return this
  }
}

/** Ready when an authenticated peer is there. */
class ListenerReadiness extends Readiness {
  readonly #acceptor: Acceptor
  readonly #liveness: Liveness
  readonly #checkOpen: () => void

  constructor(acceptor: Acceptor, liveness: Liveness, checkOpen: () => void) {
    super()
    this.#acceptor = acceptor
    this.#liveness = liveness
    this.#checkOpen = checkOpen
  }

  look(): Look {
    this.#checkOpen()
    const isMore = this.#acceptor.takeIn()
    if (this.#acceptor.readyCount > 0) return 'ready'
    return isMore ? 'busy' : 'idle'
  }

  get referenced(): boolean {
    return this.#liveness.isReferenced
  }

  override get lookAgainAt(): number {
    return this.#acceptor.nextDeadline
  }

  override begin(): void {
    this.#acceptor.want(1)
  }

  override end(): void {
    this.#acceptor.want(-1)
  }
}

/** What the acceptor tells must not keep a listener from the collector. */
function withListener(self: WeakRef<Listener>, tell: (listener: Listener) => void): void {
  const listener = self.deref()
  if (listener !== undefined) tell(listener)
}

/** An options object may stand in the address's place: it has neither a host nor a port. */
function isOptions(
  value: Address | ListenerOptions | undefined,
  options: ListenerOptions | undefined,
): value is ListenerOptions {
  if (typeof value !== 'object' || value === null || options !== undefined || Array.isArray(value)) return false
  return !('host' in value || 'port' in value)
}
