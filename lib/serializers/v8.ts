/** What `node:v8` makes of a value: everything that structured clone carries, with cycles and shared references. */
import { types } from 'node:util'
import { hasV8 } from '../runtime.js'
import { isConnection } from './plain.js'
import { cannotBeSent, malformed } from './refusal.js'
import type { Serializer } from './serializer.js'

/** With what its types leave out. */
interface Deserializer {
  readHeader(): boolean
  readValue(): unknown
  _readHostObject(): NodeJS.ArrayBufferView<ArrayBuffer>
}

interface Engine {
  serialize(value: unknown): Buffer
  deserialize(bytes: Uint8Array): unknown
}

let engine: Engine | undefined

/** Loading `node:v8` takes 2 ms, which a program that does not use this serializer need not wait for. */
function loadEngine(): Engine {
  const v8 = require('node:v8') as typeof import('node:v8')
  if (!hasV8) return v8
  const Deserializer = v8.DefaultDeserializer as unknown as new (bytes: Uint8Array) => Deserializer

  /** Its Buffers and typed arrays are views of the message; here they have memory of their own. */
  class CopyingDeserializer extends Deserializer {
    override _readHostObject(): NodeJS.ArrayBufferView<ArrayBuffer> {
      const view = super._readHostObject()
      if (Buffer.isBuffer(view)) return Buffer.from(view)
      const { buffer, byteOffset, byteLength } = view
      const Class = view.constructor as new (memory: ArrayBuffer) => NodeJS.ArrayBufferView<ArrayBuffer>
      return new Class(buffer.slice(byteOffset, byteOffset + byteLength))
    }
  }

  return {
    serialize: v8.serialize,
    deserialize(bytes) {
      const deserializer = new CopyingDeserializer(bytes)
      deserializer.readHeader()
      return deserializer.readValue()
    },
  }
}

/** To V8 a connection is an object like any other. This one looks at what V8 has taken already. */
function refuseConnections(root: unknown): void {
  const seen = new Set<object>()
  const rest: unknown[] = [root]
  while (rest.length > 0) {
    const value = rest.pop()
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue
    if (isConnection(value)) throw cannotBeSent('A connection')
    seen.add(value)
    if (types.isMap(value)) for (const [key, item] of value) rest.push(key, item)
    else if (types.isSet(value)) for (const item of value) rest.push(item)
    else if (types.isNativeError(value)) rest.push(value.cause)
    else if (Array.isArray(value)) for (const item of value) rest.push(item)
    else for (const key in value) rest.push(value[key as keyof typeof value])
  }
}

/** What structured clone carries, as `v8.serialize` writes it: in Bun, that is for others of Bun only. */
export const v8: Serializer = Object.freeze({
  encode(value: unknown): Buffer {
    engine ??= loadEngine()
    let bytes: Buffer
    try {
      bytes = engine.serialize(value)
    } catch {
      // V8's own text has the source of functions and the insides of objects in it.
      throw cannotBeSent('A value that structured clone refuses, or that is nested too deeply,')
    }
    refuseConnections(value)
    return bytes
  },

  decode(bytes: Uint8Array): unknown {
    engine ??= loadEngine()
    try {
      return engine.deserialize(bytes)
    } catch {
      throw malformed('it is not what v8.serialize writes')
    }
  },
})
