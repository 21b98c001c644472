/** Checks of what users give, before anything is done with it. */
import { invalidArgType, outOfRange } from './errors.js'

/** A limit for one operation of the blocking kind. */
export interface SyncOptions {
  /** Milliseconds; 0: only what is there now; `undefined` or `Infinity`: no limit. */
  timeout?: number | undefined
}

/** A limit for one operation of the async kind. */
export interface AsyncOptions extends SyncOptions {
  /** Rejects with `signal.reason`; an aborted receive takes no message, an aborted send sent all or nothing. */
  signal?: AbortSignal | undefined
}

/** An options object; none at all is an empty one. */
export function checkOptions<T extends object>(options: T | undefined, name = 'options'): T | undefined {
  if (options !== undefined && (typeof options !== 'object' || options === null))
    throw invalidArgType(name, 'an object', options)
  return options
}

/** Milliseconds, at least 0; `undefined` becomes `Infinity`. */
export function checkTimeout(timeout: number | undefined): number {
  if (timeout === undefined) return Number.POSITIVE_INFINITY
  if (typeof timeout !== 'number') throw invalidArgType('timeout', 'a number of milliseconds', timeout)
  if (Number.isNaN(timeout)) throw outOfRange('timeout', 'a number of milliseconds', timeout)
  return Math.max(timeout, 0)
}

/** A signal, or none. Does not look whether it is aborted. */
export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    throw invalidArgType('signal', 'an AbortSignal', signal)
  return signal
}

/** A whole number of bytes; `Infinity` becomes the largest. */
export function checkLength(name: string, length: number): number {
  if (typeof length !== 'number') throw invalidArgType(name, 'a number of bytes', length)
  if (length === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER
  if (!Number.isSafeInteger(length) || length < 0) throw outOfRange(name, 'a whole number >= 0', length)
  return length
}

/** A flag, or its default. */
export function checkBoolean(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined) return byDefault
  if (typeof value !== 'boolean') throw invalidArgType(name, 'true or false', value)
  return value
}

/** A whole number in a range, or its default. */
export function checkCount(
  name: string,
  value: number | undefined,
  byDefault: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return byDefault
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value)
  if (!Number.isInteger(value) || value < min || value > max)
    throw outOfRange(name, `a whole number >= ${min} and <= ${max}`, value)
  return value
}

/** A limit in its two forms: milliseconds, or an options object. */
export function limitOf(limit: number | AsyncOptions | undefined): AsyncOptions {
  return typeof limit === 'object' ? (checkOptions(limit) ?? {}) : { timeout: limit }
}
