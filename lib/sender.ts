/**
 * The sending half of a connection.
 *
 * A message goes one of three ways. What fits under the high-water mark is packed into the outbox and leaves with all
 * others of its tick, in one system call; what the kernel does not take of that stays in the addon, accepted. Beyond
 * the mark messages queue up here, where they can still be withdrawn. A large one is sent from where it lies.
 */
import { ClosedError, invalidArgValue, SerializerError, systemError, TimeoutError, WouldBlockError } from './errors.js'
import { Limit } from './limit.js'
import type { Liveness } from './liveness.js'
import {
  deadlineAfter,
  environment,
  extents,
  flush,
  HEADER,
  LARGE,
  LONG_HEADER,
  MAX_EXTENTS,
  MAX_SHORT,
  NOW,
  push,
  waitUntil,
  watch,
  writers,
} from './native.js'
import { moveIn, moveOut, packBytes, packed, packValue, sendAll, unpack } from './outbox.js'
import { asFast, type FastSerializer, type Serializer } from './serializers/serializer.js'
import type { Terms } from './terms.js'
import { sharing } from './turns.js'

/** A message whose promise is not settled. */
interface Pending {
  readonly bytes: Uint8Array
  /** The bytes of its frame, header included, and how many of them are on their way. */
  readonly size: number
  progress: number
  resolve: () => void
  reject: (reason: unknown) => void
  limit: Limit | undefined
}

/** Packed bytes that are sent before the tick ends, so that the other end has work while more are packed. */
const ENOUGH = 32 * 1024

/** Those that have unsent bytes besides the outbox's. */
const blocked = new Set<Sender>()
/** Once the process ends, until when sends may take: no tick and no turn of the event loop comes after this one. */
let lastMoment: number | undefined
const now = Promise.resolve()
const nothing = new Uint8Array(0)

/** The process ends: sends what is accepted until then at once, blocking until `deadline` at most. */
export function sendUntilEnd(deadline: number): void {
  lastMoment = deadline
  sendEverything(deadline)
}

/** Sends what all connections of this thread have accepted; blocks until `deadline` at most. */
function sendEverything(deadline: number): void {
  sendAll()
  for (const sender of blocked) {
    try {
      sender.drain(deadline)
    } catch {
      // Those who sent were told; the others have their turn.
    }
  }
}

export class Sender {
  readonly #slot: number
  readonly #serializer: Serializer
  readonly #fast: FastSerializer | undefined
  readonly #highWaterMark: number
  readonly #nonblocking: boolean
  readonly #liveness: Liveness
  /** Called when unsent bytes begin to wait for the other end, and when they cease to: because of `error`, if any. */
  readonly #onBlocked: (isBlocked: boolean, error?: unknown) => void
  /** From and to of each of this tick's parts of the outbox, and their bytes in all. */
  #extents: number[] = []
  #packed = 0
  place = -1
  /** Bytes that the addon keeps. While they are over the mark, `#last` is the last message among them. */
  #backlog = 0
  #last: Pending | undefined
  #queue: Pending[] = []
  #queued = 0
  #blocked = false
  #closed = false
  /** This tick's promise, and what went wrong in it. */
  #tick: Promise<void> | undefined
  #error: unknown

  constructor(
    slot: number,
    serializer: Serializer,
    highWaterMark: number,
    nonblocking: boolean,
    liveness: Liveness,
    onBlocked: (isBlocked: boolean, error?: unknown) => void,
  ) {
    this.#slot = slot
    this.#serializer = serializer
    this.#fast = asFast(serializer)
    this.#highWaterMark = highWaterMark
    this.#nonblocking = nonblocking
    this.#liveness = liveness
    this.#onBlocked = onBlocked
  }

  /** Bytes accepted that the kernel has not taken. */
  get bufferedAmount(): number {
    return this.#packed + this.#backlog + this.#queued
  }

