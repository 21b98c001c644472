/** Reads values from MessagePack that anybody may have written: no length is believed before it is compared. */
import { isUtf8 } from 'node:buffer'
import { isAscii, LONG, latin1, SHORT, shortAscii, utf8 } from '../ascii.js'
import { define } from '../define.js'
import { explain, malformed } from '../refusal.js'
import { LastView } from '../views.js'
import { BIGINT, BINARY, BOXED, ERROR, MAP, REGEXP, SET, TIMESTAMP, UNDEFINED, UTF16 } from './extension.js'
import { reviveBigInt, reviveBinary, reviveBoxed, reviveDate, reviveError, reviveRegExp, reviveSet } from './revive.js'
import { type ShapeDecoder, Shapes } from './shapes.js'

/** Slots for keys that were read before: making a string anew costs more than finding it. A power of two. */
const KEY_SLOTS = 1024
/** Longer arrays grow as they are filled: made at their length they would be sparse ones, and slow. */
const MAX_PREALLOCATED = 1 << 16

/** What a float of 64 bits begins with. */
const FLOAT64 = 0xcb

const NOTHING = Buffer.alloc(0)

/** Reads one message at a time, and runs no code but its own meanwhile. */
export class Decoder implements ShapeDecoder {
  source: Buffer = NOTHING
  at = 0
  private end = 0
  /** How many values can still be announced: each takes a byte at least, so no message holds more than it has bytes. */
  private announceable = 0
  /** Of `source`; made when the first float comes. */
  private view: DataView | undefined
  private readonly views = new LastView()
  private readonly keys: string[] = new Array(KEY_SLOTS).fill('')
  /** Tells the last key that was read from others. */
  private keyHash = 0
  private readonly shapes = new Shapes()

  /** Reads the one value between `start` and `end`. */
  decodeFrom(source: Buffer, start: number, end: number): unknown {
    this.source = source
    this.at = start
    this.end = end
    this.announceable = end - start
    try {
      const value = this.read()
      if (this.at < end) throw malformed('something follows the value')
      // Not `>`: a length from behind the source is not even a number.
      if (this.at !== end) throw cutShort()
      return value
    } catch (error) {
      throw explain(error)
    } finally {
      this.source = NOTHING
      this.view = undefined
    }
  }

