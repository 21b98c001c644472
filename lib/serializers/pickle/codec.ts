/** The two halves, and the memory that `encode` writes to. */
import type { FastSerializer } from '../serializer.js'
import { Decoder } from './decoder.js'
import { Encoder } from './encoder.js'

/** Where `encode` writes. What fits is copied out of it, so that a small message never keeps a large buffer. */
const SCRATCH_LENGTH = 16384

const encoder = new Encoder()
const decoder = new Decoder()
const scratch = Buffer.allocUnsafeSlow(SCRATCH_LENGTH)
/** The encoder is at work, and calls a getter: what that one encodes needs another encoder. */
let busy = false

export const codec: FastSerializer = {
  encode(value) {
    if (busy) return new Encoder().encode(value, Buffer.allocUnsafeSlow(SCRATCH_LENGTH))
    busy = true
    try {
      const bytes = encoder.encode(value, scratch)
      return bytes.buffer === scratch.buffer ? Buffer.from(bytes) : bytes
    } finally {
      busy = false
    }
  },

  decode(bytes) {
    const source = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return decoder.decodeFrom(source, 0, source.length)
  },

  encodeInto(value, arena, at) {
    if (busy) return -1
    busy = true
    try {
      return encoder.encodeInto(value, arena, at)
    } finally {
      busy = false
    }
  },

  decodeFrom(source, start, end) {
    return decoder.decodeFrom(source, start, end)
  },
}
