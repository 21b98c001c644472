/** The built-in serializers. */
import { json } from './json.js'
import { msgpack } from './msgpack.js'
import type { Serializer } from './serializer.js'
import { v8 } from './v8.js'

/** The built-in serializers. */
export const serializers: {
  /** The default: compact and fast, and Python's `msgpack` reads and writes it. */
  readonly msgpack: Serializer
  /** For peers that have nothing else. */
  readonly json: Serializer
  /** Everything that structured clone carries, with cycles and shared references. */
  readonly v8: Serializer
} = Object.freeze({ msgpack, json, v8 })
