/**
 * Why a serializer refuses. These become causes of `SerializerError`, so no text may hold a value, a key or a byte:
 * where an engine's own error would echo them, one of these stands in for it.
 */

/** @param what Begins the sentence: `A function`. */
export function cannotBeSent(what: string): Error {
  return new Error(`${what} cannot be sent`)
}

/** @param what Begins the sentence: `A Map`. */
export function changedMeanwhile(what: string): Error {
  return new Error(`${what} changed while it was being sent`)
}

/** The value contains itself. */
export function cyclic(): Error {
  return new Error('A value that contains itself cannot be sent: serializers.v8 carries cycles')
}

/** The message would not fit into a Buffer. */
export function tooLong(): Error {
  return new Error('The value is too large for one message')
}

/** @param why What is wrong with the message. */
export function malformed(why: string): Error {
  return new Error(`The message cannot be read: ${why}`)
}

/** Passes an error on, except for a stack overflow, which says nothing about the value that caused it. */
export function explain(error: unknown): unknown {
  const overflow = error instanceof RangeError && error.message.startsWith('Maximum call stack size')
  return overflow ? new Error('The value is nested too deeply') : error
}
