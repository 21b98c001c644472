const { fromCharCode } = String

/** Strings of fewer bytes are made here; beyond it a call into Node is faster. */
export const SHORT = 16
/** Of strings of fewer bytes than this it is worth knowing that they are ASCII. */
export const LONG = 64

type Slice = (source: Buffer, start: number, end: number) => string
// What `toString` calls, without what it does before.
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as Record<string, (start: number, end: number) => string>
export const latin1: Slice = (source, start, end) => latin1Slice.call(source, start, end)
export const utf8: Slice = (source, start, end) => utf8Slice.call(source, start, end)

/** Whether there is nothing but ASCII in at least four bytes, which must be there. */
export function isAscii(view: DataView, at: number, length: number): boolean {
  const last = at + length - 4
  let bits = view.getInt32(last)
  for (let i = at; i < last; i += 4) bits |= view.getInt32(i)
  return (bits & 0x80808080) === 0
}

/**
 * A string of fewer than `SHORT` bytes, which must be there; `undefined` when they are not ASCII. Spelled out, because
 * `fromCharCode` with a known number of arguments takes 15 ns, and anything with a loop three times that.
 */
export function shortAscii(source: Buffer, at: number, length: number): string | undefined {
  if (length < 4) {
    if (length === 0) return ''
    const a = source[at]
    if (length === 1) return a < 0x80 ? fromCharCode(a) : undefined
    const b = source[at + 1]
    if (length === 2) return (a | b) < 0x80 ? fromCharCode(a, b) : undefined
    const c = source[at + 2]
    return (a | b | c) < 0x80 ? fromCharCode(a, b, c) : undefined
  }
  const a = source[at]
  const b = source[at + 1]
  const c = source[at + 2]
  const d = source[at + 3]
  if ((a | b | c | d) > 0x7f) return
  if (length === 4) return fromCharCode(a, b, c, d)
  const e = source[at + 4]
  if (length === 5) return e < 0x80 ? fromCharCode(a, b, c, d, e) : undefined
  const f = source[at + 5]
  if (length === 6) return (e | f) < 0x80 ? fromCharCode(a, b, c, d, e, f) : undefined
  const g = source[at + 6]
  if (length === 7) return (e | f | g) < 0x80 ? fromCharCode(a, b, c, d, e, f, g) : undefined
  const h = source[at + 7]
  if ((e | f | g | h) > 0x7f) return
  if (length === 8) return fromCharCode(a, b, c, d, e, f, g, h)
  const i = source[at + 8]
  if (length === 9) return i < 0x80 ? fromCharCode(a, b, c, d, e, f, g, h, i) : undefined
  const j = source[at + 9]
  if (length === 10) return (i | j) < 0x80 ? fromCharCode(a, b, c, d, e, f, g, h, i, j) : undefined
  const k = source[at + 10]
  if (length === 11) return (i | j | k) < 0x80 ? fromCharCode(a, b, c, d, e, f, g, h, i, j, k) : undefined
  const l = source[at + 11]
  if ((i | j | k | l) > 0x7f) return
  if (length === 12) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l)
  const m = source[at + 12]
  if (length === 13) return m < 0x80 ? fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m) : undefined
  const n = source[at + 13]
  if (length === 14) return (m | n) < 0x80 ? fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n) : undefined
  const o = source[at + 14]
  return (m | n | o) < 0x80 ? fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o) : undefined
}
