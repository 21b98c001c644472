/**
 * What one connection has received and nobody has taken yet.
 *
 * Small messages are received into one arena that all connections of this thread share, a batch at a time, and are
 * read where they lie. The arena belongs to the connection that filled it last; when another one needs it, or bytes
 * are to be handed out, what is left of the batch moves to memory of its own, once, as a whole. A large message has a
 * place of its own from the start, which grows with what has arrived.
 */
import { markAsUntransferable } from 'node:worker_threads'
import type { ReceivedBytes } from './bytes.js'
import { EOFError, MessageTooLongError, SerializerError, systemError } from './errors.js'
import {
  inbox as arena,
  spans as arenaSpans,
  BODY,
  bodyLength,
  DRAINED,
  ENDED,
  environment,
  FRAMES_SHIFT,
  read,
  readBody,
  telling,
  UNTIL_TOLD,
  waitUntil,
} from './native.js'
import type { FastSerializer, Serializer } from './serializers/serializer.js'
import type { Readiness } from './waitable.js'

/** The first piece of memory for a large message, in bytes, and how much larger each next one is than what arrived. */
const FIRST_PIECE = 1024 * 1024
const GROWTH = 8
/** Up to how many bytes copying each by itself is the fastest. */
const BYTE_BY_BYTE = 128
/** How many bytes of a large message are read before the event loop has its turn. */
const PIECE_PER_TURN = 4 * 1024 * 1024

/** A large message, as far as it has arrived. */
interface Body {
  readonly length: number
  target: Uint8Array<ArrayBufferLike>
  filled: number
  /** Whether `target` is the user's, given to `recvBytesInto`. */
  foreign: boolean
}

const nothing = Buffer.alloc(0)
const noSpans = new Uint32Array(0)
/** Whose batch lies in the arena. */
let tenant: Inbox | undefined

export class Inbox {
  readonly slot: number
  /** The longest message that is received, in bytes. */
  readonly maxMessageLength: number
  /** The batch in hand: where it lies, and the spans of its messages, as counted from `#base`. */
  #source: Buffer<ArrayBuffer> = nothing
  #spans = arenaSpans
  /** Where the spans of a batch that has left the arena are kept. */
  #ownSpans = noSpans
  #base = 0
  #index = 0
  #count = 0
  #body: Body | undefined
  #lost = false

  /** Whether a receive would wait, for those who wait on several connections. */
  readiness: Readiness | undefined

  /** Nothing more will come after what is here. */
  ended = false
  /** The stream had no more to give: wait for news before the next `fill`. */
  drained = false
  /** After which news it was read last: there is nothing new before the next. */
  #told = -1

  constructor(slot: number, maxMessageLength: number) {
    this.slot = slot
    this.maxMessageLength = maxMessageLength
  }

  /** A whole message is here. */
  get ready(): boolean {
    return this.#index < this.#count || (this.#body !== undefined && this.#body.filled === this.#body.length)
  }

