/**
 * MessagePack, the default. It is msgpackr's dialect, and msgpackr writes the rare values. The common ones are written and read here: msgpackr
 * does not tell a `Map` from an object without records, which Python could not read, follows cycles until memory ends,
 * drops functions and renames `__proto__`, jumps backwards on bytes that say so, and has its state in common with the program's own use of it.
 */
import { Decoder } from './msgpack/decoder.js'
import { Encoder } from './msgpack/encoder.js'
import type { FastSerializer } from './serializer.js'

/** Where `encode` begins; what fits is copied out, so that a small message never takes a large buffer. */
const SCRATCH_LENGTH = 16384

const encoder = new Encoder()
const decoder = new Decoder()
let scratch: Buffer | undefined
/** How many encodings are under way, each begun by a getter in the one before. */
let encodings = 0

export const msgpack: FastSerializer = Object.freeze({
  encode(value: unknown): Buffer {
    if (encodings > 0) return new Encoder().encode(value, Buffer.allocUnsafeSlow(SCRATCH_LENGTH))
    scratch ??= Buffer.allocUnsafeSlow(SCRATCH_LENGTH)
    encodings++
    try {
      const bytes = encoder.encode(value, scratch)
      return bytes.buffer === scratch.buffer ? Buffer.from(bytes) : bytes
    } finally {
      encodings--
    }
  },

  decode(bytes: Uint8Array): unknown {
    const source = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return decoder.decodeFrom(source, 0, source.length)
  },

  encodeInto(value: unknown, arena: Buffer, at: number): number {
    if (encodings > 0) return -1
    encodings++
    try {
      return encoder.encodeInto(value, arena, at)
    } finally {
      encodings--
    }
  },

  decodeFrom(source: Buffer, start: number, end: number): unknown {
    return decoder.decodeFrom(source, start, end)
  },
})