  /** Sends one value, which is serialised before this returns. */
  send(value: unknown, terms: Terms): Promise<void> {
    if (this.#waits(terms) || !this.#pack(value)) return this.sendBytes(this.#encode(value), terms)
    return this.#waits(terms) ? this.sendBytes(unpack(), terms) : this.#accept(terms)
  }

  /** Sends bytes as one message; they must not change until the promise settles. */
  sendBytes(bytes: Uint8Array, terms: Terms): Promise<void> {
    if (!this.#waits(terms) && bytes.byteLength < LARGE && packBytes(bytes)) return this.#accept(terms)
    if (this.#nonblocking && terms.byDefault) return this.#sendNow(bytes)
    return this.#enqueue(bytes, terms)
  }

  /** Sends one value; blocks until the kernel has it. */
  sendSync(value: unknown, terms: Terms): void {
    const deadline = this.#deadline(terms)
    this.#sendEarlier(terms, deadline)
    const isPacked = this.#pack(value)
    if (isPacked && !this.#queues) {
      this.#sendPacked(terms, deadline)
      return
    }
    const bytes = isPacked ? unpack() : this.#encode(value)
    // Once more: the user's code, which has run meanwhile, may have sent something.
    this.#sendEarlier(terms, deadline)
    this.#sendLarge(bytes, terms, deadline)
  }

  /** Sends bytes as one message; blocks until the kernel has them. */
  sendBytesSync(bytes: Uint8Array, terms: Terms): void {
    const deadline = this.#deadline(terms)
    this.#sendEarlier(terms, deadline)
    if (bytes.byteLength < LARGE && packBytes(bytes)) this.#sendPacked(terms, deadline)
    else this.#sendLarge(bytes, terms, deadline)
  }

  /** Sends all that is unsent, blocking until `deadline` at most: whether nothing is left. */
  drain(deadline: number): boolean {
    try {
      this.#flush(deadline)
      this.#sendQueue(deadline)
    } catch (error) {
      this.#fail(error)
      throw error
    }
    this.#update()
    return this.bufferedAmount === 0
  }

  /** There is room. */
  onNews(): void {
    try {
      this.drain(NOW)
    } catch {
      // Those who sent were told.
    }
  }

  /** Another connection needs the outbox. */
  leaveOutbox(): void {
    try {
      this.#flush(NOW)
      this.#update()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** What is unsent is dropped; those who wait for it learn why. */
  drop(reason: unknown): void {
    this.#fail(reason)
  }

  /** This end is closed: what a value's getters or its serializer close in mid-send is not sent to. */
  close(): void {
    this.#closed = true
  }

  /** Packs a value where that is quicker; false when it has to be encoded. Its getters may do anything meanwhile. */
  #pack(value: unknown): boolean {
    if (this.#fast === undefined) return false
    try {
      if (!packValue(this.#fast, value)) return false
    } catch (error) {
      throw SerializerError.encoding(error)
    }
    if (this.#closed) throw ClosedError.create('connection')
    return true
  }

  #encode(value: unknown): Uint8Array {
    let bytes: unknown
    try {
      bytes = this.#serializer.encode(value)
    } catch (error) {
      throw SerializerError.encoding(error)
    }
    if (this.#closed) throw ClosedError.create('connection')
    if (bytes instanceof Uint8Array) return bytes
    throw SerializerError.encoding(new TypeError("The serializer's encode did not return a Uint8Array"))
  }

  /** Whether a message has to wait behind others, or must not. */
  #waits(terms: Terms): boolean {
    return this.#queues || (this.#nonblocking && terms.byDefault)
  }

  /** Messages wait, of which one may have left in part: what is packed now would come in between. */
  get #queues(): boolean {
    return this.#last !== undefined || this.#queue.length > 0
  }

  /** The message that was just packed is this connection's. */
  #own(): number {
    const last = this.#extents.length - 1
    if (last < 0) moveIn(this)
    if (last >= 0 && this.#extents[last] === packed.from) this.#extents[last] = packed.to
    else this.#extents.push(packed.from, packed.to)
    const size = packed.to - packed.from
    this.#packed += size
    return size
  }

  /** Accepts the message that was just packed: it leaves at the end of the tick, or now if it is over the mark. */
  #accept(terms: Terms): Promise<void> {
    const size = this.#own()
    const isOver = this.#packed + this.#backlog > this.#highWaterMark
    if (isOver || (this.#packed >= ENOUGH && this.#backlog === 0)) {
      try {
        this.#flush(NOW)
      } catch (error) {
        this.#fail(error)
        return Promise.reject(error)
      }
      this.#update()
    }
    if (this.#backlog <= this.#highWaterMark) return this.#endOfTick()
    return this.#pending(nothing, size, terms, pending => {
      this.#last = pending
      this.#update()
    })
  }

  /** One promise serves all sends of a tick, and its reaction is what sends them. */
  #endOfTick(): Promise<void> {
    this.#tick ??= sharing(now.then(this.#onTick))
    if (lastMoment !== undefined) sendEverything(lastMoment)
    return this.#tick
  }

  readonly #onTick = (): void => {
    this.#tick = undefined
    const error = this.#error
    this.#error = undefined
    if (error !== undefined) throw error
    if (this.#packed > 0) this.drain(NOW)
  }

  #enqueue(bytes: Uint8Array, terms: Terms): Promise<void> {
    const size = frameSize(bytes)
    return this.#pending(bytes, size, terms, pending => {
      this.#queue.push(pending)
      this.#queued += size
      if (this.#queue.length === 1) this.onNews()
    })
  }

  /** A promise that is settled when there is room, unless its limit comes first. */
  #pending(bytes: Uint8Array, size: number, terms: Terms, begin: (pending: Pending) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { bytes, size, progress: 0, resolve, reject, limit: undefined }
      begin(pending)
      if (lastMoment !== undefined) sendEverything(lastMoment)
      if (!this.#isPending(pending)) return
      if (terms.timeout <= 0) this.#withdraw(pending, TimeoutError.create(terms.timeout))
      else if (terms.signal !== undefined || terms.timeout !== Number.POSITIVE_INFINITY)
        pending.limit = new Limit(terms.timeout, terms.signal, reason => this.#withdraw(pending, reason))
    })
  }

  /** Whether the message that was sent last waits. */
  #isPending(pending: Pending): boolean {
    return pending === this.#last || pending === this.#queue.at(-1)
  }

