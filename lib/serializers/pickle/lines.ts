/** What protocol 0 has on lines of text, in the notations of Python 2. */
import { malformed } from '../refusal.js'

const FLOATS = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['nan', Number.NaN],
  ['-nan', Number.NaN],
])

const ESCAPES = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['v', '\v'],
])

export function parseFloatLine(text: string): number {
  const special = FLOATS.get(text)
  if (special !== undefined) return special
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) throw malformed('a float is not one')
  return Number(text)
}

/** A string as Python 2 has it in its source: quoted, with a character for each byte. */
export function parseString(text: string): string {
  const quote = text[0]
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote)
    throw malformed('a string is not quoted')
  return text.slice(1, -1).replace(/\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/gi, (_, hex, octal, other) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
    return ESCAPES.get(other) ?? (/[\\'"]/.test(other) ? other : `\\${other}`)
  })
}

/** A string in Python's `raw-unicode-escape`. */
export function parseUnicode(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short, long) => {
    const code = Number.parseInt(short ?? long, 16)
    if (!(code <= 0x10ffff)) throw malformed('a string has a character that there is not')
    return String.fromCodePoint(code)
  })
}
