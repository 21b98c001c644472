/**
 * The msgpack extensions, which are msgpackr's wherever it has one, so that its users can read what carom writes.
 *
 * A tag (a fixext 1 whose byte is 0) says what to make of the value that follows it. The others hold their bytes.
 */
import type { Packr } from 'msgpackr'

/** Extension types. Those that msgpackr does not have are marked. */
export const UNDEFINED = 0x00
export const ERROR = 0x65
export const REGEXP = 0x78
export const SET = 0x73
/** Not msgpackr's. A `Map` whose first key is a string; with another one, nothing but a `Map` can be meant. */
export const MAP = 0x4d
/** Not msgpackr's. A `Number`, `String`, `Boolean` or `BigInt` object. */
export const BOXED = 0x50
/** Not msgpackr's. A string that has no UTF-8, for it holds half of a surrogate pair: as UTF-16, little-endian. */
export const UTF16 = 0x75
export const BINARY = 0x74
export const BIGINT = 0x42
/** MessagePack's own: -1, in a byte. */
export const TIMESTAMP = 0xff

/** The one byte of a timestamp that stands for a Date without a time. */
export const INVALID_DATE = 0xff

/** A `BINARY` begins with its class: the place in this list, or one of the two after it. */
export const TYPED_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const
export const ARRAY_BUFFER = 0x10
export const DATA_VIEW = 0x11

/** What of an error has a place of its own; everything else is in the properties behind it. */
export const ERROR_FIELDS: ReadonlySet<string> = new Set(['name', 'message', 'cause', 'stack'])

let packr: Packr | undefined

/**
 * msgpackr itself, which writes and reads what is too rare to have code here: `BIGINT`. Loaded when the first one comes. This build
 * of it shares no state with the `msgpackr` that a program imports (its extensions, its place in its memory), has no native part to load,
 * and never compiles code out of what it reads.
 */
export function msgpackr(): Packr {
  if (packr === undefined) {
    const { Packr } = require('msgpackr/index-no-eval') as typeof import('msgpackr')
    packr = new Packr({ useRecords: false, useBigIntExtension: true })
  }
  return packr
}
