/** How long a send may wait, and which part of a buffer it sends. */
import { type AsyncOptions, checkOptions, checkSignal, checkTimeout } from './arguments.js'
import type { ByteRange } from './bytes.js'

/** How long an operation may wait. */
export interface Terms {
  /** Milliseconds, at least 0. */
  readonly timeout: number
  /** No limit was given, so that a non-blocking end fails at once. */
  readonly byDefault: boolean
  readonly signal?: AbortSignal | undefined
}

const unlimited: Terms = { timeout: Number.POSITIVE_INFINITY, byDefault: true }

/** From a user's options, checked. @throws also the reason of a signal that is aborted. */
export function terms(options: AsyncOptions | undefined): Terms {
  if (checkOptions(options) === undefined) return unlimited
  const { timeout, signal } = options as AsyncOptions
  const checked = { timeout: checkTimeout(timeout), byDefault: timeout === undefined, signal: checkSignal(signal) }
  if (signal?.aborted) throw signal.reason
  return checked
}

/** The range, where positional arguments may stand in its place. */
export function rangeOf(
  offset: number | (AsyncOptions & ByteRange) | undefined,
  size: number | undefined,
): (AsyncOptions & ByteRange) | undefined {
  if (typeof offset === 'object' && offset !== null) return offset
  return offset === undefined && size === undefined ? undefined : { offset, size }
}
