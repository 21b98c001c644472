/**
 * Python's values that JavaScript has no type for, as `serializers.pickle` reads and writes them. Each is named after
 * Python's type. Those that JavaScript has something close to extend that: a `Tuple` is an `Array`, an `OrderedDict` is
 * a `Map`. What comes from Python can be sent back, and is what it was.
 */
export { DefaultDict, Deque, type Factory, FrozenSet, OrderedDict, Tuple } from './containers.js'
export { type NDArray, type NDArrayType, ndarray, type TypedArray } from './ndarray.js'
export { Complex, Decimal, Float, Range } from './numbers.js'
export { Path, type PathKind, UUID } from './text.js'
export { Date, DateTime, Time, TimeDelta } from './time.js'
