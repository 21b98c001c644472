/** Writes values as MessagePack: what is in them, and what must not be. */
import { types } from 'node:util'
import { FULL, ROOM } from '../output.js'
import { isKnownToBePlain, isPlain } from '../plain.js'
import { cannotBeSent, changedMeanwhile, cyclic, explain } from '../refusal.js'
import { typedArrayName } from '../typed-arrays.js'
import * as extension from './extension.js'
import { Writer } from './writer.js'

/** Up to this depth the objects around a value are compared one by one, which is faster than a Set. */
const SHALLOW = 16
/** A longer array must not have holes: each would take three bytes, and there may be four billion. */
const MAX_SPARSE = 1 << 20

// Whatever a subclass or an own property says.
const { isProxy } = types
const isOwn = Object.prototype.hasOwnProperty
const { getTime } = Date.prototype
const mapKeys = Map.prototype.keys
const mapEntries = Map.prototype.entries
const setValues = Set.prototype.values
const typedArrayCodes = new Map<string, number>(extension.TYPED_ARRAYS.map(({ name }, code) => [name, code]))

/** Writes one value at a time; a getter that encodes needs another encoder. */
export class Encoder extends Writer {
  /** How many objects are around the value in hand: the outer ones are in `around`, the others in `farAround`. */
  private depth = 0
  private readonly around: (object | undefined)[] = []
  private readonly farAround = new Set<object>()

  /** Writes into `arena` from `at` on and returns where the value ends; -1 when it does not fit. */
  encodeInto(value: unknown, arena: Buffer, at: number): number {
    try {
      this.open(arena, false)
      return this.write(value, at)
    } catch (error) {
      if (error === FULL) return -1
      throw explain(error)
    } finally {
      this.close()
    }
  }

  /** Writes to the start of `target`, or of a longer one in its stead, and returns that part of it. */
  encode(value: unknown, target: Buffer): Buffer {
    try {
      this.open(target, true)
      const end = this.write(value, 0)
      return this.target.subarray(0, end)
    } catch (error) {
      throw explain(error)
    } finally {
      this.close()
    }
  }

  protected override close(): void {
    super.close()
    if (this.depth === 0) return
    this.depth = 0
    this.around.length = 0
    this.farAround.clear()
  }

  private write(value: unknown, at: number): number {
    if (at > this.limit) this.makeRoom(at, ROOM)
    // No `switch`: only a comparison with `typeof` is compiled to one of maps.
    if (typeof value === 'string') return this.string(value, at)
    if (typeof value === 'number') return this.number(value, at)
    if (typeof value === 'object') return value === null ? this.byte(0xc0, at) : this.object(value, at)
    if (typeof value === 'boolean') return this.byte(value ? 0xc3 : 0xc2, at)
    if (value === undefined) return this.tag(extension.UNDEFINED, at)
    if (typeof value === 'bigint') return this.bigint(value, at)
    throw cannotBeSent(`A ${typeof value}`)
  }