  /** A message whose limit has come is not sent if none of it has left; else the rest still is. */
  #withdraw(pending: Pending, reason: unknown): void {
    if (pending === this.#last) {
      if (environment.retract(this.#slot, pending.size)) this.#backlog -= pending.size
      this.#last = undefined
    } else {
      if (pending.progress > 0) this.#keep(pending)
      this.#remove(pending)
    }
    pending.reject(reason)
    this.onNews()
  }

  #remove(pending: Pending): void {
    if (pending === this.#queue[0]) this.#queue.shift()
    else this.#queue.splice(this.#queue.indexOf(pending), 1)
    this.#queued -= pending.size - pending.progress
    pending.limit?.clear()
  }

  /** The addon takes over what is left of a message. */
  #keep({ bytes, size, progress }: Pick<Pending, 'bytes' | 'size' | 'progress'>): void {
    environment.queue(this.#slot, bytes, progress)
    this.#backlog += size - progress
  }

  /** A non-blocking end: one message at a time, and none while an earlier one has not been taken whole. */
  #sendNow(bytes: Uint8Array): Promise<void> {
    try {
      this.sendBytesSync(bytes, { timeout: NOW, byDefault: true })
      return now
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #deadline(terms: Terms): number {
    return this.#nonblocking && terms.byDefault ? NOW : deadlineAfter(terms.timeout)
  }

  /** What was accepted earlier goes first. */
  #sendEarlier(terms: Terms, deadline: number): void {
    sendAll()
    if (this.bufferedAmount > 0 && !this.drain(deadline))
      throw this.#nonblocking && terms.byDefault ? WouldBlockError.forSend() : TimeoutError.create(terms.timeout)
  }

