/** One end of a pipe or a socket: objects and bytes, async and blocking. */

import { parseAddress } from './address.js'
import { adoptDescriptor, checkSource, markOpened, type Source } from './adopting.js'
import { type AsyncOptions, checkSignal, checkTimeout, type SyncOptions } from './arguments.js'
import { type ByteRange, type Bytes, checkBytes, type ReceivedBytes } from './bytes.js'
import { Closing } from './closing.js'
import { ConnectionReadiness } from './connection-readiness.js'
import { connectionClosed, connectionOpened } from './diagnostics.js'
import { busy, ClosedError, notReadable, notWritable, systemError } from './errors.js'
import { Inbox } from './inbox.js'
import type {
  BoundAddress,
  ConnectionOptions,
  DetachedConnection,
  ReadableConnection,
  WritableConnection,
} from './interfaces.js'
import { asyncMessages, syncMessages } from './iterators.js'
import { closeSlot, lingerUntil } from './linger.js'
import { Liveness } from './liveness.js'
import { bystanders, environment, NOW } from './native.js'
import { Receiver } from './receiver.js'
import { Sender, sendUntilEnd } from './sender.js'
import { serializers } from './serializers/index.js'
import { checkSettings, nameOf, type Settings } from './settings.js'
import { rangeOf, type Terms, terms } from './terms.js'
import { type Look, type Readiness, readiness } from './waitable.js'
import { anyValue, bytesWanted, eachOf, intoWanted, nextValue, optionsOf, pollOptions, type Want } from './want.js'

/** How long the end of the process waits for what is unsent, in milliseconds. */
const EXIT_LIMIT = 1000

process.on('exit', () => {
  const deadline = performance.now() + EXIT_LIMIT
  sendUntilEnd(deadline)
  lingerUntil(deadline)
})

/**
 * Closes connections that were dropped without `close()`, when the collector has them. Only idle ones can be: whose
 * receive waits or whose bytes are unsent is held by `readers`, `writers` and the outbox.
 */
const dropped = new FinalizationRegistry(closeSlot)
const bothWays = { readable: true, writable: true } as const

// What other files of the library may do with a connection, and users may not.
/** Makes a connection of a slot of the addon. */
// biome-ignore lint/suspicious/noExplicitAny: whoever makes it knows what it carries
export let connect: (slot: number, settings: Settings, inbox?: Inbox) => Connection<any, any>
/** A user has got it: tells those who subscribed to that. */
export let announce: <R, S>(conn: Connection<R, S>) => Connection<R, S>
/** What travels with a connection to another process. @throws TypeError when its serializer cannot. */
export let settingsOf: (conn: Connection) => Settings & { readonly serializer: keyof typeof serializers }
/** @throws ClosedError, code `ERR_CAROM_BUSY`, or TypeError when it cannot move to another process now. */
export let checkMovable: (conn: Connection) => void
/** Whether it is a connection. */
export let isConnection: (value: unknown) => value is Connection

