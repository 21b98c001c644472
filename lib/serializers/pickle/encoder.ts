/** Writes values as a pickle of protocol 4: what is in them, and what must not be. */
import { types } from 'node:util'
import * as python from '../../python/index.js'
import { FULL, ROOM } from '../output.js'
import { isKnownToBePlain, isPlain } from '../plain.js'
import { cannotBeSent, changedMeanwhile, explain } from '../refusal.js'
import { typedArrayName } from '../typed-arrays.js'
import { callFor, isHashable } from './calls.js'
import { globalOfFactory } from './globals.js'
import { dtypeOf, ORDER } from './numpy.js'
import { Writer } from './writer.js'

/** Up to so many objects are compared one by one with those that were written, which is faster than a Map. */
const FEW = 16

// Whatever a subclass or an own property says.
const { isProxy } = types
const isOwn = Object.prototype.hasOwnProperty
const mapEntries = Map.prototype.entries
const setValues = Set.prototype.values

/** Writes one value at a time; a getter that encodes needs another encoder. */
export class Encoder extends Writer {
  /** How many objects can be fetched again: the first ones are in `first`, all others in `others`, by their number. */
  private remembered = 0
  private readonly first: unknown[] = new Array(FEW).fill(undefined)
  private readonly others = new Map<unknown, number>()

  /** Writes into `arena` from `at` on and returns where the value ends; -1 when it does not fit. */
  encodeInto(value: unknown, arena: Buffer, at: number): number {
    try {
      this.open(arena, false)
      return this.message(value, at)
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
      const end = this.message(value, 0)
      return this.target.subarray(0, end)
    } catch (error) {
      throw explain(error)
    } finally {
      this.close()
    }
  }

  protected override close(): void {
    super.close()
    if (this.remembered === 0) return
    this.remembered = 0
    this.first.fill(undefined)
    if (this.others.size > 0) this.others.clear()
  }

  private message(value: unknown, at: number): number {
    this.makeRoom(at, ROOM)
    const next = this.write(value, this.opcode8(0x80, 4, at)) // PROTO
    this.makeRoom(next, 1)
    return this.byte(0x2e, next) // STOP
  }

  /** Leaves room for as much as an opcode with a number takes. */
  private op(opcode: number, at: number): number {
    if (at > this.limit) this.makeRoom(at, ROOM)
    return this.byte(opcode, at)
  }

  private write(value: unknown, at: number): number {
    if (at > this.limit) this.makeRoom(at, ROOM)
    // No `switch`: only a comparison with `typeof` is compiled to one of maps.
    if (typeof value === 'string') return this.string(value, at)
    if (typeof value === 'number') return this.number(value, at)
    if (typeof value === 'object') return value === null ? this.byte(0x4e, at) : this.object(value, at) // NONE
    if (typeof value === 'boolean') return this.byte(value ? 0x88 : 0x89, at) // NEWTRUE, NEWFALSE
    if (typeof value === 'bigint') return this.bigint(value, at)
    throw cannotBeSent(value === undefined ? 'Undefined, in pickle,' : `A ${typeof value}`)
  }

  private object(value: object, at: number): number {
    const known = this.find(value)
    if (known !== -1) return this.fetch(known, at)
    if (isProxy(value)) throw cannotBeSent('A proxy')
    const prototype: object | null = Object.getPrototypeOf(value)
    if (Array.isArray(value)) {
      if (value instanceof python.Tuple) return this.tuple(value, at)
      if (value instanceof python.Deque) return this.deque(value, at)
      return this.array(value, this.remember(value, this.byte(0x5d, at))) // EMPTY_LIST
    }
    if (prototype === Object.prototype || isKnownToBePlain(prototype)) return this.properties(value, at)
    return this.special(value, at)
  }

