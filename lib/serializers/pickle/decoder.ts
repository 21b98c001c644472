/**
 * Reads values from pickles of protocols 0 to 5 that anybody may have written. Pickle is the code of a machine with a
 * stack; this one has no instruction that imports, calls or looks up anything but what is in `globals`.
 */
import * as python from '../../python/index.js'
import { latin1 } from '../ascii.js'
import { define } from '../define.js'
import { explain, malformed } from '../refusal.js'
import { LastView } from '../views.js'
import { appendFloats, BINFLOAT, emptyFloats, FRAME, floatsFollow } from './floats.js'
import { findGlobal, Global } from './globals.js'
import { checkDepth, findInternal, replaceIn } from './graph.js'
import { parseDecimal, parseLong } from './integers.js'
import { Internal, Unbuilt } from './internal.js'
import { parseFloatLine, parseString, parseUnicode } from './lines.js'
import { Texts } from './texts.js'

/** More containers in each other are refused: programs that walk through a value would run out of stack. */
const MAX_DEPTH = 5000
/** Stack and memo are kept for the next message up to this length. */
const KEPT = 64
/**
 * What calls may take, in bytes: what is in a message goes through three of them at most, but what is fetched from the
 * memo could be given to very many.
 */
const TIMES = 4
const FREE = 4096
/** What a set takes of the same. */
const SET = 16
/** Of shorter texts no account is kept when they are given to calls. */
const SHORT_ARGUMENT = 256

/** Of a name from the wire, so many characters are repeated. */
const MAX_SHOWN = 64

const NOTHING = Buffer.alloc(0)
const objectPrototype = Object.prototype
const arrayPrototype = Array.prototype
const { getPrototypeOf } = Object

/** Reads one message at a time, and runs no code but its own meanwhile. */
export class Decoder {
  private source: Buffer = NOTHING
  private end = 0
  /** Of `source`; made when the first float comes. */
  private view: DataView | undefined
  private readonly views = new LastView()
  private readonly texts = new Texts()

  // The machine's state. `run` has it in variables; these are up to date where it calls `rare`.
  private at = 0
  private stack: unknown[] = new Array(KEPT).fill(undefined)
  private top = 0
  /** Where the values begin that a mark is below; 0 without a mark. */
  private floor = 0
  private marks: number[] = []
  private memo: unknown[] = new Array(KEPT).fill(undefined)
  private memoized = 0
  /** What was put into the memo beyond the next free place. */
  private far: Map<number, unknown> | undefined

  /** How many internals there are on the stack or in containers: none may be left. */
  private internals = 0
  private containers = 0
  /** How much calls and sets may still take. */
  private allowance = 0
  /** Objects that were fetched from the memo: they may be in several places. */
  private readonly fetched = new Set<unknown>()
  /** Objects that had to become Maps, and whether one of them was in another place already. */
  private readonly replaced = new Map<unknown, unknown>()
  private escaped = false

  /** Reads the one value between `start` and `end`. */
  decodeFrom(source: Buffer, start: number, end: number): unknown {
    this.source = source
    this.end = end
    this.allowance = (end - start) * TIMES + FREE
    try {
      return this.finish(this.run(start))
    } catch (error) {
      throw explain(error)
    } finally {
      this.reset(end - start)
    }
  }

  private reset(length: number): void {
    this.source = NOTHING
    this.view = undefined
    // Neither can have had more than the message has bytes.
    this.stack = emptied(this.stack, length)
    this.memo = emptied(this.memo, length)
    this.memoized = 0
    this.floor = 0
    this.top = 0
    if (this.marks.length > 0) this.marks = []
    this.far = undefined
    this.internals = 0
    this.containers = 0
    this.escaped = false
    if (this.fetched.size > 0) this.fetched.clear()
    if (this.replaced.size > 0) this.replaced.clear()
  }

