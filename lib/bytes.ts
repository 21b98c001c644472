/** Bytes that users give, and bytes that they get. */
import { invalidArgType, invalidArgValue, outOfRange } from './errors.js'

/** Which part of a buffer to send. */
export interface ByteRange {
  /** First byte, from the start of the view. Default 0. */
  offset?: number | undefined
  /** Number of bytes. Default: all that remain. */
  size?: number | undefined
}

/** Anything that holds bytes. */
export type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer

/** A received message's bytes. A view: copy it (`Buffer.from(message)`) to keep a few bytes of it for long. */
export type ReceivedBytes = Buffer<ArrayBuffer>

/** The bytes that `buffer` holds, from `offset` on, `size` of them or all that remain. Not a copy. */
export function checkBytes(buffer: Bytes, offset = 0, size?: number): Uint8Array {
  const bytes = view(buffer)
  checkWithin('offset', offset, bytes.byteLength)
  const room = bytes.byteLength - offset
  if (size !== undefined) checkWithin('size', size, room)
  return offset === 0 && (size === undefined || size === room) ? bytes : bytes.subarray(offset, offset + (size ?? room))
}

function view(buffer: Bytes): Uint8Array {
  if (buffer instanceof Uint8Array) return buffer.byteLength > 0 ? buffer : checkAttached(buffer)
  try {
    if (ArrayBuffer.isView(buffer)) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return new Uint8Array(buffer)
  } catch {
    throw transferred()
  }
  throw invalidArgType('buf', 'an ArrayBufferView, ArrayBuffer or SharedArrayBuffer', buffer)
}

/** A view of what was transferred away looks like an empty one. */
function checkAttached(empty: Uint8Array): Uint8Array {
  try {
    new Uint8Array(empty.buffer)
  } catch {
    throw transferred()
  }
  return empty
}

function transferred(): TypeError {
  return invalidArgValue('buf', 'has been transferred away')
}

function checkWithin(name: string, value: number, limit: number): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'a number of bytes', value)
  if (!Number.isSafeInteger(value) || value < 0 || value > limit)
    throw outOfRange(name, `a whole number >= 0 and <= ${limit}`, value)
}
