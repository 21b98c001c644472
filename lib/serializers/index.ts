/** The built-in serializers. */
import { json } from './json.js'
import { msgpack } from './msgpack.js'
import type { FastSerializer, Serializer } from './serializer.js'
import { v8 } from './v8.js'

/** The built-in serializers. */
export const serializers: {
  /** The default: compact, fast, and what Python's `msgpack` reads. */
  readonly msgpack: Serializer
  /** For peers that have nothing else. */
  readonly json: Serializer
  /** Everything that structured clone carries, cycles and shared references too; Node only. */
  readonly v8: Serializer
} = Object.freeze({ msgpack, json, v8 })

/** By identity: what is spread or inherits from a built-in one has functions of its own, and those must be called. */
export function isFast(serializer: Serializer): serializer is FastSerializer {
  return serializer === msgpack
}
