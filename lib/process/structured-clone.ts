/** Structured clone for another process, with connections in the places of their stand-ins. */
import { types } from 'node:util'
import { DefaultDeserializer, DefaultSerializer, deserialize as readClone, serialize as writeClone } from 'node:v8'
import type { Connection } from '../connection.js'
import { hasV8 } from '../runtime.js'

/** What the serializer writes before each thing that V8 leaves to it. */
const CONNECTION = 0
const BUFFER = 1
const VIEW = 2

/** Takes a connection's place in the arguments: V8 lets a serializer write array views, and no other objects, itself. */
export class StandIn extends Uint8Array {
  constructor(readonly place: number) {
    super(0)
  }
}

export function dataCloneError(): DOMException {
  return new DOMException(
    'The "args" option holds what structured clone does not carry to another process, such as a function, a symbol or a promise: nothing was started',
    'DataCloneError',
  )
}

/**
 * @param standIns All that are in the value.
 * @throws DataCloneError for what structured clone does not carry to another process.
 */
export function serialize(value: unknown, standIns: readonly StandIn[]): Uint8Array {
  if (!hasV8) return serializeWithList(value, standIns)
  const writer = new Writer()
  writer.writeHeader()
  writer.writeValue(value)
  return writer.releaseBuffer()
}

/** `connections` are in the order of their stand-ins' places. */
export function deserialize(bytes: Uint8Array, connections: readonly Connection[]): unknown {
  if (!hasV8) return deserializeWithList(bytes, connections)
  const reader = new Reader(bytes, connections)
  reader.readHeader()
  return reader.readValue()
}

/** For a serializer that cannot be told of stand-ins: they come along in a list, as the same objects. */
function serializeWithList(value: unknown, standIns: readonly StandIn[]): Uint8Array {
  try {
    return writeClone([value, standIns])
  } catch {
    throw dataCloneError()
  }
}

function deserializeWithList(bytes: Uint8Array, connections: readonly Connection[]): unknown {
  const [root, standIns] = readClone(bytes) as [Record<string, unknown>, object[]]
  const moved = new Map<unknown, Connection>(standIns.map((standIn, place) => [standIn, connections[place]]))
  const holders = new Set([root])
  for (const holder of holders) {
    for (const [key, part] of Object.entries(holder)) {
      if (moved.has(part)) holder[key] = moved.get(part)
      else if (canHold(part)) holders.add(part)
    }
  }
  return root
}

function canHold(part: unknown): part is Record<string, unknown> {
  return Array.isArray(part) || Object.prototype.toString.call(part) === '[object Object]'
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