  private finish(value: unknown): unknown {
    if (this.internals !== 0) {
      const name = findInternal(value)
      throw malformed(name === undefined ? 'a global is in no value' : `${name} is there as a value`)
    }
    const whole = this.escaped ? replaceIn(value, this.replaced) : value
    if (this.containers > MAX_DEPTH) checkDepth(whole, MAX_DEPTH)
    return whole
  }

  // Fixed sizes are read without a look at the end: the loop notices when it has been passed.
  private run(start: number): unknown {
    const { source, end, stack, memo } = this
    let at = this.begin(start)
    let top = 0
    let floor = 0
    let memoized = 0
    while (at < end) {
      const opcode = source[at++]
      switch (opcode) {
        case 0x94: // MEMOIZE
          if (top === floor) throw underflow()
          memo[memoized++] = stack[top - 1]
          break
        case 0x8c: {
          // SHORT_BINUNICODE
          const length = source[at]
          stack[top++] = this.text(at + 1, length)
          at += length + 1
          break
        }
        case 0x58: {
          // BINUNICODE
          const length = uint32(source, at)
          stack[top++] = this.text(at + 4, length)
          at += length + 4
          break
        }
        case 0x4b: // BININT1
          stack[top++] = source[at++]
          break
        case 0x4d: // BININT2
          stack[top++] = source[at] | (source[at + 1] << 8)
          at += 2
          break
        case 0x4a: // BININT
          stack[top++] = uint32(source, at) | 0
          at += 4
          break
        case BINFLOAT:
          if (end - at < 8) throw cutShort()
          stack[top++] = this.dataView().getFloat64(at)
          at += 8
          break
        case 0x4e: // NONE
          stack[top++] = null
          break
        case 0x88: // NEWTRUE
          stack[top++] = true
          break
        case 0x89: // NEWFALSE
          stack[top++] = false
          break
        case 0x28: // MARK
          if ((source[at] === BINFLOAT || source[at] === FRAME) && top > floor) {
            const next = this.floats(stack[top - 1], at)
            if (next !== at) {
              at = next
              break
            }
          }
          this.marks.push(floor)
          floor = top
          break
        case 0x5d: // EMPTY_LIST
          stack[top++] = floatsFollow(source, at) ? emptyFloats() : []
          this.containers++
          break
        case 0x7d: // EMPTY_DICT
          stack[top++] = {}
          this.containers++
          break
        case 0x65: {
          // APPENDS
          const from = this.unmark(floor)
          floor = this.floor
          if (from === floor) throw underflow()
          this.append(stack[from - 1], from, top)
          top = from
          break
        }
        case 0x75: {
          // SETITEMS
          const from = this.unmark(floor)
          floor = this.floor
          if (from === floor) throw underflow()
          stack[from - 1] = this.setItems(stack[from - 1], from, top)
          top = from
          break
        }
        case 0x61: // APPEND
          if (top - 2 < floor) throw underflow()
          this.append(stack[top - 2], top - 1, top)
          top--
          break
        case 0x73: // SETITEM
          if (top - 3 < floor) throw underflow()
          stack[top - 3] = this.setItems(stack[top - 3], top - 2, top)
          top -= 2
          break
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: {
          // TUPLE3
          const from = top - (opcode - 0x84)
          if (from < floor) throw underflow()
          stack[from] = this.tuple(from, top)
          top = from + 1
          break
        }
        case 0x68: // BINGET
          this.memoized = memoized
          stack[top++] = this.fetch(source[at++])
          break
        case 0x71: // BINPUT
          if (top === floor) throw underflow()
          this.memoized = memoized
          this.put(source[at++], stack[top - 1])
          memoized = this.memoized
          break
        case 0x2e: // STOP
          if (at !== end) throw malformed('something follows the value')
          if (top !== 1 || this.marks.length > 0) throw malformed('it ends with more or less than one value')
          return stack[0]
        default:
          this.at = at
          this.top = top
          this.floor = floor
          this.memoized = memoized
          this.rare(opcode)
          ;({ at, top, floor, memoized } = this)
      }
    }
    throw cutShort()
  }

