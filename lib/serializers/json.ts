/** JSON in UTF-8, without what `JSON.stringify` does in silence. */
import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { isConnection, isKnownToBePlain, isPlain } from './plain.js'
import { cannotBeSent, explain, malformed } from './refusal.js'
import type { Serializer } from './serializer.js'

/** Refuses what JSON leaves out or writes as something else; without cycles, since it has been written once. */
function refuseLosses(value: unknown, key: string): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value)) throw cannotBeSent('NaN or an infinity, in JSON,')
      return
    case 'object':
      if (value !== null) refuseLossesIn(value, key)
      return
    case 'undefined':
      throw cannotBeSent('Undefined, in JSON,')
    default:
      throw cannotBeSent(`A ${typeof value}, in JSON,`)
  }
}

function refuseLossesIn(value: object, key: string): void {
  const prototype: object | null = Object.getPrototypeOf(value)
  const plain = prototype === Object.prototype || isKnownToBePlain(prototype)
  if (!plain && isConnection(value)) throw cannotBeSent('A connection')
  // A Buffer has a toJSON, but what that gives arrives as something else.
  if (ArrayBuffer.isView(value)) throw cannotBeSent('A Buffer or typed array, in JSON,')
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') {
    const substitute: unknown = toJSON.call(value, key)
    if (substitute === null && types.isDate(value)) throw cannotBeSent('An invalid Date, in JSON,')
    if (substitute !== value) {
      refuseLosses(substitute, key)
      return
    }
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) refuseLosses(value[i], String(i))
    return
  }
  if (!plain && !isPlain(value)) throw cannotBeSent('An object that JSON would empty (a Map, an Error, a promise, …)')
  for (const [name, item] of Object.entries(value)) refuseLosses(item, name)
}

/** JSON text. */
export const json: Serializer = Object.freeze({
  encode(value: unknown): Buffer {
    let text: string | undefined
    try {
      text = JSON.stringify(value)
      refuseLosses(value, '')
    } catch (error) {
      // The engine's own has keys in it.
      throw error instanceof TypeError ? cannotBeSent('A value with a cycle or a bigint, in JSON,') : explain(error)
    }
    return Buffer.from(text as string)
  },

  decode(bytes: Uint8Array): unknown {
    if (!isUtf8(bytes)) throw malformed('it is not UTF-8')
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
    try {
      return JSON.parse(text)
    } catch (error) {
      // The engine's own has a part of the message in it.
      throw error instanceof SyntaxError ? malformed('it is not JSON') : explain(error)
    }
  },
})
