/** Short strings that were read before: those that are keys mostly come again, and are found faster than made. */
import { shortAscii } from '../ascii.js'

/** A power of two. */
const SLOTS = 1024

export class KeyCache {
  private readonly slots: string[] = new Array(SLOTS).fill('')

  /** A string of 1 to 15 bytes, which must be there; `undefined` when they are not ASCII. */
  read(source: Buffer, start: number, length: number): string | undefined {
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
