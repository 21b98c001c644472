/** Writes the scalars of MessagePack, one after the other, into memory. */
import { Output, ROOM } from '../output.js'
import { tooLong } from '../refusal.js'
import { INVALID_DATE, msgpackr, TIMESTAMP, UTF16 } from './extension.js'
import { KnownKey, knownKey } from './keys.js'

/** The characters of shorter ASCII strings are copied here; for longer ones a call into Node is faster. */
const SHORT = 24

const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed()

/** What `Output` says of positions holds here, too. */
export class Writer extends Output {
  private lastKey = new KnownKey()

  /** A token and a number of 8 bits. */
  protected token8(token: number, value: number, at: number): number {
    const { target } = this
    target[at] = token
    target[at + 1] = value
    return at + 2
  }

  protected token16(token: number, value: number, at: number): number {
    const { target } = this
    target[at] = token
    target[at + 1] = value >> 8
    target[at + 2] = value
    return at + 3
  }

  protected token32(token: number, value: number, at: number): number {
    const { target } = this
    target[at] = token
    target[at + 1] = value >>> 24
    target[at + 2] = value >>> 16
    target[at + 3] = value >>> 8
    target[at + 4] = value
    return at + 5
  }

  /** A length behind the first of three tokens in a row, for 8, 16 and 32 bits. */
  protected length(token: number, length: number, at: number): number {
    if (length < 0x100) return this.token8(token, length, at)
    if (length < 0x10000) return this.token16(token + 1, length, at)
    if (length > 0xffffffff) throw tooLong()
    return this.token32(token + 2, length, at)
  }

  /** Says of what kind the next value is. */
  protected tag(type: number, at: number): number {
    const { target } = this
    target[at] = 0xd4
    target[at + 1] = type
    target[at + 2] = 0
    return at + 3
  }

  protected number(value: number, at: number): number {
    if (value === (value | 0)) {
      if (value >= 0) {
        if (value < 0x80) return this.byte(value, at)
        if (value < 0x100) return this.token8(0xcc, value, at)
        if (value < 0x10000) return this.token16(0xcd, value, at)
        return this.token32(0xce, value, at)
      }
      if (value >= -0x20) return this.byte(value, at)
      if (value >= -0x80) return this.token8(0xd0, value, at)
      if (value >= -0x8000) return this.token16(0xd1, value, at)
      return this.token32(0xd2, value, at)
    }
    if (value === value >>> 0) return this.token32(0xce, value, at)
    this.target[at] = 0xcb
    this.dataView().setFloat64(at + 1, value)
    return at + 9
  }

  /** 64 bits for a small one too, so that it arrives as a bigint. */
  protected bigint(value: bigint, at: number): number {
    if (value === BigInt.asIntN(64, value)) {
      this.target[at] = 0xd3
      this.dataView().setBigInt64(at + 1, value)
      return at + 9
    }
    if (value === BigInt.asUintN(64, value)) {
      this.target[at] = 0xcf
      this.dataView().setBigUint64(at + 1, value)
      return at + 9
    }
    return this.raw(msgpackr().pack(value), at)
  }

  /** @param time Milliseconds, as a Date has them. */
  protected date(time: number, at: number): number {
    this.makeRoom(at, 15)
    const view = this.dataView()
    if (Number.isNaN(time)) return this.byte(INVALID_DATE, this.token8(0xd4, TIMESTAMP, at))
    const seconds = Math.floor(time / 1000)
    const nanoseconds = (time - seconds * 1000) * 1e6
    if (nanoseconds === 0 && seconds >= 0 && seconds < 2 ** 32) {
      const body = this.token8(0xd6, TIMESTAMP, at)
      view.setUint32(body, seconds)
      return body + 4
    }
    if (seconds >= 0 && seconds < 2 ** 34) {
      const body = this.token8(0xd7, TIMESTAMP, at)
      view.setUint32(body, nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
      view.setUint32(body + 4, seconds)
      return body + 8
    }
    const body = this.byte(TIMESTAMP, this.token8(0xc7, 12, at))
    view.setUint32(body, nanoseconds)
    view.setBigInt64(body + 4, BigInt(seconds))
    return body + 12
  }

  protected string(text: string, at: number): number {
    const { length } = text
    if (length >= SHORT) return this.longString(text, at)
    if (at + length > this.limit) this.makeRoom(at, length + ROOM)
    const { target } = this
    target[at] = 0xa0 | length
    let next = at + 1
    let i = 0
    // Four at a time: each check and turn costs as much as a character.
    for (; i < length - 3; i += 4) {
      const a = text.charCodeAt(i)
      const b = text.charCodeAt(i + 1)
      const c = text.charCodeAt(i + 2)
      const d = text.charCodeAt(i + 3)
      if ((a | b | c | d) > 0x7f) return this.longString(text, at)
      target[next] = a
      target[next + 1] = b
      target[next + 2] = c
      target[next + 3] = d
      next += 4
    }
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return this.longString(text, at)
      target[next++] = code
    }
    return next
  }

  /** A string that is likely to come again, and behind the same one. */
  protected key(text: string, at: number): number {
    let known = this.lastKey.next
    if (known.text !== text) {
      const found = knownKey(text)
      if (found === undefined) return this.string(text, at)
      this.lastKey.next = found
      known = found
    }
    this.lastKey = known
    if (at > this.limit) this.makeRoom(at, ROOM)
    const view = this.view === undefined ? this.dataView() : this.view
    view.setInt32(at, known.a, true)
    view.setInt32(at + 4, known.b, true)
    if (text.length > 7) {
      view.setInt32(at + 8, known.c, true)
      view.setInt32(at + 12, known.d, true)
    }
    return at + 1 + text.length
  }

  private longString(text: string, at: number): number {
    // In UTF-8 a string is up to three times as long; only where that might not fit, it is measured.
    const room = this.target.length - at - 5
    if (text.length * 3 > room) this.makeRoom(at, Buffer.byteLength(text) + 5)
    const { target } = this
    const guessed = headerLength(text.length)
    const length = target.write(text, at + guessed, 'utf8')
    if (length !== text.length && !isWellFormed(text)) {
      return this.extension(UTF16, Buffer.from(text, 'utf16le'), at)
    }
    const header = headerLength(length)
    if (header !== guessed) target.copyWithin(at + header, at + guessed, at + guessed + length)
    if (length < 0x20) target[at] = 0xa0 | length
    else this.length(0xd9, length, at)
    return at + header + length
  }

  protected binary(bytes: Uint8Array, at: number): number {
    this.makeRoom(at, bytes.length + 5)
    return this.raw(bytes, this.length(0xc4, bytes.length, at))
  }

  /** @param first A byte that goes before the others. */
  protected extension(type: number, bytes: Uint8Array, at: number, first?: number): number {
    this.makeRoom(at, bytes.length + 7)
    const length = first === undefined ? bytes.length : bytes.length + 1
    const body = this.byte(type, this.length(0xc7, length, at))
    return this.raw(bytes, first === undefined ? body : this.byte(first, body))
  }
}

/** Of a string's header. */
function headerLength(length: number): number {
  return length < 0x20 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
}
