/** What a connection is made of, besides its descriptor. */
import { constants } from 'node:buffer'
import { checkLength, checkOptions } from './arguments.js'
import { invalidArgType, invalidArgValue } from './errors.js'
import type { BoundAddress, ConnectionOptions } from './interfaces.js'
import { serializers } from './serializers/index.js'
import type { Serializer } from './serializers/serializer.js'

const DEFAULT_HIGH_WATER_MARK = 64 * 1024

export interface Settings {
  /** A serializer, or the name of a built-in one. */
  readonly serializer: Serializer | keyof typeof serializers
  readonly maxMessageLength: number
  readonly highWaterMark: number
  /** Fails with `WouldBlockError` where it would wait. */
  readonly nonblocking: boolean
  /** The peer's address, where it is known from connecting or accepting. */
  readonly remoteAddress?: BoundAddress | undefined
  /** Of a client without a key: a challenge that comes first is not a message. */
  readonly isKeyless?: boolean | undefined
}

/** Settings from a user's options, checked. */
export function checkSettings(options: ConnectionOptions | undefined, nonblocking = false): Settings {
  const {
    serializer = serializers.msgpack,
    maxMessageLength = constants.MAX_LENGTH,
    highWaterMark = DEFAULT_HIGH_WATER_MARK,
  } = checkOptions(options) ?? {}
  if (typeof serializer?.encode !== 'function' || typeof serializer.decode !== 'function')
    throw invalidArgType('serializer', 'an object with encode and decode', serializer)
  return {
    serializer,
    maxMessageLength: checkLength('maxMessageLength', maxMessageLength),
    highWaterMark: checkLength('highWaterMark', highWaterMark),
    nonblocking,
  }
}

/** The name of a built-in serializer, by which another process knows it. @throws TypeError for one of the user's own. */
export function nameOf(serializer: Settings['serializer']): keyof typeof serializers {
  if (typeof serializer === 'string') return serializer
  const names = Object.keys(serializers) as (keyof typeof serializers)[]
  const name = names.find(name => serializers[name] === serializer)
  if (name === undefined)
    throw invalidArgValue(
      'connection',
      'has a serializer of its own, which cannot move to another process: use a built-in one',
    )
  return name
}
