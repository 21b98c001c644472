/** What a receive asks for: of which kind, how long at most, and where it goes. */
import { type AsyncOptions, checkLength, checkOptions } from './arguments.js'
import { type Bytes, checkBytes } from './bytes.js'

/** What is wanted of the next message. */
export interface Want {
  readonly kind: 'value' | 'bytes' | 'into' | 'poll'
  /** The longest message that is taken, in bytes. */
  readonly maxLength: number
  /** Where the message goes, with `into`. */
  readonly target: Uint8Array | undefined
  /** Settle as an iterator's `next`: the end of the stream, and of this end, is its end. */
  readonly iterate: boolean
}

/** Makes them all of one shape, which is what keeps the hot path fast. */
export function want(
  kind: Want['kind'],
  maxLength = Number.POSITIVE_INFINITY,
  target?: Uint8Array,
  iterate = false,
): Want {
  return { kind, maxLength, target, iterate }
}

/** The same, for an iterator. */
export function eachOf({ kind, maxLength, target }: Want): Want {
  return want(kind, maxLength, target, true)
}

/** What `recv` and `recvBytes` ask for, and an iterator over values. */
export const anyValue = want('value')
export const anyBytes = want('bytes')
export const nextValue = eachOf(anyValue)
/** What `poll` asks for: that a message is there, not the message. */
export const aMessage = want('poll')

/** The options object, where a positional argument may stand in its place. */
export function optionsOf<T extends object>(options: number | T | undefined): T | undefined {
  return typeof options === 'number' ? undefined : options
}

/** What `recvBytes` asks for. */
export function bytesWanted(maxLength: number | { maxLength?: number | undefined } | undefined): Want {
  const limit = typeof maxLength === 'number' ? maxLength : checkOptions(maxLength, 'maxLength')?.maxLength
  if (limit === undefined) return anyBytes
  return want('bytes', checkLength('maxLength', limit))
}

/** What `recvBytesInto` asks for. */
export function intoWanted(buf: Bytes, offset: number | { offset?: number | undefined } | undefined): Want {
  const from = typeof offset === 'number' ? offset : checkOptions(offset, 'offset')?.offset
  return want('into', Number.POSITIVE_INFINITY, checkBytes(buf, from))
}

/** The options of `poll`, which does not wait unless it is told to. */
export function pollOptions(timeout: number | AsyncOptions | undefined): AsyncOptions {
  if (typeof timeout === 'number') return { timeout }
  const options = checkOptions(timeout, 'timeout')
  return { timeout: options?.timeout ?? 0, signal: options?.signal }
}
