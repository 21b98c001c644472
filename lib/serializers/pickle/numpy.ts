/** numpy's arrays and their types, as they are in a pickle. */
import { endianness } from 'node:os'
import * as python from '../../python/index.js'
import { cannotBeSent, malformed } from '../refusal.js'

/** How this machine writes numbers of several bytes, as numpy has it. */
export const ORDER = endianness() === 'LE' ? '<' : '>'

/** numpy has no more. */
const MAX_DIMENSIONS = 64

type Make = (memory: ArrayBuffer) => python.TypedArray

/** The types that have a typed array, by the code that numpy has for them. */
const TYPES = new Map<string, Make>([
  ['b1', memory => new Uint8Array(memory)],
  ['i1', memory => new Int8Array(memory)],
  ['u1', memory => new Uint8Array(memory)],
  ['i2', memory => new Int16Array(memory)],
  ['u2', memory => new Uint16Array(memory)],
  ['i4', memory => new Int32Array(memory)],
  ['u4', memory => new Uint32Array(memory)],
  ['i8', memory => new BigInt64Array(memory)],
  ['u8', memory => new BigUint64Array(memory)],
  // There is no typed array of them everywhere; in these they are what they were.
  ['f2', memory => Float32Array.from(new Uint16Array(memory), fromHalf)],
  ['f4', memory => new Float32Array(memory)],
  ['f8', memory => new Float64Array(memory)],
])

const CODES = new Map<string | undefined, string>([
  ['Int8Array', 'i1'],
  ['Uint8Array', 'u1'],
  ['Uint8ClampedArray', 'u1'],
  ['Int16Array', 'i2'],
  ['Uint16Array', 'u2'],
  ['Int32Array', 'i4'],
  ['Uint32Array', 'u4'],
  ['BigInt64Array', 'i8'],
  ['BigUint64Array', 'u8'],
  ['Float32Array', 'f4'],
  ['Float64Array', 'f8'],
])

/** numpy's code for the items of a typed array. @param name Of its class. @param dtype What it says of itself. */
export function dtypeOf(name: string | undefined, dtype: string | undefined): string {
  if (name === 'Uint8Array' && dtype === 'bool') return 'b1'
  const code = CODES.get(name)
  if (code === undefined) throw cannotBeSent('A typed array of this class')
  return code
}

/** In which order items lie: the last dimension changing fastest, the first one, or the dimensions in this order. */
export type Layout = 'C' | 'F' | readonly unknown[]

/**
 * @param code Of the type, without the order of bytes.
 * @param order `<`, `>`, or anything for items of one byte.
 * @param shape With dimensions in an order of their own: as the items lie, not as they are to be.
 */
export function reviveNdarray(
  code: string,
  order: string,
  shape: readonly unknown[],
  layout: Layout,
  bytes: Buffer,
): python.NDArray {
  const make = TYPES.get(code)
  if (make === undefined) throw malformed('a numpy array has items of a type that has no typed array')
  const lengths = shape.map(length => {
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0)
      throw malformed('a numpy array has no shape')
    return length
  })
  if (lengths.length > MAX_DIMENSIONS) throw malformed('a numpy array has too many dimensions')
  const size = Number(code[1])
  if (lengths.reduce((product, length) => product * length, size) !== bytes.length)
    throw malformed('a numpy array is not as long as its shape')
  const swapped = size > 1 && order !== ORDER
  const memory = ownMemory(bytes, swapped)
  if (swapped) swap(Buffer.from(memory), size)
  const items = make(memory)
  const dtype = code === 'b1' ? 'bool' : undefined
  if (layout === 'C') return python.ndarray(items, lengths, dtype)
  if (layout === 'F') return python.ndarray(reorder(items, lengths, stridesOf(lengths)), lengths, dtype)
  const axes = axesOf(layout, lengths.length)
  const strides = stridesOf(lengths.toReversed()).reverse()
  const turned = axes.map(axis => lengths[axis])
  const inOrder = axes.map(axis => strides[axis])
  return python.ndarray(reorder(items, turned, inOrder), turned, dtype)
}

/** A single item, as JavaScript has it. */
export function reviveScalar(code: string, order: string, bytes: Buffer): unknown {
  const [item] = reviveNdarray(code, order, [1], 'C', bytes)
  if (code === 'b1') return item !== 0
  return typeof item === 'bigint' && BigInt(Number(item)) === item && Number.isSafeInteger(Number(item))
    ? Number(item)
    : item
}

/** Memory that holds the bytes and nothing else. @param fresh Not that of the bytes, even if it is such. */
function ownMemory(bytes: Buffer, fresh: boolean): ArrayBuffer {
  const { buffer, byteOffset, length } = bytes
  if (!fresh && buffer.byteLength === length) return buffer as ArrayBuffer
  return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + length)
}

/** The number that 16 bits stand for. */
function fromHalf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (0x400 + fraction) * 2 ** (exponent - 25)
}

function swap(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16()
  else if (size === 4) bytes.swap32()
  else bytes.swap64()
}

function axesOf(layout: readonly unknown[], dimensions: number): number[] {
  const axes = new Set(layout as readonly number[])
  const isWhole = layout.length === dimensions && axes.size === dimensions
  if (!isWhole || ![...axes].every(axis => Number.isInteger(axis) && axis >= 0 && axis < dimensions))
    throw malformed('a numpy array has no order of dimensions')
  return [...axes]
}

/** How many items apart the next one in each dimension is, if the first dimension changes fastest. */
function stridesOf(lengths: readonly number[]): number[] {
  let stride = 1
  return lengths.map(length => {
    const own = stride
    stride *= length
    return own
  })
}

/** The same items, with the last dimension of that shape changing fastest. */
function reorder(items: python.TypedArray, shape: readonly number[], strides: readonly number[]): python.TypedArray {
  if (items.length === 0 || shape.length < 2) return items
  const ordered = items.slice()
  const at: number[] = new Array(shape.length).fill(0)
  let from = 0
  for (let to = 0; to < items.length; to++) {
    ordered[to] = items[from]
    for (let i = shape.length - 1; i >= 0; i--) {
      from += strides[i]
      if (++at[i] < shape[i]) break
      from -= strides[i] * shape[i]
      at[i] = 0
    }
  }
  return ordered
}
