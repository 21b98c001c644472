/**
 * The extensions of MessagePack in use, which are msgpackr's wherever it has one: its users can read what carom writes.
 * Some are tags (one byte of data, 0) and say what to make of the value that follows; the others hold their bytes.
 */
import type { Packr } from 'msgpackr'

/** A tag with nothing behind it. */
export const UNDEFINED = 0x00
/** Tags an array: see `ERROR_FIELDS`. */
export const ERROR = 0x65
/** Tags an array of the source and the flags. */
export const REGEXP = 0x78
/** Tags an array. */
export const SET = 0x73
/** Tags a map that could be taken for an object: an empty one, or one whose first key is a string. Not msgpackr's. */
export const MAP = 0x4d
/** Tags the value of a `Number`, `String`, `Boolean` or `BigInt` object. Not msgpackr's. */
export const BOXED = 0x50

/** A bigint beyond 64 bits, in two's complement. */
export const BIGINT = 0x42
/** A byte that says of which class, and its memory: see `TYPED_ARRAYS`. */
export const BINARY = 0x74
/** A string with half a surrogate pair in it, which has no UTF-8: as UTF-16, little-endian. Not msgpackr's. */
export const UTF16 = 0x75
/** A Date. MessagePack's own: -1, as a byte. */
export const TIMESTAMP = 0xff

/** The one byte of a timestamp that stands for a Date that is invalid. */
export const INVALID_DATE = 0xff

/** What the first byte of `BINARY` says: a place in this list, or one of the two below it. */
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

/** An error's fields are these, in the order name, message, cause, stack, and an object of its other properties. */
export const ERROR_FIELDS: ReadonlySet<string> = new Set(['name', 'message', 'cause', 'stack'])

let packr: Packr | undefined

/**
 * msgpackr itself, loaded when the first value comes that is too rare to have code here: `BIGINT`. This build shares no
 * state with the one that a program imports (extensions, the memory that it writes to), has no native part to load, and
 * never compiles what it reads.
 */
export function msgpackr(): Packr {
  if (packr === undefined) {
    const { Packr } = require('msgpackr/index-no-eval') as typeof import('msgpackr')
    packr = new Packr({ useRecords: false, useBigIntExtension: true })
  }
  return packr
}