  #sendPacked(terms: Terms, deadline: number): void {
    const size = this.#own()
    this.drain(deadline)
    if (this.#backlog === 0 || (this.#nonblocking && terms.byDefault)) return
    if (environment.retract(this.#slot, size)) this.#backlog -= size
    this.#update()
    throw TimeoutError.create(terms.timeout)
  }

  #sendLarge(bytes: Uint8Array, terms: Terms, deadline: number): void {
    const size = frameSize(bytes)
    const progress = push(this.#slot, bytes, 0, waitUntil(deadline))
    if (progress < 0) throw systemError(progress, 'write')
    if (progress === size) return
    const failsAtOnce = this.#nonblocking && terms.byDefault
    if (progress > 0 || failsAtOnce) this.#keep({ bytes, size, progress })
    this.#update()
    if (!failsAtOnce) throw TimeoutError.create(terms.timeout)
  }

  /** Sends what is packed and what the addon keeps. */
  #flush(deadline: number): void {
    if (this.#packed + this.#backlog === 0) return
    const parts = this.#extents
    this.#extents = []
    this.#packed = 0
    let status = 0
    let from = 0
    do {
      const count = Math.min(parts.length - from, 2 * MAX_EXTENTS)
      for (let i = 0; i < count; i++) extents[i] = parts[from + i]
      from += count
      status = flush(this.#slot, count / 2, waitUntil(deadline))
    } while (from < parts.length && status >= 0)
    if (parts.length > 0) moveOut(this)
    if (status < 0) throw systemError(status, 'write')
    this.#backlog = status
    if (status <= this.#highWaterMark && this.#last !== undefined) {
      const last = this.#last
      this.#last = undefined
      last.limit?.clear()
      last.resolve()
    }
  }

  /** Sends or accepts what is queued, as far as there is room. */
  #sendQueue(deadline: number): void {
    while (this.#queue.length > 0 && this.#last === undefined) {
      const head = this.#queue[0]
      // One that has been begun is the addon's to refuse: nothing more can be sent after half a message.
      if (head.progress === 0 && frameSize(head.bytes) !== head.size) {
        this.#remove(head)
        head.reject(invalidArgValue('buf', 'was resized or transferred away before it was sent'))
        continue
      }
      const isSmall = head.progress === 0 && head.bytes.byteLength < LARGE
      if (isSmall && this.#packed + this.#backlog + head.size <= this.#highWaterMark && packBytes(head.bytes)) {
        this.#own()
      } else {
        this.#flush(deadline)
        if (this.#backlog > 0) return
        const progress = push(this.#slot, head.bytes, head.progress, waitUntil(deadline))
        if (progress < 0) throw systemError(progress, 'write')
        this.#queued -= progress - head.progress
        head.progress = progress
        if (head.size - progress > this.#highWaterMark) return
        if (progress < head.size) this.#keep(head)
      }
      this.#remove(head)
      head.resolve()
    }
    if (this.#packed > 0) this.#flush(deadline)
  }

  /** The stream takes nothing any more: everything unsent is lost, and those who wait for it learn why. */
  #fail(reason: unknown): void {
    const pending = this.#last ? [this.#last, ...this.#queue] : this.#queue
    if (this.#extents.length > 0) moveOut(this)
    this.#extents = []
    this.#queue = []
    this.#last = undefined
    this.#packed = this.#backlog = this.#queued = 0
    if (this.#tick) this.#error = reason
    for (const { limit, reject } of pending) {
      limit?.clear()
      reject(reason)
    }
    this.#update(reason)
  }

  /** Has room told of while it is lacking, and only then: each change of that costs a system call. */
  #update(error?: unknown): void {
    const isBlocked = this.#backlog + this.#queued > 0
    if (isBlocked === this.#blocked) return
    this.#blocked = isBlocked
    if (isBlocked) {
      blocked.add(this)
      writers[this.#slot] = this
      this.#liveness.begin()
    } else {
      blocked.delete(this)
      writers[this.#slot] = undefined
      this.#liveness.end()
    }
    const status = watch(this.#slot, isBlocked ? 1 : 0)
    this.#onBlocked(isBlocked, error)
    // Nobody would tell of room.
    if (status < 0 && isBlocked) this.#fail(systemError(status, 'epoll_ctl'))
  }
}

/** The bytes of a message on the wire, header included. */
function frameSize({ byteLength }: Uint8Array): number {
  return byteLength + (byteLength > MAX_SHORT ? LONG_HEADER : HEADER)
}
