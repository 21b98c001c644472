/**
 * MessagePack, the default, in msgpackr's dialect. What is common is written and read here, what is rare is left to
 * msgpackr itself. Left to it all, a `Map` would arrive as an object (or an object as something that Python cannot
 * read), a cycle would fill the memory, a promise would be dropped and `__proto__` renamed; bytes made to do so could
 * keep it busy for ever; and its state is the program's, too. It is also slower: `bench/serializers.mjs`.
 */
import { Decoder } from './msgpack/decoder.js'
import { Encoder } from './msgpack/encoder.js'
import type { FastSerializer, Serializer } from './serializer.js'

/** Where `encode` writes. What fits is copied out of it, so that a small message never keeps a large buffer. */
const SCRATCH_LENGTH = 16384

const encoder = new Encoder()
const decoder = new Decoder()
let scratch: Buffer | undefined
/** The encoder is at work, and calls a getter: what that one encodes needs another encoder. */
let busy = false

function encode(value: unknown): Buffer {
  if (busy) return new Encoder().encode(value, Buffer.allocUnsafeSlow(SCRATCH_LENGTH))
  if (scratch === undefined) scratch = Buffer.allocUnsafeSlow(SCRATCH_LENGTH)
  busy = true
  try {
    const bytes = encoder.encode(value, scratch)
    return bytes.buffer === scratch.buffer ? Buffer.from(bytes) : bytes
  } finally {
    busy = false
  }
}

function decode(bytes: Uint8Array): unknown {
  const source = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return decodeFrom(source, 0, source.length)
}

function encodeInto(value: unknown, arena: Buffer, at: number): number {
  if (busy) return -1
  busy = true
  try {
    return encoder.encodeInto(value, arena, at)
  } finally {
    busy = false
  }
}

function decodeFrom(source: Buffer, start: number, end: number): unknown {
  return decoder.decodeFrom(source, start, end)
}

const serializer: Serializer = { encode, decode }
Object.defineProperties(serializer, { encodeInto: { value: encodeInto }, decodeFrom: { value: decodeFrom } })
/** Compact, fast, and what Python's `msgpack` reads and writes with its defaults. */
export const msgpack = Object.freeze(serializer) as FastSerializer
