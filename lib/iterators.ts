/** Iterators over messages: objects, not generators, which cost twice as much for each message. */

/** Iterates over what `next` gives; leaving the loop ends the iterator and nothing else. */
export function asyncMessages<T>(next: () => Promise<IteratorResult<T, undefined>>): AsyncIterableIterator<T> {
  let left = false
  return {
    next: () => (left ? Promise.resolve({ value: undefined, done: true }) : next()),
    return: value => {
      left = true
      return Promise.resolve({ value, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** The same for the blocking form. */
export function syncMessages<T>(next: () => IteratorResult<T, undefined>): IterableIterator<T> {
  let left = false
  return {
    next: () => (left ? { value: undefined, done: true } : next()),
    return: value => {
      left = true
      return { value, done: true }
    },
    [Symbol.iterator]() {
      return this
    },
  }
}
