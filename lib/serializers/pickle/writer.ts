/** Writes what pickle has opcodes for, one after the other, into memory. */
import { Output, ROOM } from '../output.js'
import { encodeWtf8 } from './wtf8.js'

/** The characters of shorter ASCII strings are copied here; for longer ones a call into Node is faster. */
const SHORT = 24

const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed()

/** What `Output` says of positions holds here, too. Numbers are little-endian, but for floats. */
export class Writer extends Output {
  /** An opcode with an argument of 8 bits. */
  protected opcode8(opcode: number, value: number, at: number): number {
    const { target } = this
    target[at] = opcode
    target[at + 1] = value
    return at + 2
  }

  protected opcode16(opcode: number, value: number, at: number): number {
    const { target } = this
    target[at] = opcode
    target[at + 1] = value
    target[at + 2] = value >> 8
    return at + 3
  }

  protected opcode32(opcode: number, value: number, at: number): number {
    const { target } = this
    target[at] = opcode
    target[at + 1] = value
    target[at + 2] = value >> 8
    target[at + 3] = value >> 16
    target[at + 4] = value >> 24
    return at + 5
  }

  /** An opcode with a length: one of three, for 8, 32 and 64 bits. */
  private length(opcodes: readonly [number, number, number], length: number, at: number): number {
    if (length < 0x100) return this.opcode8(opcodes[0], length, at)
    if (length < 0x100000000) return this.opcode32(opcodes[1], length, at)
    const next = this.opcode32(opcodes[2], length, at)
    this.dataView().setUint32(next, Math.floor(length / 0x100000000), true)
    return next + 4
  }

  protected number(value: number, at: number): number {
    if (value === (value | 0)) {
      if (value >= 0) {
        if (value < 0x100) return this.opcode8(0x4b, value, at) // BININT1
        if (value < 0x10000) return this.opcode16(0x4d, value, at) // BININT2
      }
      return this.opcode32(0x4a, value, at) // BININT
    }
    return Number.isSafeInteger(value) ? this.long(value, at) : this.float(value, at)
  }

  /** A number that is a safe integer, in 64 bits. */
  private long(value: number, at: number): number {
    const high = Math.floor(value / 0x100000000)
    const next = this.opcode8(0x8a, 8, at) // LONG1
    const view = this.dataView()
    view.setUint32(next, value - high * 0x100000000, true)
    view.setInt32(next + 4, high, true)
    return next + 8
  }

  protected float(value: number, at: number): number {
    this.target[at] = 0x47 // BINFLOAT
    this.dataView().setFloat64(at + 1, value)
    return at + 9
  }

  /** In as many bytes as two's complement needs. */
  protected bigint(value: bigint, at: number): number {
    if (value === BigInt.asIntN(64, value)) {
      const next = this.opcode8(0x8a, 8, at) // LONG1
      this.dataView().setBigInt64(next, value, true)
      return next + 8
    }
    // One bit is the sign's.
    const length = Math.floor(((value < 0n ? ~value : value).toString(16).length * 4) / 8) + 1
    const hex = BigInt.asUintN(length * 8, value)
      .toString(16)
      .padStart(length * 2, '0')
    this.makeRoom(at, length + 5)
    const next = length < 0x100 ? this.opcode8(0x8a, length, at) : this.opcode32(0x8b, length, at) // LONG1, LONG4
    const bytes = this.target.subarray(next, next + length)
    bytes.write(hex, 'hex')
    bytes.reverse()
    return next + length
  }

  protected string(text: string, at: number): number {
    const { length } = text
    if (length >= SHORT) return this.longString(text, at)
    if (at + length > this.limit) this.makeRoom(at, length + ROOM)
    const { target } = this
    let next = this.opcode8(0x8c, length, at) // SHORT_BINUNICODE
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return this.longString(text, at)
      target[next++] = code
    }
    return next
  }

  private longString(text: string, at: number): number {
    // In UTF-8 a string is up to three times as long; only where that might not fit, it is measured.
    const room = this.target.length - at - 9
    if (text.length * 3 > room) this.makeRoom(at, Buffer.byteLength(text) + 9)
    const { target } = this
    const guessed = headerLength(text.length)
    const length = target.write(text, at + guessed, 'utf8')
    if (length !== text.length && !isWellFormed(text)) return this.text(encodeWtf8(text), at)
    const header = headerLength(length)
    if (header !== guessed) target.copyWithin(at + header, at + guessed, at + guessed + length)
    this.length([0x8c, 0x58, 0x8d], length, at) // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
    return at + header + length
  }

  private text(bytes: Uint8Array, at: number): number {
    this.makeRoom(at, bytes.length + 9)
    return this.raw(bytes, this.length([0x8c, 0x58, 0x8d], bytes.length, at))
  }

  protected binary(bytes: Uint8Array, at: number): number {
    this.makeRoom(at, bytes.length + 9)
    return this.raw(bytes, this.length([0x43, 0x42, 0x8e], bytes.length, at)) // SHORT_BINBYTES, BINBYTES, BINBYTES8
  }
}

/** Of a string or of bytes. */
function headerLength(length: number): number {
  return length < 0x100 ? 2 : length < 0x100000000 ? 5 : 9
}