  private special(value: object, at: number): number {
    if (value instanceof python.Float) return this.float(value.value, at)
    if (ArrayBuffer.isView(value)) return this.bufferView(value, at)
    if (types.isMap(value)) return this.map(value, at)
    if (types.isSet(value)) return this.set(value, at)
    if (types.isArrayBuffer(value)) return this.remember(value, this.binary(new Uint8Array(value), at))
    const call = callFor(value)
    if (call !== undefined) return this.remember(value, this.reduce(call.global, call.args, at))
    // An error's message and stack are no properties to be seen, and Python would get an empty dict.
    if (!(value instanceof Error) && isPlain(value)) return this.properties(value, at)
    throw cannotBeSent('An object that pickle has no form for (an Error, a RegExp, a promise, …)')
  }

  private array(values: readonly unknown[], at: number): number {
    const { length } = values
    if (length === 0) return at
    let next = this.op(0x28, at) // MARK
    let i = 0
    // In a loop of their own, floats need not be boxed to be passed on.
    for (; i < length; i++) {
      const value = values[i]
      if (typeof value !== 'number') break
      if (next > this.limit) this.makeRoom(next, ROOM)
      next = this.number(value, next)
    }
    for (; i < length; i++) next = this.write(values[i], next)
    return this.op(0x65, next) // APPENDS
  }

  private properties(value: object, at: number): number {
    const start = this.remember(value, this.byte(0x7d, at)) // EMPTY_DICT
    let next = this.op(0x28, start) // MARK
    const first = next
    for (const key in value) {
      if (!isOwn.call(value, key)) continue
      if (next > this.limit) this.makeRoom(next, ROOM)
      next = this.write(value[key as keyof typeof value], this.string(key, next))
    }
    return next === first ? start : this.op(0x75, next) // SETITEMS
  }

  private map(map: Map<unknown, unknown>, at: number): number {
    let next: number
    if (map instanceof python.OrderedDict) next = this.reduce('collections.OrderedDict', [], at)
    else if (map instanceof python.DefaultDict) next = this.defaultDict(map.factory, at)
    else next = this.byte(0x7d, at) // EMPTY_DICT
    next = this.remember(map, next)
    let left = map.size
    if (left === 0) return next
    next = this.op(0x28, next) // MARK
    for (const [key, value] of mapEntries.call(map)) {
      if (--left < 0) break
      next = this.write(value, this.hashable(key, next))
    }
    if (left !== 0) throw changedMeanwhile('A Map')
    return this.op(0x75, next) // SETITEMS
  }

  private defaultDict(factory: python.Factory, at: number): number {
    let next = this.global('collections.defaultdict', at)
    if (factory === null)
      next = this.op(0x29, next) // EMPTY_TUPLE
    else {
      const name = globalOfFactory(factory)
      if (name === undefined) throw cannotBeSent('A DefaultDict whose factory is none of those that carom knows')
      next = this.op(0x85, this.global(name, next)) // TUPLE1
    }
    return this.op(0x52, next) // REDUCE
  }

  private set(set: Set<unknown>, at: number): number {
    const frozen = set instanceof python.FrozenSet
    let next = frozen ? at : this.remember(set, this.byte(0x8f, at)) // EMPTY_SET
    let left = set.size
    if (left === 0 && !frozen) return next
    next = this.op(0x28, next) // MARK
    for (const value of setValues.call(set)) {
      if (--left < 0) break
      next = this.hashable(value, next)
    }
    if (left !== 0) throw changedMeanwhile('A Set')
    if (!frozen) return this.op(0x90, next) // ADDITEMS
    const known = this.find(set)
    // It is in itself, and so it has been written meanwhile.
    if (known !== -1) return this.fetch(known, this.op(0x31, next)) // POP_MARK
    return this.remember(set, this.op(0x91, next)) // FROZENSET
  }

  private tuple(values: readonly unknown[], at: number): number {
    const { length } = values
    if (length === 0) return this.byte(0x29, at) // EMPTY_TUPLE
    let next = length > 3 ? this.byte(0x28, at) : at // MARK
    for (let i = 0; i < length; i++) next = this.write(values[i], next)
    const known = this.find(values)
    if (known === -1) return this.remember(values, this.op(length > 3 ? 0x74 : 0x84 + length, next)) // TUPLE, TUPLE1, …
    // It is in itself, and so it has been written meanwhile.
    if (length > 3) return this.fetch(known, this.op(0x31, next)) // POP_MARK
    for (let i = 0; i < length; i++) next = this.op(0x30, next) // POP
    return this.fetch(known, next)
  }