  /** The next message's length in bytes, -1 while it is not known. */
  get nextLength(): number {
    if (this.#index < this.#count) return this.#spans[2 * this.#index + 1]
    return this.#body?.length ?? -1
  }

  /**
   * Receives until a message is whole, the stream has ended, or a message's length is known to be over `limit`.
   *
   * @param deadline When to stop waiting; `NOW` and `UNTIL_TOLD` do not wait.
   * @param target Where a large message goes if it fits: the user's buffer.
   * @returns whether a message is whole or the stream has ended.
   */
  fill(deadline: number, target: Uint8Array | undefined, limit: number): boolean {
    if (this.ready) return true
    if (this.#body === undefined) {
      if (this.ended) return true
      if (deadline === UNTIL_TOLD && this.drained && this.#told === telling()) return false
      // Only a read of that kind has news told.
      this.#told = deadline === UNTIL_TOLD ? telling() : -1
      if (tenant !== this) tenant?.leaveArena()
      tenant = this
      const status = read(this.slot, waitUntil(deadline))
      if (status < 0) throw systemError(status, 'read')
      this.#source = arena
      this.#spans = arenaSpans
      this.#base = 0
      this.#index = 0
      this.#count = status >>> FRAMES_SHIFT
      this.drained = (status & DRAINED) !== 0
      this.ended = (status & ENDED) !== 0
      this.readiness?.changed()
      if (status & BODY) this.#body = { length: bodyLength[0], target: nothing, filled: 0, foreign: false }
      if (this.#count > 0 || this.#body === undefined) return this.#count > 0 || this.ended
    }
    return this.#body.length > limit ? false : this.#fillBody(this.#body, deadline, target)
  }

  #fillBody(body: Body, deadline: number, target: Uint8Array | undefined): boolean {
    if (body.filled === 0 && target !== undefined && target.byteLength >= body.length) {
      body.target = target.subarray(0, body.length)
      body.foreign = true
    }
    let turn = PIECE_PER_TURN
    while (body.filled < body.length) {
      if (body.foreign && body.target.byteLength === 0) return this.#lose()
      if (body.filled === body.target.byteLength) grow(body)
      let piece = body.target.subarray(body.filled)
      if (deadline === UNTIL_TOLD) piece = piece.subarray(0, turn)
      const status = readBody(this.slot, piece, waitUntil(deadline))
      if (status < 0) throw systemError(status, 'read')
      const count = Math.floor(status / 2)
      body.filled += count
      turn -= count
      this.ended = status % 2 === 1
      this.drained = count < piece.byteLength
      // Not each time: those who are told look again, which comes here.
      if (count > 0 || this.ended) this.readiness?.changed()
      if (body.filled === body.length) break
      if (this.ended) this.#body = undefined
      if (this.drained || turn === 0) return this.ended
    }
    return true
  }

  /** The user has transferred away, or shrunk, the buffer that a message was being received into. */
  #lose(): boolean {
    this.#body = undefined
    this.#lost = true
    this.ended = true
    return true
  }

  /** The user's buffer is no longer to be written to: what has arrived moves to a place of carom's. */
  reclaim(): void {
    const body = this.#body
    if (!body?.foreign || body.filled === body.length) return
    if (body.target.byteLength === 0) {
      this.#lose()
      return
    }
    const arrived = body.target.subarray(0, body.filled)
    body.target = Buffer.allocUnsafeSlow(Math.min(body.length, Math.max(FIRST_PIECE, GROWTH * body.filled)))
    body.target.set(arrived)
    body.foreign = false
  }

  /** The next message, which must be whole and not a large one, where it lies. For use within this turn. */
  peek(): Uint8Array {
    const start = this.#spans[2 * this.#index] - this.#base
    return this.#source.subarray(start, start + this.#spans[2 * this.#index + 1])
  }

  /** Takes the next message, which must be whole, as a value. @throws SerializerError: the message is taken. */
  takeValue(serializer: Serializer, fast: FastSerializer | undefined): unknown {
    if (this.#index === this.#count || fast === undefined) {
      const bytes = this.takeBytes()
      try {
        return serializer.decode(bytes)
      } catch (error) {
        throw SerializerError.decoding(error, bytes)
      }
    }
    const start = this.#spans[2 * this.#index] - this.#base
    const end = start + this.#spans[2 * this.#index + 1]
    this.#index++
    try {
      return fast.decodeFrom(this.#source, start, end)
    } catch (error) {
      throw SerializerError.decoding(error, Buffer.from(this.#source.subarray(start, end)))
    }
  }

  /** Takes the next message, which must be whole, as bytes that nobody writes again. */
  takeBytes(): ReceivedBytes {
    if (this.#index === this.#count) return this.#takeBody()
    if (this.#source === arena) {
      if (this.#index + 1 === this.#count) {
        const start = this.#spans[2 * this.#index]
        const length = this.#spans[2 * this.#index + 1]
        this.#index++
        return copyOf(start, start + length)
      }
      this.leaveArena()
    }
    const start = this.#spans[2 * this.#index] - this.#base
    const end = start + this.#spans[2 * this.#index + 1]
    this.#index++
    return this.#source.subarray(start, end)
  }

  #takeBody(): ReceivedBytes {
    const { target, length, foreign } = this.#body as Body
    this.#body = undefined
    // Only what came in whole while its receive was the first in line lies in a user's buffer.
    const bytes = foreign ? Buffer.from(target) : (target as ReceivedBytes)
    return bytes.byteLength === length ? bytes : bytes.subarray(0, length)
  }

  /** Takes the next message, which must be whole and fit into `target`: the number of bytes. */
  takeInto(target: Uint8Array): number {
    if (this.#index < this.#count) {
      const start = this.#spans[2 * this.#index] - this.#base
      const length = this.#spans[2 * this.#index + 1]
      this.#index++
      target.set(this.#source.subarray(start, start + length))
      return length
    }
    const body = this.#body as Body
    this.#body = undefined
    if (!body.foreign) target.set(body.target.subarray(0, body.length))
    return body.length
  }

  /** All that was received and not taken, as it came over the wire, but for what the addon holds of it. */
  rest(): { frames: Buffer; body: Uint8Array } {
    const frames = this.#index < this.#count ? this.#source.subarray(this.#position, this.#end) : nothing
    return { frames, body: this.#body?.target.subarray(0, this.#body.filled) ?? nothing }
  }

  /** Why nothing more comes. */
  endError(): Error {
    if (this.#lost)
      return EOFError.insideMessage(new TypeError('The buffer of recvBytesInto was transferred away in mid-message'))
    const ending = environment.ending(this.slot)
    const cause = ending?.errno == null ? undefined : systemError(ending.errno, 'read')
    const length = ending?.length ?? 0
    switch (ending?.kind) {
      case 'too-long':
        return MessageTooLongError.forConnection(length, this.maxMessageLength)
      case 'bad-header':
        return MessageTooLongError.badHeader(length)
      case 'truncated':
        return EOFError.insideMessage(cause)
      case 'failed':
        return cause as Error
      default:
        return EOFError.atEnd(cause)
    }
  }

  /** Where the frame of the next message in hand begins, from the start of the batch's memory. */
  get #position(): number {
    return this.#index === 0 ? 0 : this.#spans[2 * this.#index - 2] + this.#spans[2 * this.#index - 1] - this.#base
  }

  /** Where the last message in hand ends. */
  get #end(): number {
    return this.#spans[2 * this.#count - 2] + this.#spans[2 * this.#count - 1] - this.#base
  }

  /** Moves what is left of the batch, headers included, to memory of its own: another connection needs the arena. */
  leaveArena(): void {
    if (this.#source !== arena || this.#index === this.#count) return
    const position = this.#position
    const from = 2 * this.#index
    const length = 2 * this.#count - from
    this.#source = copyOf(position, this.#end)
    // A table of its own for each batch would cost more than all the rest of this.
    if (this.#ownSpans.length < length) this.#ownSpans = new Uint32Array(2 * length)
    for (let i = 0; i < length; i++) this.#ownSpans[i] = arenaSpans[from + i]
    this.#spans = this.#ownSpans
    this.#base = position
    this.#count -= this.#index
    this.#index = 0
  }
}

/** The arena's bytes in a Buffer that several messages can share, so that none of them can be transferred. */
function copyOf(start: number, end: number): Buffer<ArrayBuffer> {
  const size = end - start
  const pooled = size < Buffer.poolSize >>> 1
  const copy = (pooled ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)) as Buffer<ArrayBuffer>
  if (!pooled) markAsUntransferable(copy.buffer)
  // A few bytes are copied faster than a view of them is made.
  if (size > BYTE_BY_BYTE) arena.copy(copy, 0, start, end)
  else for (let i = 0; i < size; i++) copy[i] = arena[start + i]
  return copy
}

/** Gives a large message more memory: never by its header alone, but by what has arrived. */
function grow(body: Body): void {
  const larger = Buffer.allocUnsafeSlow(Math.min(body.length, Math.max(FIRST_PIECE, GROWTH * body.filled)))
  if (larger.length > FIRST_PIECE) environment.expectWrites(larger)
  larger.set(body.target)
  body.target = larger
}