  // Fixed sizes are read without a look at the end: `read` and `decodeFrom` notice when it has been passed.
  read(): unknown {
    if (this.at >= this.end) throw cutShort()
    const { source } = this
    const token = source[this.at++]
    if (token < 0x80) return token
    if (token < 0x90) return this.object(token & 0xf)
    if (token < 0xa0) return this.array(token & 0xf)
    if (token < 0xc0) return this.string(token & 0x1f)
    if (token >= 0xe0) return token - 0x100
    switch (token) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.binary(this.uint8())
      case 0xc5:
        return this.binary(this.uint16())
      case 0xc6:
        return this.binary(this.uint32())
      case 0xc7:
        return this.extension(this.uint8(), 2)
      case 0xc8:
        return this.extension(this.uint16(), 3)
      case 0xc9:
        return this.extension(this.uint32(), 5)
      case 0xca:
        return this.dataView().getFloat32(this.advance(4))
      case FLOAT64:
        return this.dataView().getFloat64(this.advance(8))
      case 0xcc:
        return this.uint8()
      case 0xcd:
        return this.uint16()
      case 0xce:
        return this.uint32()
      case 0xcf:
        return this.dataView().getBigUint64(this.advance(8))
      case 0xd0:
        return (this.uint8() << 24) >> 24
      case 0xd1:
        return (this.uint16() << 16) >> 16
      case 0xd2:
        return this.uint32() | 0
      case 0xd3:
        return this.dataView().getBigInt64(this.advance(8))
      case 0xd4:
        return this.tagged()
      case 0xd5:
        return this.extension(2, 1)
      case 0xd6:
        return this.extension(4, 1)
      case 0xd7:
        return this.extension(8, 1)
      case 0xd8:
        return this.extension(16, 1)
      case 0xd9:
        return this.string(this.uint8())
      case 0xda:
        return this.string(this.uint16())
      case 0xdb:
        return this.string(this.uint32())
      case 0xdc:
        return this.array(this.uint16())
      case 0xdd:
        return this.array(this.uint32())
      case 0xde:
        return this.object(this.uint16())
      case 0xdf:
        return this.object(this.uint32())
      default:
        throw malformed('it holds a byte that begins no value')
    }
  }

  private uint8(): number {
    return this.source[this.at++]
  }

  private uint16(): number {
    const { source, at } = this
    this.at = at + 2
    return (source[at] << 8) | source[at + 1]
  }

  private uint32(): number {
    const { source, at } = this
    this.at = at + 4
    return ((source[at] << 24) | (source[at + 1] << 16) | (source[at + 2] << 8) | source[at + 3]) >>> 0
  }

  /** Goes past the next `size` bytes and says where they begin. */
  private advance(size: number): number {
    const start = this.at
    if (size > this.end - start) throw cutShort()
    this.at = start + size
    return start
  }

  private dataView(): DataView {
    if (this.view === undefined) this.view = this.views.of(this.source)
    return this.view
  }

  private announce(values: number): void {
    this.announceable -= values
    if (this.announceable < 0) throw cutShort()
  }

  private array(length: number): unknown[] {
    this.announce(length)
    // As literals, short ones are made in one piece.
    switch (length) {
      case 0:
        return []
      case 1:
        return [this.read()]
      case 2:
        return [this.read(), this.read()]
      case 3:
        return [this.read(), this.read(), this.read()]
    }
    const { source, at } = this
    if (source[at] === FLOAT64 || (source[at] < 0x80 && source[at + 1] === FLOAT64)) return this.floats(length)
    return this.elements(length <= MAX_PREALLOCATED ? new Array(length) : [], 0, length)
  }

  private elements(values: unknown[], from: number, length: number): unknown[] {
    for (let i = from; i < length; i++) values[i] = this.read()
    return values
  }

  /** An array that begins with a float, or with a small integer before one: in a loop of their own, none is boxed. */
  private floats(length: number): unknown[] {
    const { source, end } = this
    const view = this.dataView()
    const values: number[] = length <= MAX_PREALLOCATED ? new Array(length) : []
    let { at } = this
    let i = 0
    for (; i < length && at < end; i++) {
      const token = source[at]
      if (token < 0x80) {
        values[i] = token
        at++
      } else if (token === FLOAT64 && end - at > 8) {
        values[i] = view.getFloat64(at + 1)
        at += 9
      } else break
    }
    this.at = at
    return i === length ? values : this.elements(values, i, length)
  }

  /** An object; a `Map` when a key is no string, which Python can have. */
  private object(size: number): unknown {
    this.announce(size * 2)
    if (size === 0) return {}
    const reader = this.shapes.readerOf(this.source, this.at, size)
    return reader === undefined ? this.properties({}, 0, size) : reader(this)
  }

  /** What is left of an object, behind its first `from` properties. */
  properties(object: Record<string, unknown>, from: number, size: number): unknown {
    let hash = from
    for (let i = from; i < size; i++) {
      const key = this.key()
      if (typeof key !== 'string') {
        const map = new Map<unknown, unknown>(Object.entries(object)).set(key, this.read())
        return this.entries(map, size - i - 1)
      }
      hash = Math.imul(hash, 31) + this.keyHash
      const value = this.read()
      // Assigned, this one would replace the prototype.
      if (key === '__proto__') define(object, key, value)
      else object[key] = value
    }
    this.shapes.notice(object, size, hash | 0)
    return object
  }

  private entries(map: Map<unknown, unknown>, size: number): Map<unknown, unknown> {
    for (let i = 0; i < size; i++) {
      const key = this.read()
      map.set(key, this.read())
    }
    return map
  }

  private key(): unknown {
    const { source, at } = this
    const token = source[at]
    this.keyHash = 0
    // Longer ones, and what is no string.
    if (token < 0xa1 || token > 0xbf) return this.read()
    const length = token & 0x1f
    const start = at + 1
    const last = start + length - 1
    const hash = (length * 7) ^ (source[start] * 31) ^ (source[start + (length >> 1)] * 17) ^ (source[last] * 131)
    const slot = hash & (KEY_SLOTS - 1)
    this.keyHash = hash
    const known = this.keys[slot]
    if (known.length === length && last < this.end) {
      let i = 0
      while (i < length && known.charCodeAt(i) === source[start + i]) i++
      if (i === length) {
        this.at = start + length
        return known
      }
    }
    this.at = start
    const key = this.string(length)
    // Of the same length in bytes and in characters: ASCII, which can be compared as above.
    if (key.length === length) this.keys[slot] = key
    return key
  }

  private string(length: number): string {
    const { source } = this
    const start = this.advance(length)
    if (length < SHORT) {
      const text = shortAscii(source, start, length)
      if (text !== undefined) return text
    } else if (length < LONG) {
      const view = this.views.ofKnown(source)
      if (view !== undefined && isAscii(view, start, length)) return latin1(source, start, start + length)
    }
    const text = utf8(source, start, start + length)
    // What Node writes in place of bytes that are no UTF-8 can also be meant.
    if (text.includes('\ufffd') && !isUtf8(source.subarray(start, start + length)))
      throw malformed('a string is not UTF-8')
    return text
  }

  private binary(length: number): Buffer {
    const start = this.advance(length)
    return Buffer.from(this.source.subarray(start, start + length))
  }

  /** What a tag says of the value that follows it, or an extension that has one byte. */
  private tagged(): unknown {
    const type = this.uint8()
    if (this.source[this.at] === 0) {
      switch (type) {
        case UNDEFINED:
          this.at++
          return undefined
        case ERROR:
          return reviveError(this.behindTag())
        case REGEXP:
          return reviveRegExp(this.behindTag())
        case SET:
          return reviveSet(this.behindTag())
        case BOXED:
          return reviveBoxed(this.behindTag())
        case MAP:
          return this.map()
      }
    }
    this.at--
    return this.extension(1, 1)
  }

  private behindTag(): unknown {
    this.at++
    return this.read()
  }

  private map(): Map<unknown, unknown> {
    this.at++
    const token = this.uint8()
    let size: number
    if (token >= 0x80 && token < 0x90) size = token & 0xf
    else if (token === 0xde) size = this.uint16()
    else if (token === 0xdf) size = this.uint32()
    else throw malformed('a Map is not made of entries')
    this.announce(size * 2)
    return this.entries(new Map(), size)
  }

  /** @param header How many bytes are before the type. */
  private extension(length: number, header: number): unknown {
    const start = this.advance(length + 1)
    const { source, at } = this
    switch (source[start]) {
      case BINARY:
        if (length > 0) return reviveBinary(source, start + 1, at)
        break
      case TIMESTAMP:
        return reviveDate(source, start + 1, at)
      case UTF16:
        if (length % 2 === 0) return source.toString('utf16le', start + 1, at)
        break
      case BIGINT:
        return reviveBigInt(source.subarray(start - header, at))
    }
    throw malformed('it has an extension that carom does not know')
  }
}

function cutShort(): Error {
  return malformed('it is cut short')
}