  private deque(values: python.Deque, at: number): number {
    const args = values.maxlen === null ? [] : [new python.Tuple(), values.maxlen]
    return this.array(values, this.remember(values, this.reduce('collections.deque', args, at)))
  }

  /** What Python must have a hash of, since it is a key or in a set. */
  private hashable(value: unknown, at: number): number {
    const next = this.write(value, at)
    if (!isHashable(value)) throw cannotBeSent('A list, dict, set or array, in a set or as a key,')
    return next
  }

  private bufferView(view: ArrayBufferView, at: number): number {
    const { shape, dtype } = view as Partial<python.NDArray>
    // Also of a Uint8Array that is empty, because this throws for one whose memory has been transferred away.
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    const name = typedArrayName.call(view)
    if (shape === undefined && (name === undefined || name === 'Uint8Array'))
      return this.remember(view, this.binary(bytes, at))
    const { length } = view as python.TypedArray
    return this.remember(view, this.ndarray(bytes, dtypeOf(name, dtype), shape ?? [length], length, at))
  }

  private ndarray(bytes: Uint8Array, dtype: string, shape: readonly number[], length: number, at: number): number {
    if (!Array.isArray(shape) || shape.reduce((product, size) => product * size, 1) !== length)
      throw cannotBeSent('A typed array with a shape that is not its own')
    // This module's name is numpy 1's, and numpy 2 knows it.
    let next = this.global('numpy.core.multiarray._reconstruct', at)
    next = this.global('numpy.ndarray', next)
    next = this.op(0x85, this.number(0, next)) // TUPLE1
    next = this.binary(Buffer.from('b'), next)
    next = this.op(0x52, this.op(0x87, next)) // TUPLE3, REDUCE
    next = this.number(1, this.op(0x28, next)) // MARK
    next = this.tuple(shape, next)
    next = this.dtype(dtype, next)
    next = this.binary(bytes, this.op(0x89, next)) // NEWFALSE: not in Fortran's order
    return this.op(0x62, this.op(0x74, next)) // TUPLE, BUILD
  }

  private dtype(code: string, at: number): number {
    const key = `numpy.dtype ${code}`
    const known = this.find(key)
    if (known !== -1) return this.fetch(known, at)
    let next = this.remember(key, this.reduce('numpy.dtype', [code, false, true], at))
    next = this.tuple([3, code.endsWith('1') ? '|' : ORDER, null, null, null, -1, -1, 0], next)
    return this.op(0x62, next) // BUILD
  }

  /** What Python calls, and with what. */
  private reduce(global: string, args: readonly unknown[], at: number): number {
    return this.op(0x52, this.tuple(args, this.global(global, at))) // REDUCE
  }

  /** @param name Of the module and of what is in it. */
  private global(name: string, at: number): number {
    const known = this.find(name)
    if (known !== -1) return this.fetch(known, at)
    const dot = name.lastIndexOf('.')
    const next = this.string(name.slice(dot + 1), this.string(name.slice(0, dot), at))
    return this.remember(name, this.op(0x93, next)) // STACK_GLOBAL
  }

  /** The number of an object that was written; -1 if it was not. */
  private find(value: unknown): number {
    const { first, remembered } = this
    for (let i = Math.min(remembered, FEW) - 1; i >= 0; i--) if (first[i] === value) return i
    return remembered <= FEW ? -1 : (this.others.get(value) ?? -1)
  }

  private fetch(number: number, at: number): number {
    if (at > this.limit) this.makeRoom(at, ROOM)
    return number < 0x100 ? this.opcode8(0x68, number, at) : this.opcode32(0x6a, number, at) // BINGET, LONG_BINGET
  }

  /** Gives what has just been written the next number. */
  private remember(value: unknown, at: number): number {
    const number = this.remembered++
    if (number < FEW) this.first[number] = value
    else this.others.set(value, number)
    return this.op(0x94, at) // MEMOIZE
  }
}
