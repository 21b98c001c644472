/** Strings from the bytes that Python has for them. */
import { isUtf8 } from 'node:buffer'
import { isAscii, LONG, latin1, SHORT, shortAscii, utf8 } from '../ascii.js'
import { malformed } from '../refusal.js'
import { LastView } from '../views.js'
import { decodeWtf8 } from './wtf8.js'

/** Slots for short strings that were read before. A power of two. */
const SLOTS = 1024

export class Texts {
  /** Those that are keys mostly come again, and are found faster than made. */
  private readonly slots: string[] = new Array(SLOTS).fill('')
  private readonly views = new LastView()

  /** The string of so many bytes, which must be there. */
  read(source: Buffer, start: number, length: number): string {
    if (length < SHORT) {
      const text = length === 0 ? '' : this.short(source, start, length)
      if (text !== undefined) return text
    } else if (length < LONG) {
      const view = this.views.ofKnown(source)
      if (view !== undefined && isAscii(view, start, length)) return latin1(source, start, start + length)
    }
    const text = utf8(source, start, start + length)
    // What Node writes in place of bytes that are no UTF-8 can also be meant.
    if (!text.includes('\ufffd')) return text
    const bytes = source.subarray(start, start + length)
    const whole = isUtf8(bytes) ? text : decodeWtf8(bytes)
    if (whole === undefined) throw malformed('a string is not UTF-8')
    return whole
  }

  /** A string of 1 to 15 bytes; `undefined` when they are not ASCII. */
  private short(source: Buffer, start: number, length: number): string | undefined {
    const last = start + length - 1
    const hash = (length * 7) ^ (source[start] * 31) ^ (source[start + (length >> 1)] * 17) ^ (source[last] * 131)
    const slot = hash & (SLOTS - 1)
    const known = this.slots[slot]
    if (known.length === length) {
      let i = 0
      while (i < length && known.charCodeAt(i) === source[start + i]) i++
      if (i === length) return known
    }
    const text = shortAscii(source, start, length)
    if (text !== undefined) this.slots[slot] = text
    return text
  }
}
