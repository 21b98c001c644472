/** The rows of the contract's error table, for `t.throws` and `t.throwsAsync`. */
import type { ThrowsExpectation } from 'ava'
import {
  BufferTooShortError,
  ClosedError,
  EOFError,
  MessageTooLongError,
  SerializerError,
  TimeoutError,
  WouldBlockError,
} from 'carom'

function row<E extends Error>(errorClass: { prototype: E; name: string }, code: string): ThrowsExpectation<E> {
  // The cast: carom's classes have private constructors, which ava's types do not expect.
  return { instanceOf: errorClass, name: errorClass.name, code } as unknown as ThrowsExpectation<E>
}

export const endOfStream = row(EOFError, 'ERR_CAROM_EOF')
export const truncated = row(EOFError, 'ERR_CAROM_TRUNCATED')
export const closed = row(ClosedError, 'ERR_CAROM_CLOSED')
export const notWritable = row(TypeError, 'ERR_CAROM_NOT_WRITABLE')
export const notReadable = row(TypeError, 'ERR_CAROM_NOT_READABLE')
export const tooLong = row(MessageTooLongError, 'ERR_CAROM_MESSAGE_TOO_LONG')
export const tooShort = row(BufferTooShortError, 'ERR_CAROM_BUFFER_TOO_SHORT')
export const notEncodable = row(SerializerError, 'ERR_CAROM_ENCODE')
export const notDecodable = row(SerializerError, 'ERR_CAROM_DECODE')
export const timedOut = row(TimeoutError, 'ERR_CAROM_TIMEOUT')
export const wouldBlock = row(WouldBlockError, 'EAGAIN')
export const busy = row(Error, 'ERR_CAROM_BUSY')
export const wrongType = row(TypeError, 'ERR_INVALID_ARG_TYPE')
export const wrongValue = row(TypeError, 'ERR_INVALID_ARG_VALUE')
export const outOfRange = row(RangeError, 'ERR_OUT_OF_RANGE')
