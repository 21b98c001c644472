/**
 * A target's arguments on their way to the child: structured clone, with the connections in them replaced by their
 * places in the list of those that move.
 */
import { types } from 'node:util'
import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { type Connection, isConnection } from '../connection.js'
import { invalidArgValue } from '../errors.js'

/** What the serializer writes before each thing that V8 leaves to it. */
const CONNECTION = 0
const BUFFER = 1
const VIEW = 2

/** Arguments that are ready to travel. */
export interface PackedArguments {
  readonly bytes: Uint8Array
  /** Those in the arguments, each once. */
  readonly connections: readonly Connection[]
}

/**
 * @throws DataCloneError for what structured clone does not carry to another process; TypeError for a connection
 * elsewhere than in arrays and plain objects.
 */
export function packArguments(args: readonly unknown[]): PackedArguments {
  const standIns = new Map<Connection, StandIn>()
  const writer = new Writer()
  writer.writeHeader()
  writer.writeValue(withoutConnections(args, standIns))
  return { bytes: writer.releaseBuffer(), connections: [...standIns.keys()] }
}

/** `connections` are in the order in which `packArguments` gave them. */
export function unpackArguments(bytes: Uint8Array, connections: readonly Connection[]): unknown[] {
  const reader = new Reader(bytes, connections)
  reader.readHeader()
  return reader.readValue()
}

function dataCloneError(): DOMException {
  return new DOMException(
    'The "args" option holds what structured clone does not carry to another process, such as a function, a symbol or a promise: nothing was started',
    'DataCloneError',
  )
}

/** Takes a connection's place in the arguments: V8 lets a serializer write array views, and no other objects, itself. */
class StandIn extends Uint8Array {
  constructor(readonly place: number) {
    super(0)
  }
}

/** The same value with stand-ins for connections; what holds none is not copied. */
function withoutConnections(root: object, standIns: Map<Connection, StandIn>): unknown {
  const holders = holdersOfConnections(root)
  const copies = new Map<object, object>()

  function replace(value: unknown): unknown {
    if (isConnection(value)) return standInFor(value)
    if (!isObject(value) || !holders.has(value)) return value
    let copy = copies.get(value)
    if (copy === undefined) {
      copy = Array.isArray(value) ? new Array(value.length) : {}
      copies.set(value, copy)
      for (const [key, part] of Object.entries(value)) define(copy, key, replace(part))
    }
    return copy
  }

  function standInFor(conn: Connection): StandIn {
    const standIn = standIns.get(conn) ?? new StandIn(standIns.size)
    standIns.set(conn, standIn)
    return standIn
  }

  return replace(root)
}

/** All objects from which a connection can be reached. */
function holdersOfConnections(root: object): Set<object> {
  const heldBy = new Map<object, object[]>([[root, []]])
  const connections: Connection[] = []
  for (const [holder] of heldBy) {
    for (const part of partsOf(holder)) {
      if (!isObject(part)) continue
      const known = heldBy.get(part)
      if (known) known.push(holder)
      else heldBy.set(part, [holder])
      if (!known && isConnection(part)) connections.push(part)
    }
  }
  const holders = new Set<object>(connections)
  for (const held of holders) {
    for (const holder of heldBy.get(held) ?? []) holders.add(requireCopyable(holder))
  }
  return holders
}

/** What structured clone follows from an object. */
function partsOf(value: object): Iterable<unknown> {
  if (types.isProxy(value)) return []
  if (isCopyable(value)) return Object.values(value)
  if (isConnection(value) || types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return []
  if (types.isMap(value)) return [...value.keys(), ...value.values()]
  if (types.isSet(value)) return value
  if (types.isNativeError(value)) return [value.cause, ...Object.values(value)]
  if (isPlatformObject(value)) throw dataCloneError()
  return Object.values(value)
}

/** An object of the runtime, such as a `URL`, a `Blob` or a `Headers`: V8 alone would make an empty object of it. */
function isPlatformObject(value: object): boolean {
  if (types.isDate(value) || types.isRegExp(value) || types.isBoxedPrimitive(value)) return false
  const { constructor: itsClass, [Symbol.toStringTag]: tag } = Object.getPrototypeOf(value)
  return Reflect.get(globalThis, itsClass?.name) === itsClass || tag === 'WebAssembly.Module'
}

function requireCopyable(holder: object): object {
  if (isCopyable(holder)) return holder
  throw invalidArgValue(
    '"args" option',
    'holds a connection inside a Map, a Set or an instance of a class: connections move in arrays and plain objects only',
  )
}

/** An array, or a plain object of any realm: its prototype is none, or one that has none. */
function isCopyable(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** An assignment to `__proto__` would set the prototype. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** V8's serializer, which makes structured clone's choices, with ours for what it leaves open. */
class Writer extends DefaultSerializer {
  /** @internal Called by V8. */
  _writeHostObject(value: object): void {
    if (value instanceof StandIn) {
      this.writeUint32(CONNECTION)
      this.writeUint32(value.place)
    } else if (!ArrayBuffer.isView(value)) {
      throw dataCloneError()
    } else if (Buffer.isBuffer(value) && !types.isSharedArrayBuffer(value.buffer)) {
      // Its bytes alone: what else is in its memory may come from anywhere.
      this.writeUint32(BUFFER)
      this.writeDouble(value.length)
      this.writeRawBytes(value)
    } else {
      this.#writeView(value as ArrayBufferView & { length?: number; [Symbol.toStringTag]: string })
    }
  }

  /** @internal Called by V8: another process cannot share memory. */
  _getSharedArrayBufferId(): never {
    throw dataCloneError()
  }

  /** With its memory, which other views may share. */
  #writeView(view: ArrayBufferView & { length?: number; [Symbol.toStringTag]: string }): void {
    this.writeUint32(VIEW)
    this.writeValue(view[Symbol.toStringTag])
    this.writeDouble(view.byteOffset)
    this.writeDouble(view.length ?? view.byteLength)
    this.writeValue(view.buffer)
  }
}

// V8 calls it with a text that quotes the value, Node with `new`.
Object.defineProperty(Writer.prototype, '_getDataCloneError', {
  value: function DataCloneError() {
    return dataCloneError()
  },
})

class Reader extends DefaultDeserializer {
  readonly #connections: readonly Connection[]

  constructor(bytes: Uint8Array, connections: readonly Connection[]) {
    super(bytes)
    this.#connections = connections
  }

  /** @internal Called by V8. */
  _readHostObject(): object {
    switch (this.readUint32()) {
      case CONNECTION:
        return this.#connections[this.readUint32()]
      case BUFFER:
        return Buffer.from(this.readRawBytes(this.readDouble()))
      default:
        return this.#readView()
    }
  }

  #readView(): ArrayBufferView {
    const View: new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView =
      globalThis[this.readValue() as 'Uint8Array' | 'DataView']
    const offset = this.readDouble()
    const length = this.readDouble()
    return new View(this.readValue(), offset, length)
  }
}