  private object(value: object, at: number): number {
    if (isProxy(value)) throw cannotBeSent('A proxy')
    if (Array.isArray(value)) return this.array(value, at)
    const prototype: object | null = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || isKnownToBePlain(prototype)) return this.properties(value, at)
    return this.special(value, at)
  }

  private special(value: object, at: number): number {
    if (ArrayBuffer.isView(value)) return this.bufferView(value, at)
    if (types.isDate(value)) return this.date(getTime.call(value), at)
    if (types.isMap(value)) return this.map(value, at)
    if (types.isSet(value)) return this.set(value, at)
    if (types.isNativeError(value) || value instanceof Error) return this.error(value, at)
    if (types.isRegExp(value)) return this.array([value.source, value.flags], this.tag(extension.REGEXP, at))
    if (types.isArrayBuffer(value)) {
      return this.extension(extension.BINARY, new Uint8Array(value), at, extension.ARRAY_BUFFER)
    }
    if (types.isBoxedPrimitive(value)) return this.boxed(value, at)
    if (isPlain(value)) return this.properties(value, at)
    throw cannotBeSent('An object that structured clone refuses (a promise, a WeakMap, a generator, …)')
  }

  /** The header of an array (0x90, 0xdc) or a map (0x80, 0xde): a token for up to 15, or the first of two in a row. */
  private header(small: number, large: number, size: number, at: number): number {
    if (size < 0x10) return this.byte(small | size, at)
    return size < 0x10000 ? this.token16(large, size, at) : this.token32(large + 1, size, at)
  }

  private array(values: readonly unknown[], at: number): number {
    this.enter(values)
    const { length } = values
    let next = this.header(0x90, 0xdc, length, at)
    let i = 0
    // In a loop of their own, floats need not be boxed to be passed on.
    for (; i < length; i++) {
      const value = values[i]
      if (typeof value !== 'number') break
      if (next > this.limit) this.makeRoom(next, ROOM)
      next = this.number(value, next)
    }
    for (; i < length; i++) {
      const value = values[i]
      if (value === undefined && length > MAX_SPARSE && !(i in values)) throw cannotBeSent('A long array with holes')
      next = this.write(value, next)
    }
    this.leave(values)
    return next
  }

  private properties(value: object, at: number): number {
    this.enter(value)
    // `for … in` is the fastest way through an object, but does not say how many there are: the header comes last.
    let next = at + 1
    let size = 0
    for (const key in value) {
      if (!isOwn.call(value, key)) continue
      size++
      if (size === 0x10) next = this.widen(at + 1, next)
      else if (size === 0x10000) next = this.widen(at + 3, next)
      next = this.write(value[key as keyof typeof value], this.key(key, next))
    }
    this.header(0x80, 0xde, size, at)
    this.leave(value)
    return next
  }

  /** Makes the header that ends at `from` two bytes longer. */
  private widen(from: number, at: number): number {
    this.makeRoom(at, 2)
    this.target.copyWithin(from + 2, from, at)
    return at + 2
  }

  private map(map: Map<unknown, unknown>, at: number): number {
    this.enter(map)
    let left = map.size
    const first = mapKeys.call(map).next()
    // With a key that is no string it cannot be taken for an object.
    const tagged = first.done || typeof first.value === 'string'
    let next = this.header(0x80, 0xde, left, tagged ? this.tag(extension.MAP, at) : at)
    for (const [key, value] of mapEntries.call(map)) {
      if (--left < 0) break
      next = this.write(value, this.write(key, next))
    }
    if (left !== 0) throw changedMeanwhile('A Map')
    this.leave(map)
    return next
  }

  private set(set: Set<unknown>, at: number): number {
    this.enter(set)
    let left = set.size
    let next = this.header(0x90, 0xdc, left, this.tag(extension.SET, at))
    for (const value of setValues.call(set)) {
      if (--left < 0) break
      next = this.write(value, next)
    }
    if (left !== 0) throw changedMeanwhile('A Set')
    this.leave(set)
    return next
  }

  private error(error: Error, at: number): number {
    this.enter(error)
    const { name, message, cause, stack, code, errors } = error as Error & { code?: unknown; errors?: unknown }
    const others = Object.fromEntries(Object.entries(error).filter(([key]) => !extension.ERROR_FIELDS.has(key)))
    // These two need not be enumerable, or the error's own.
    if (code !== undefined) others.code = code
    if (Array.isArray(errors)) others.errors = errors
    const next = this.write([`${name}`, `${message}`, cause, stack, others], this.tag(extension.ERROR, at))
    this.leave(error)
    return next
  }

  private boxed(value: object, at: number): number {
    const primitive: unknown = value.valueOf()
    if (typeof primitive === 'object') throw cannotBeSent('A boxed primitive that hides its value')
    return this.write(primitive, this.tag(extension.BOXED, at))
  }

  private bufferView(view: ArrayBufferView, at: number): number {
    const name = typedArrayName.call(view)
    // Also of a Uint8Array that is empty, because this throws for one whose memory has been transferred away.
    const bytes =
      name === 'Uint8Array' && view.byteLength > 0
        ? (view as Uint8Array)
        : new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    if (name === 'Uint8Array') return this.binary(bytes, at)
    const code = name === undefined ? extension.DATA_VIEW : typedArrayCodes.get(name)
    if (code === undefined) throw cannotBeSent('A typed array of this class')
    return this.extension(extension.BINARY, bytes, at, code)
  }

  /** Every object that holds others is entered, so that a cycle is found on its first round. */
  private enter(value: object): void {
    const { around, depth } = this
    for (let i = Math.min(depth, SHALLOW) - 1; i >= 0; i--) if (around[i] === value) throw cyclic()
    if (depth < SHALLOW) around[depth] = value
    else if (this.farAround.has(value)) throw cyclic()
    else this.farAround.add(value)
    this.depth = depth + 1
  }

  private leave(value: object): void {
    const depth = --this.depth
    if (depth < SHALLOW) this.around[depth] = undefined
    else this.farAround.delete(value)
  }
}
