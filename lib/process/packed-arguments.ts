/**
 * A target's arguments on their way to the child: structured clone, with the connections in them replaced by their
 * places in the list of those that move.
 */
import { types } from 'node:util'
import { type Connection, isConnection } from '../connection.js'
import { invalidArgValue } from '../errors.js'
import { dataCloneError, deserialize, StandIn, serialize } from './structured-clone.js'

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
  const bytes = serialize(withoutConnections(args, standIns), [...standIns.values()])
  return { bytes, connections: [...standIns.keys()] }
}

/** `connections` are in the order in which `packArguments` gave them. */
export function unpackArguments(bytes: Uint8Array, connections: readonly Connection[]): unknown[] {
  return deserialize(bytes, connections) as unknown[]
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