/** One end of a pipe or a socket: objects and bytes, async and blocking. Made by `Pipe` and `Connection.from`. */
export class Connection<out Receives = unknown, in Sends = Receives>
  implements ReadableConnection<Receives>, WritableConnection<Sends>
{
  readonly #slot: number
  readonly #settings: Settings
  readonly #inbox: Inbox
  readonly #receiver: Receiver
  readonly #sender: Sender
  readonly #liveness = new Liveness()
  readonly #directions: { readonly readable: boolean; readonly writable: boolean }
  #remoteAddress: BoundAddress | undefined
  #readiness: Readiness | undefined
  #isAnnounced = false
  #closed = false
  readonly #closing: Closing

  /** @param given Of a socket that was accepted or connected, and has received something already. */
  private constructor(slot: number, settings: Settings, given?: Inbox) {
    const inbox = given ?? new Inbox(slot, settings.maxMessageLength)
    const { highWaterMark, nonblocking } = settings
    const serializer = typeof settings.serializer === 'string' ? serializers[settings.serializer] : settings.serializer
    this.#slot = slot
    this.#settings = settings
    this.#remoteAddress = settings.remoteAddress
    this.#directions = given
      ? bothWays
      : { readable: environment.isReadable(slot), writable: environment.isWritable(slot) }
    this.#inbox = inbox
    this.#sender = new Sender(slot, serializer, highWaterMark, nonblocking, this.#liveness, this.#onBlocked)
    this.#receiver = new Receiver(inbox, serializer, this.#liveness, nonblocking, this.#sender)
    this.#closing = new Closing(this.#sender, () => this.#release())
    if (settings.isKeyless) this.#receiver.suspectChallenge()
    dropped.register(this, slot, this)
  }

  /**
   * Opens a descriptor of a stream socket or a pipe, or what `detach()` gave; it belongs to the connection then.
   * @throws `ERR_INVALID_ARG_VALUE` for any other kind of descriptor, and for what was opened before.
   */
  static from<Receives = unknown, Sends = Receives>(
    source: number | DetachedConnection,
    options?: ConnectionOptions & { readable?: boolean | undefined; writable?: boolean | undefined },
  ): Connection<Receives, Sends> {
    const conn = adopt<Receives, Sends>(checkSource(source, options), checkSettings(options))
    markOpened(source)
    return announce(conn)
  }

  get closed(): boolean {
    return this.#closed
  }

  get readable(): boolean {
    return !this.#closed && this.#directions.readable && !this.#receiver.failed
  }

  get writable(): boolean {
    return !this.#closed && this.#directions.writable
  }

  get fd(): number {
    return this.#closed ? -1 : environment.fd(this.#slot)
  }

  get remoteAddress(): BoundAddress | undefined {
    if (this.#remoteAddress === undefined && !this.#closed) this.#remoteAddress = peerAddress(this.#slot)
    return this.#remoteAddress
  }

  get bufferedAmount(): number {
    return this.#sender.bufferedAmount
  }

  send(value: Sends, options?: AsyncOptions): Promise<void> {
    try {
      this.#checkSend()
      return this.#sender.send(value, terms(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  sendSync(value: Sends, options?: SyncOptions): void {
    this.#checkSend()
    try {
      this.#sender.sendSync(value, terms(options))
    } finally {
      this.#receiver.recheck()
    }
  }

  sendBytes(buf: Bytes, offset?: number | (AsyncOptions & ByteRange), size?: number): Promise<void> {
    try {
      this.#checkSend()
      const options = rangeOf(offset, size)
      return this.#sender.sendBytes(checkBytes(buf, options?.offset, options?.size), terms(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  sendBytesSync(buf: Bytes, offset?: number | (SyncOptions & ByteRange), size?: number): void {
    this.#checkSend()
    const options = rangeOf(offset, size)
    try {
      this.#sender.sendBytesSync(checkBytes(buf, options?.offset, options?.size), terms(options))
    } finally {
      this.#receiver.recheck()
    }
  }

  recv(options?: AsyncOptions): Promise<Receives> {
    return this.#receive(anyValue, options) as Promise<Receives>
  }

  recvSync(options?: SyncOptions): Receives {
    return this.#receiveSync(anyValue, options) as Receives
  }

  recvBytes(maxLength?: number | (AsyncOptions & { maxLength?: number | undefined })): Promise<ReceivedBytes> {
    try {
      return this.#receive(bytesWanted(maxLength), optionsOf(maxLength)) as Promise<ReceivedBytes>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  recvBytesSync(maxLength?: number | (SyncOptions & { maxLength?: number | undefined })): ReceivedBytes {
    return this.#receiveSync(bytesWanted(maxLength), optionsOf(maxLength)) as ReceivedBytes
  }

  recvBytesInto(buf: Bytes, offset?: number | (AsyncOptions & { offset?: number | undefined })): Promise<number> {
    try {
      return this.#receive(intoWanted(buf, offset), optionsOf(offset)) as Promise<number>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  recvBytesIntoSync(buf: Bytes, offset?: number | (SyncOptions & { offset?: number | undefined })): number {
    return this.#receiveSync(intoWanted(buf, offset), optionsOf(offset)) as number
  }

  poll(timeout?: number | AsyncOptions): Promise<boolean> {
    try {
      this.#checkReceive()
      const options = pollOptions(timeout)
      return this.#receiver.poll(checkTimeout(options.timeout), checkSignal(options.signal))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  pollSync(timeout?: number | SyncOptions): boolean {
    this.#checkReceive()
    return this.#receiver.pollSync(checkTimeout(pollOptions(timeout).timeout))
  }

  messages(options?: AsyncOptions): AsyncIterableIterator<Receives> {
    return asyncMessages(() => this.#receiveNext(nextValue, options))
  }

  messagesSync(options?: SyncOptions): IterableIterator<Receives> {
    return syncMessages(() => this.#receiveNextSync(nextValue, options))
  }

  bytes(options?: AsyncOptions & { maxLength?: number | undefined }): AsyncIterableIterator<ReceivedBytes> {
    let each: Want | undefined
    return asyncMessages(() => {
      try {
        each ??= eachOf(bytesWanted(options))
      } catch (error) {
        return Promise.reject(error)
      }
      return this.#receiveNext(each, options)
    })
  }

  bytesSync(options?: SyncOptions & { maxLength?: number | undefined }): IterableIterator<ReceivedBytes> {
    const each = eachOf(bytesWanted(options))
    return syncMessages(() => this.#receiveNextSync(each, options))
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Receives> {
    return this.messages()
  }

  close(options?: AsyncOptions): Promise<void> {
    let limits: Terms
    try {
      limits = terms(options)
    } catch (error) {
      return Promise.reject(error)
    }
    if (!this.#closed) {
      this.#stop()
      this.#closing.begin()
    }
    if (options !== undefined) this.#closing.limit(limits)
    return this.#closing.promise
  }

  closeSync(options?: SyncOptions): void {
    if (this.#closed && !this.#closing.isUnderWay) return
    const { timeout } = terms(options)
    this.#stop()
    this.#closing.finishSync(timeout)
  }

  detach(): DetachedConnection {
    this.#checkIdle()
    const { frames, body } = this.#inbox.rest()
    dropped.unregister(this)
    const detached = environment.detach(this.#slot, body)
    if (typeof detached === 'number') {
      // Its slot is free already, and may become another connection's.
      this.#stop()
      throw systemError(detached, 'fcntl')
    }
    // A copy of its own: structured clone copies the whole memory that a view is a part of.
    const received = new Uint8Array(frames.length + detached.received.length)
    received.set(frames)
    received.set(detached.received, frames.length)
    this.#stop()
    return { fd: detached.fd, received, ...this.#directions }
  }

  ref(): this {
    this.#setReferenced(true)
    return this
  }

  unref(): this {
    this.#setReferenced(false)
    return this
  }

  [Symbol.dispose](): void {
    this.close().catch(() => {})
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  get [readiness](): Readiness {
    if (this.#readiness === undefined) {
      this.#readiness = new ConnectionReadiness(this.#look, this.#liveness)
      this.#inbox.readiness = this.#readiness
      // When closed, its slot may be another connection's already.
      if (!this.#closed) bystanders[this.#slot] = new WeakRef(this.#readiness)
    }
    return this.#readiness
  }

  readonly #look = (): Look => {
    this.#checkReceive()
    if (this.#receiver.failed) throw notReadable()
    return this.#receiver.look()
  }

  #setReferenced(referenced: boolean): void {
    this.#liveness.setReferenced(referenced)
    this.#readiness?.changed()
  }

  #receive(want: Want, options: AsyncOptions | undefined): Promise<unknown> {
    try {
      this.#checkReceive()
      return this.#receiver.receive(want, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #receiveSync(want: Want, options: SyncOptions | undefined): unknown {
    this.#checkReceive()
    return this.#receiver.receiveSync(want, options)
  }

  #receiveNext<T>(want: Want, options: AsyncOptions | undefined): Promise<IteratorResult<T, undefined>> {
    if (this.#closed) return Promise.resolve({ value: undefined, done: true })
    return this.#receive(want, options) as Promise<IteratorResult<T, undefined>>
  }

  #receiveNextSync<T>(want: Want, options: SyncOptions | undefined): IteratorResult<T, undefined> {
    if (this.#closed) return { value: undefined, done: true }
    return this.#receiveSync(want, options) as IteratorResult<T, undefined>
  }

  #checkSend(): void {
    if (this.#closed) throw ClosedError.create('connection')
    if (!this.#directions.writable) throw notWritable()
  }

  #checkReceive(): void {
    if (this.#closed) throw ClosedError.create('connection')
    if (!this.#directions.readable) throw notReadable()
  }

  /** Sends what this tick has accepted, and checks that nothing else is under way. */
  #checkIdle(): void {
    if (this.#closed) throw ClosedError.create('connection')
    if (this.#receiver.waiting)
      throw busy('A receive or poll is pending on this connection: await it, or abort it, first')
    if (!this.#sender.drain(NOW))
      throw busy('Not all that was sent has left this connection: await its sends until bufferedAmount is 0, first')
  }

  /** From now on this end is closed to its user. */
  #stop(): void {
    if (this.#closed) return
    this.#closed = true
    this.#sender.close()
    this.#receiver.close()
    bystanders[this.#slot] = undefined
    this.#readiness?.changed()
    if (this.#isAnnounced) connectionClosed(this)
  }

  /** The slot may become another connection's from now on. */
  #release(): void {
    dropped.unregister(this)
    closeSlot(this.#slot)
  }

  readonly #onBlocked = (isBlocked: boolean, error?: unknown): void => {
    if (this.#directions.readable) this.#receiver.setAbsorbing(isBlocked)
    if (!isBlocked) this.#closing.sent(error)
  }

  static {
    connect = (slot, settings, inbox) => new Connection(slot, settings, inbox)
    announce = conn => {
      conn.#isAnnounced = true
      connectionOpened(conn)
      return conn
    }
    settingsOf = conn => ({
      ...conn.#settings,
      serializer: nameOf(conn.#settings.serializer),
      isKeyless: conn.#receiver.suspectsChallenge,
    })
    checkMovable = conn => {
      conn.#checkIdle()
      nameOf(conn.#settings.serializer)
    }
    isConnection = (value): value is Connection => typeof value === 'object' && value !== null && #slot in value
    // So that serializers know one, without knowing this file.
    Object.defineProperty(Connection.prototype, Symbol.for('carom.connection'), { value: true })
  }
}

/** The name of a socket's other end, if it has one. */
function peerAddress(slot: number): BoundAddress | undefined {
  const { inet, peer } = environment.addresses(slot)
  return peer == null ? undefined : parseAddress(peer, inet)
}

/** Takes over a descriptor: it belongs to the connection, and no child process inherits it. */
export function adopt<Receives = unknown, Sends = Receives>(
  source: Source,
  settings: Settings,
): Connection<Receives, Sends> {
  return connect(adoptDescriptor(source, settings.maxMessageLength), settings)
}
