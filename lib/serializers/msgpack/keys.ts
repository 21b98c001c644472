/** Keys that were written lately, as the bytes they are on the wire: four words at most are stored, not each character. */

/** A power of two: in its slot, a key replaces another one, so that none of many different ones makes this grow. */
const SLOTS = 512
/** Of keys that have more characters, or others than ASCII, nothing is kept. */
export const MAX_KEY = 15

/** A slot. */
export class KnownKey {
  text = ''
  /** Of its bytes: little-endian, with the header, and zeros behind them. */
  a = 0xa0
  b = 0
  c = 0
  d = 0
  /** What came behind it last. */
  next: KnownKey = this
}

const slots = Array.from({ length: SLOTS }, () => new KnownKey())

/** A key's slot, in which it is now; `undefined` when it cannot be kept. */
export function knownKey(text: string): KnownKey | undefined {
  const { length } = text
  if (length === 0 || length > MAX_KEY) return
  const hash =
    (length * 7) ^ (text.charCodeAt(0) * 31) ^ (text.charCodeAt(length >> 1) * 17) ^ (text.charCodeAt(length - 1) * 131)
  const slot = slots[hash & (SLOTS - 1)]
  return slot.text === text || keep(slot, text) ? slot : undefined
}

function keep(slot: KnownKey, text: string): boolean {
  const words = [0xa0 | text.length, 0, 0, 0]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return false
    words[(i + 1) >> 2] |= code << (((i + 1) & 3) * 8)
  }
  slot.text = text
  ;[slot.a, slot.b, slot.c, slot.d] = words
  return true
}
