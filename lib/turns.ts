/** Sharing the event loop among operations that end at once. */
import { turn } from './native.js'

/** How many of them may follow one another before the event loop has its turn. */
const PER_TURN = 256

let counted = -1
let count = 0

/**
 * The promise of an operation that ends at once: from time to time one that settles when the event loop has had its
 * turn, so that a loop of awaited operations, none of which has to wait, does not keep everything else waiting.
 */
export function sharing<T>(promise: Promise<T>): Promise<T> {
  if (counted !== turn()) {
    counted = turn()
    count = 0
  }
  if (++count < PER_TURN) return promise
  // Nobody else looks at it until then.
  promise.catch(() => {})
  return new Promise(resolve =>
    setImmediate(() => {
      counted = -1
      resolve(promise)
    }),
  )
}