  /** Goes past a protocol's number and the length of a frame, in which all is read as if it were in none. */
  private begin(start: number): number {
    const { source } = this
    let at = start
    if (source[at] === 0x80) {
      if (source[at + 1] > 5) throw malformed('it is of a protocol beyond 5')
      at += 2
    }
    if (source[at] !== FRAME) return at
    const length = uint32(source, at + 1) + uint32(source, at + 5) * 0x100000000
    at += 9
    if (length > this.end - at) throw cutShort()
    return at
  }

  /** The opcodes of old protocols, and of what is not in most messages. */
  private rare(opcode: number): void {
    const { source } = this
    switch (opcode) {
      case 0x80: // PROTO
      case FRAME:
        this.at = this.begin(this.at - 1)
        return
      case 0x6a: // LONG_BINGET
        this.push(this.fetch(this.length(4)))
        return
      case 0x72: // LONG_BINPUT
        this.put(this.length(4), this.peek())
        return
      case 0x67: // GET
        this.push(this.fetch(this.decimal()))
        return
      case 0x70: // PUT
        this.put(this.decimal(), this.peek())
        return
      case 0x43: // SHORT_BINBYTES
        this.push(this.bytes(source[this.at++]))
        return
      case 0x42: // BINBYTES
        this.push(this.bytes(this.length(4)))
        return
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        this.push(this.bytes(this.length(8)))
        return
      case 0x8d: // BINUNICODE8
        this.push(this.longText(this.length(8)))
        return
      case 0x8a: // LONG1
        this.push(this.long(source[this.at++]))
        return
      case 0x8b: // LONG4
        this.push(this.long(this.length(4)))
        return
      case 0x29: // EMPTY_TUPLE
        this.push(this.tuple(this.top, this.top))
        return
      case 0x74: // TUPLE
        this.collect(from => this.tuple(from, this.top))
        return
      case 0x6c: // LIST
        this.containers++
        this.collect(from => this.stack.slice(from, this.top))
        return
      case 0x64: // DICT
        this.containers++
        this.collect(from => this.setItems({}, from, this.top))
        return
      case 0x91: // FROZENSET
        this.countSet()
        this.collect(from => new python.FrozenSet(this.stack.slice(from, this.top)))
        return
      case 0x8f: // EMPTY_SET
        this.countSet()
        this.push(new Set())
        return
      case 0x90: // ADDITEMS
        this.addItems()
        return
      case 0x30: // POP
        // Of a mark, where there is nothing above it.
        if (this.top === this.floor) this.unmark(this.floor)
        else if (this.pop() instanceof Internal) this.internals--
        return
      case 0x31: // POP_MARK
        this.top = this.unmark(this.floor)
        return
      case 0x32: // DUP
        if (this.peek() instanceof Internal) throw malformed('a global is in no value')
        this.fetched.add(this.peek())
        this.push(this.peek())
        return
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = this.pop()
        this.push(this.call(this.pop(), args))
        return
      }
      case 0x92: {
        // NEWOBJ_EX
        const named = this.pop()
        const args = this.pop()
        if (typeof named !== 'object' || named === null || Object.keys(named).length > 0)
          throw malformed('something is made with named arguments')
        this.push(this.call(this.pop(), args))
        return
      }
      case 0x6f: // OBJ
        this.collect(from => this.call(this.stack[from], this.tuple(from + 1, this.top)))
        return
      case 0x69: {
        // INST
        const module = this.line()
        const global = this.global(module, this.line())
        this.collect(from => this.call(global, this.tuple(from, this.top)))
        return
      }
      case 0x62: // BUILD
        this.build()
        return
      case 0x63: {
        // GLOBAL
        const module = this.utf8Line()
        this.push(this.global(module, this.utf8Line()))
        return
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = this.pop()
        const module = this.pop()
        if (typeof name !== 'string' || typeof module !== 'string') throw malformed('a global has no name')
        this.push(this.global(module, name))
        return
      }
      case 0x49: {
        // INT
        const text = this.line()
        this.push(text === '00' ? false : text === '01' ? true : parseDecimal(text))
        return
      }
      case 0x4c: {
        // LONG
        const text = this.line()
        this.push(parseDecimal(text.endsWith('L') ? text.slice(0, -1) : text))
        return
      }
      case 0x46: // FLOAT
        this.push(parseFloatLine(this.line()))
        return
      case 0x56: // UNICODE
        this.push(parseUnicode(this.line()))
        return
      case 0x53: // STRING
        this.push(asText(Buffer.from(parseString(this.line()), 'latin1')))
        return
      case 0x55: // SHORT_BINSTRING
        this.push(asText(this.bytes(source[this.at++])))
        return
      case 0x54: // BINSTRING
        this.push(asText(this.bytes(this.length(4))))
        return
      case 0x50: // PERSID
      case 0x51: // BINPERSID
        throw malformed('it has a persistent id, which names something outside it')
      case 0x82: // EXT1
      case 0x83: // EXT2
      case 0x84: // EXT4
        throw malformed('it has an extension code, which names something outside it')
      case 0x97: // NEXT_BUFFER
      case 0x98: // READONLY_BUFFER
        throw malformed('it has a buffer outside it')
      default:
        throw malformed('it holds a byte that is no opcode')
    }
  }

  // ── stack and memo ──────────────────────────────────────────────────────────────────────────────────────────────

  private push(value: unknown): void {
    this.stack[this.top++] = value
  }

  private pop(): unknown {
    if (this.top === this.floor) throw underflow()
    return this.stack[--this.top]
  }

  private peek(): unknown {
    if (this.top === this.floor) throw underflow()
    return this.stack[this.top - 1]
  }

  /** Takes the last mark away and says where the values above it begin. */
  private unmark(floor: number): number {
    const outer = this.marks.pop()
    if (outer === undefined) throw malformed('a mark is missing')
    this.floor = outer
    return floor
  }

  /** Puts what is made of the values above the last mark in their place. */
  private collect(make: (from: number) => unknown): void {
    const from = this.unmark(this.floor)
    const value = make(from)
    this.top = from
    this.push(value)
  }

  private put(index: number, value: unknown): void {
    if (index < this.memoized) this.memo[index] = value
    else if (index === this.memoized && this.far === undefined) this.memo[this.memoized++] = value
    // In an array, the place of one could take the memory of very many.
    else {
      this.far ??= new Map()
      this.far.set(index, value)
    }
  }

  private fetch(index: number): unknown {
    const value = index < this.memoized ? this.memo[index] : this.far?.get(index)
    if (typeof value !== 'object' || value === null) {
      if (value === undefined) throw malformed('it refers to something that it does not have')
      return value
    }
    if (value instanceof Unbuilt) {
      if (value.value === undefined) throw malformed(`a ${value.name} is used before it is one`)
      if (value.value instanceof Internal) this.internals++
      return value.value
    }
    if (value instanceof Internal) {
      this.internals++
      return value
    }
    const other = this.replaced.get(value)
    if (other !== undefined) return other
    this.fetched.add(value)
    return value
  }

  // ── containers ──────────────────────────────────────────────────────────────────────────────────────────────────

  private tuple(from: number, to: number): python.Tuple {
    const { stack } = this
    this.containers++
    const values = new python.Tuple()
    for (let i = from; i < to; i++) values.push(stack[i])
    return values
  }

  private append(list: unknown, from: number, to: number): void {
    if (!isList(list)) throw malformed('something is appended to what is no list')
    const { stack } = this
    for (let i = from; i < to; i++) list.push(stack[i])
  }

  /**
   * Appends all floats behind a mark to a list, and those behind the marks that follow, where there are no others: in a
   * loop of their own, none is boxed. @returns Where it has come to; the same place if this is something else.
   */
  private floats(list: unknown, start: number): number {
    if (!isList(list)) return start
    const { source } = this
    const last = this.end - 1
    /** Where floats begin that lie one behind the other, and where they end. */
    const runs: number[] = []
    let done = start
    for (let at = start; ; at++) {
      const before = runs.length
      for (;;) {
        const from = at
        while (at < last && source[at] === BINFLOAT) at += 9
        if (at > from) runs.push(from, at)
        if (source[at] !== FRAME) break
        at = this.begin(at)
      }
      if (at > last || source[at] !== 0x65 || runs.length === before) {
        // It is not APPENDS: what has been found behind the last mark is left to be read one by one.
        runs.length = before
        break
      }
      done = at + 1
      at = source[done] === FRAME ? this.begin(done) : done
      if (source[at] !== 0x28) break // MARK
    }
    if (done > start) appendFloats(this.dataView(), runs, list as number[])
    return done
  }

  /** @returns The dict itself, or the Map that it has to be with these keys. */
  private setItems(dict: unknown, from: number, to: number): unknown {
    const { stack } = this
    if ((to - from) % 2 !== 0) throw malformed('a key has no value')
    if (typeof dict !== 'object' || dict === null) throw noDict()
    if (getPrototypeOf(dict) !== objectPrototype) return setEntries(dict, stack, from, to)
    const object = dict as Record<string, unknown>
    for (let i = from; i < to; i += 2) if (typeof stack[i] !== 'string') return this.widen(object, from, to)
    for (let i = from; i < to; i += 2) {
      const key = stack[i] as string
      // Assigned, this one would replace the prototype.
      if (key === '__proto__') define(object, key, stack[i + 1])
      else object[key] = stack[i + 1]
    }
    return object
  }

  /** A dict whose keys are not all strings is a Map. */
  private widen(object: Record<string, unknown>, from: number, to: number): unknown {
    const map = new Map<unknown, unknown>(Object.entries(object))
    // In the memo it is replaced when it is fetched; where it is besides, in the end.
    this.replaced.set(object, map)
    if (this.fetched.has(object)) this.escaped = true
    return setEntries(map, this.stack, from, to)
  }

  private addItems(): void {
    const { stack } = this
    const from = this.unmark(this.floor)
    if (from === this.floor) throw underflow()
    const set = stack[from - 1]
    if (!(set instanceof Set) || set instanceof python.FrozenSet)
      throw malformed('something is added to what is no set')
    for (let i = from; i < this.top; i++) set.add(stack[i])
    this.top = from
  }

  /** An empty set takes a hundred times the memory of what says that there is one. */
  private countSet(): void {
    this.containers++
    this.allowance -= SET
    if (this.allowance < 0) throw malformed('it has more sets than it has room for')
  }

  // ── globals ─────────────────────────────────────────────────────────────────────────────────────────────────────

  private global(module: string, name: string): Global {
    const global = findGlobal(module, name)
    if (global === undefined) throw malformed(`it names ${shown(module)}.${shown(name)}, which carom does not read`)
    this.internals++
    return global
  }

  private call(callee: unknown, args: unknown): unknown {
    if (!(callee instanceof Global)) throw malformed('something is called that is no global')
    if (callee.call === undefined) throw malformed(`it calls ${callee.name}, which carom does not`)
    if (!(args instanceof python.Tuple)) throw malformed(`${callee.name} is called without arguments`)
    this.internals--
    this.containers++
    const made = callee.call(this.take(args))
    if (made instanceof Internal) this.internals++
    return made
  }

  private build(): void {
    const state = this.pop()
    const target = this.peek()
    if (!(target instanceof Unbuilt)) throw malformed('something is given a state that has none')
    target.value = target.build(state instanceof python.Tuple ? this.take(state) : state)
    this.stack[this.top - 1] = target.value
    if (!(target.value instanceof Internal)) this.internals--
  }

  /**
   * Accounts for the arguments of a call: for their length, so that what is fetched again and again is not copied as
   * often, and for internals, which are nowhere but in arguments. These are taken out, since they may be in the memo.
   */
  private take(args: python.Tuple): unknown[] {
    let size = args.length
    let internals = 0
    for (const arg of args) {
      if (arg instanceof Internal) internals++
      else if (typeof arg === 'string') size += arg.length < SHORT_ARGUMENT ? 0 : arg.length
      else if (Buffer.isBuffer(arg)) size += arg.length
      else if (Array.isArray(arg)) {
        size += arg.length * TIMES
        if (arg.some(isInternal)) throw malformed('a global is in a list')
      }
    }
    this.allowance -= size
    if (this.allowance < 0) throw malformed('it is far more than it holds')
    const taken = Array.from(args)
    if (internals > 0) args.length = 0
    this.internals -= internals
    return taken
  }

  // ── scalars ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Goes past the next `size` bytes and says where they begin. */
  private advance(size: number): number {
    const start = this.at
    if (!(size <= this.end - start)) throw cutShort()
    this.at = start + size
    return start
  }

  /** A length of 4 or 8 bytes. */
  private length(size: 4 | 8): number {
    const start = this.advance(size)
    const low = uint32(this.source, start)
    return size === 4 ? low : low + uint32(this.source, start + 4) * 0x100000000
  }

  private dataView(): DataView {
    if (this.view === undefined) this.view = this.views.of(this.source)
    return this.view
  }

  private bytes(length: number): Buffer {
    const start = this.advance(length)
    return Buffer.from(this.source.subarray(start, start + length))
  }

  private long(length: number): number | bigint {
    const start = this.advance(length)
    return parseLong(this.source.subarray(start, start + length))
  }

  private longText(length: number): string {
    return this.text(this.advance(length), length)
  }

  private text(start: number, length: number): string {
    const { source } = this
    if (!(length <= this.end - start)) throw cutShort()
    return this.texts.read(source, start, length)
  }

  /** The rest of the line, a character for each byte. */
  private line(): string {
    const start = this.at
    const end = this.source.indexOf(0x0a, start)
    if (end === -1 || end >= this.end) throw cutShort()
    this.at = end + 1
    return latin1(this.source, start, end)
  }

  private utf8Line(): string {
    return Buffer.from(this.line(), 'latin1').toString()
  }

  /** A place in the memo. */
  private decimal(): number {
    const text = this.line()
    if (!/^\d{1,10}$/.test(text)) throw malformed('a place in the memo is not one')
    return Number(text)
  }
}

