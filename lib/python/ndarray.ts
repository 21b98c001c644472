/** numpy's arrays: typed arrays that know their shape. */

/** A typed array of any class. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array

/** What numpy calls the type of its items. */
export type NDArrayType =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64'

/** A numpy array: its items one after the other, the last dimension being the one that changes fastest. */
export type NDArray<T extends TypedArray = TypedArray> = T & {
  /** How long it is in each dimension; `[]` for a single item. */
  readonly shape: readonly number[]
  /** `'bool'` for a `Uint8Array` of truth values; else the class says it. */
  readonly dtype: NDArrayType
}

const TYPES = new Map<string, NDArrayType>([
  ['Int8Array', 'int8'],
  ['Uint8Array', 'uint8'],
  ['Uint8ClampedArray', 'uint8'],
  ['Int16Array', 'int16'],
  ['Uint16Array', 'uint16'],
  ['Int32Array', 'int32'],
  ['Uint32Array', 'uint32'],
  ['BigInt64Array', 'int64'],
  ['BigUint64Array', 'uint64'],
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
])

/**
 * Gives a typed array a shape, so that `serializers.pickle` sends it as a numpy array: `ndarray(data, [2, 3])`. A plain
 * typed array is sent as one of a single dimension, but a `Uint8Array` (or `Buffer`) without a shape is `bytes`.
 *
 * @param shape A single dimension unless given.
 * @param dtype `'bool'` makes truth values of the bytes of a `Uint8Array`.
 * @returns Another view of the same memory, with `shape` and `dtype`.
 * @throws RangeError where the shape is not one of as many items.
 */
export function ndarray<T extends TypedArray>(data: T, shape?: readonly number[], dtype?: 'bool'): NDArray<T>
export function ndarray(data: TypedArray, shape: readonly number[] = [data.length], dtype?: 'bool'): NDArray {
  // Of a Buffer it is a Uint8Array that is wanted.
  const name = data[Symbol.toStringTag]
  const type = TYPES.get(name)
  if (type === undefined) throw new TypeError('An ndarray is made of a typed array')
  if (dtype === 'bool' && name !== 'Uint8Array') throw new TypeError('Truth values are the bytes of a Uint8Array')
  if (!shape.every(length => Number.isSafeInteger(length) && length >= 0))
    throw new RangeError('A shape is made of lengths')
  const size = shape.reduce((product, length) => product * length, 1)
  if (size !== data.length) throw new RangeError(`This shape has ${size} items, the typed array ${data.length}`)
  const Class = globalThis[name] as new (memory: ArrayBufferLike, offset: number, length: number) => TypedArray
  const view = new Class(data.buffer, data.byteOffset, data.length)
  return Object.assign(view, { shape: Object.freeze([...shape]), dtype: dtype ?? type })
}
