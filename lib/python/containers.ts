/** Python's containers besides list, dict and set. */

/**
 * A tuple: an array in all respects but that Python gets a tuple. `Tuple.of(1, 'a')` and `Tuple.from(values)` make one;
 * what `map` and its like give is a plain array.
 */
export class Tuple<T = unknown> extends Array<T> {
  /** What `map` and its like make: a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }
}

/** A `collections.deque`: an array, of which Python keeps `maxlen` items. */
export class Deque<T = unknown> extends Array<T> {
  /** What `map` and its like make: a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }
  /** How many items Python keeps at most; `null`: all. Nothing holds this array to it. */
  maxlen: number | null = null
}

/** A frozenset: a set that Python can have in another set, or as a key. Nothing keeps it from being changed here. */
export class FrozenSet<T = unknown> extends Set<T> {}

/** A `collections.OrderedDict`, whatever its keys are. */
export class OrderedDict<K = unknown, V = unknown> extends Map<K, V> {}

/** What a `defaultdict` makes its values with, by the name that Python has for it; `null`: it makes none. */
export type Factory =
  | 'list'
  | 'dict'
  | 'set'
  | 'tuple'
  | 'frozenset'
  | 'int'
  | 'float'
  | 'complex'
  | 'bool'
  | 'str'
  | 'bytes'
  | 'bytearray'
  | 'collections.OrderedDict'
  | 'collections.deque'
  | 'decimal.Decimal'
  | null

/** A `collections.defaultdict`. Only Python makes the values that are missing: `get` gives `undefined` for them. */
export class DefaultDict<K = unknown, V = unknown> extends Map<K, V> {
  /** What makes the values that are missing, in Python. */
  readonly factory: Factory
  constructor(factory: Factory, entries?: Iterable<readonly [K, V]> | null) {
    super(entries)
    this.factory = factory
  }
}
