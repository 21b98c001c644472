/** Makes the objects that msgpack has no type for out of what was read. It may be anything: nothing is believed. */
import { define } from '../define.js'
import { malformed } from '../refusal.js'
import { ARRAY_BUFFER, DATA_VIEW, ERROR_FIELDS, INVALID_DATE, msgpackr, TYPED_ARRAYS } from './extension.js'

/** Only these are constructed by the name that a peer sends. */
const ERROR_CLASSES = new Map<string, ErrorConstructor>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(c => [c.name, c]),
)

export function reviveSet(values: unknown): Set<unknown> {
  if (!Array.isArray(values)) throw malformed('a Set is not made of values')
  return new Set(values)
}

export function reviveBoxed(primitive: unknown): object {
  if (primitive === undefined || primitive === null || typeof primitive === 'object') {
    throw malformed('a boxed primitive is not made of one')
  }
  return Object(primitive)
}

export function reviveRegExp(parts: unknown): RegExp {
  try {
    const [source, flags] = parts as [unknown, unknown]
    if (typeof source === 'string' && typeof flags === 'string') return new RegExp(source, flags)
  } catch {
    // The engine's text has the source in it.
  }
  throw malformed('a regular expression is not one')
}

/** @param fields See `ERROR_FIELDS`; msgpackr sends the first three. */
export function reviveError(fields: unknown): Error {
  if (!Array.isArray(fields)) throw malformed('an error is not made of fields')
  const [name, message, cause, stack, others] = fields
  if (typeof name !== 'string' || typeof message !== 'string') throw malformed('an error has no name or message')
  const isAggregate = name === 'AggregateError'
  const error = isAggregate ? new AggregateError([], message) : new (ERROR_CLASSES.get(name) ?? Error)(message)
  if (error.name !== name) define(error, 'name', name, false)
  if (cause !== undefined) define(error, 'cause', cause, false)
  if (typeof stack === 'string') define(error, 'stack', stack, false)
  for (const [key, value] of Object.entries(others ?? {})) {
    if (ERROR_FIELDS.has(key)) throw malformed('an error has a field among its other properties')
    define(error, key, value, !(isAggregate && key === 'errors'))
  }
  return error
}

/** @param start Where the byte is that names the class; the rest goes up to `end`. */
export function reviveBinary(source: Buffer, start: number, end: number): object {
  const code = source[start]
  const length = end - start - 1
  // Memory of its own: no part of the pool, and aligned.
  const copy = Buffer.allocUnsafeSlow(length)
  source.copy(copy, 0, start + 1, end)
  const { buffer } = copy
  if (code === ARRAY_BUFFER) return buffer
  if (code === DATA_VIEW) return new DataView(buffer)
  const TypedArray = TYPED_ARRAYS[code]
  if (TypedArray === undefined || length % TypedArray.BYTES_PER_ELEMENT !== 0)
    throw malformed('a typed array is not one')
  return new TypedArray(buffer)
}

/** @param start Where the time begins, in one of the three forms that MessagePack has for it; it goes up to `end`. */
export function reviveDate(source: Buffer, start: number, end: number): Date {
  switch (end - start) {
    case 1:
      if (source[start] === INVALID_DATE) return new Date(Number.NaN)
      break
    case 4:
      return new Date(source.readUInt32BE(start) * 1000)
    case 8: {
      const high = source.readUInt32BE(start)
      return dateOf((high & 3) * 2 ** 32 + source.readUInt32BE(start + 4), high >>> 2)
    }
    case 12:
      return dateOf(Number(source.readBigInt64BE(start + 4)), source.readUInt32BE(start))
  }
  throw malformed('a timestamp is not one')
}

function dateOf(seconds: number, nanoseconds: number): Date {
  if (nanoseconds > 999_999_999) throw malformed('a timestamp is not one')
  return new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6))
}

/** @param bytes With its header. */
export function reviveBigInt(bytes: Buffer): bigint {
  try {
    // A copy, because msgpackr keeps what it has read last.
    return msgpackr().unpack(Buffer.from(bytes))
  } catch {
    throw malformed('a bigint is not one')
  }
}