/** Lets go of what an array holds: of so many values at most, and of the array itself where it has grown. */
function emptied(values: unknown[], most: number): unknown[] {
  if (values.length > KEPT) return new Array(KEPT).fill(undefined)
  // A loop, since `fill` is a call that takes longer.
  for (let i = Math.min(most, KEPT) - 1; i >= 0; i--) values[i] = undefined
  return values
}

function uint32(source: Buffer, at: number): number {
  return (source[at] | (source[at + 1] << 8) | (source[at + 2] << 16) | (source[at + 3] << 24)) >>> 0
}

function isInternal(value: unknown): boolean {
  return value instanceof Internal
}

/** Whether Python can append to it. */
function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && (getPrototypeOf(value) === arrayPrototype || value instanceof python.Deque)
}

function setEntries(map: object, stack: readonly unknown[], from: number, to: number): object {
  if (!(map instanceof Map)) throw noDict()
  for (let i = from; i < to; i += 2) map.set(stack[i], stack[i + 1])
  return map
}

/** A string of Python 2's: text, unless it holds bytes that are not ASCII. */
function asText(bytes: Buffer): string | Buffer {
  return bytes.every(byte => byte < 0x80) ? bytes.toString('latin1') : bytes
}

/** A name from the wire, as far as it is one that Python can have. */
function shown(name: string): string {
  const known = name.slice(0, MAX_SHOWN).replace(/[^\w.]/g, '?')
  return name.length > MAX_SHOWN ? `${known}…` : known
}

function noDict(): Error {
  return malformed('an item is set in what is no dict')
}

function underflow(): Error {
  return malformed('a value is missing')
}

function cutShort(): Error {
  return malformed('it is cut short')
}
