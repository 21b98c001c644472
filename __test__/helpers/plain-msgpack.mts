/** MessagePack as its specification has it, for JSON's values, without a thought of speed: what carom's is compared with. */

export type Json = null | boolean | number | string | Json[] | Properties
/** An object by its properties in the order in which they are written: a key can come twice, and be `__proto__`. */
export class Properties {
  readonly entries: [string, Json][]
  constructor(entries: [string, Json][]) {
    this.entries = entries
  }
}

export function encode(value: Json): Buffer {
  if (value === null) return Buffer.of(0xc0)
  if (typeof value === 'boolean') return Buffer.of(value ? 0xc3 : 0xc2)
  if (typeof value === 'number') return encodeNumber(value)
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return Buffer.concat([bytes.length < 32 ? Buffer.of(0xa0 | bytes.length) : header(0xd9, bytes.length), bytes])
  }
  if (Array.isArray(value)) {
    const { length } = value
    return Buffer.concat([length < 16 ? Buffer.of(0x90 | length) : header(0xdb, length), ...value.map(encode)])
  }
  const size = value.entries.length
  const parts = value.entries.flatMap(([key, item]) => [encode(key), encode(item)])
  return Buffer.concat([size < 16 ? Buffer.of(0x80 | size) : header(0xdd, size), ...parts])
}

function encodeNumber(value: number): Buffer {
  const float = Buffer.alloc(9, 0xcb)
  float.writeDoubleBE(value, 1)
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 32) return float
  if (value >= -32 && value < 128) return Buffer.of(value & 0xff)
  const size =
    value >= 0 ? [1, 2, 4].find(size => value < 256 ** size) : [1, 2, 4].find(size => value >= -(256 ** size) / 2)
  const bytes = Buffer.alloc(1 + (size as number), (value >= 0 ? 0xcc : 0xd0) + Math.log2(size as number))
  for (let i = bytes.length - 1, rest = value; i > 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest & 0xff
  return bytes
}

/** @param token The one for 8 bits, or that would be. */
function header(token: number, length: number): Buffer {
  if (token === 0xd9 && length < 0x100) return Buffer.of(token, length)
  if (length < 0x10000) return Buffer.of(token + 1, length >> 8, length)
  return Buffer.of(token + 2, length >>> 24, length >>> 16, length >>> 8, length)
}

/** What is to arrive. */
export function arriving(value: Json): unknown {
  if (Array.isArray(value)) return value.map(arriving)
  if (!(value instanceof Properties)) return value
  const object = {}
  for (const [key, item] of value.entries) {
    Object.defineProperty(object, key, { value: arriving(item), enumerable: true, writable: true, configurable: true })
  }
  return object
}
