/** Python's pickle, so that an unchanged program's `conn.send(obj)` and `conn.recv()` are the other end. */
import type { FastSerializer, Serializer } from './serializer.js'

let codec: FastSerializer | undefined

/** A file of its own, which a program that does not speak to Python need not wait for. */
function load(): FastSerializer {
  codec ??= (require('#pickle') as typeof import('./pickle/codec.js')).codec
  return codec
}

const serializer: Serializer = {
  encode: value => load().encode(value),
  decode: bytes => load().decode(bytes),
}
Object.defineProperties(serializer, {
  encodeInto: { value: (value: unknown, arena: Buffer, at: number) => load().encodeInto(value, arena, at) },
  decodeFrom: { value: (source: Buffer, start: number, end: number) => load().decodeFrom(source, start, end) },
})
/** What Python's `pickle` reads and writes; nothing in it is ever imported or called by its name. */
export const pickle = Object.freeze(serializer) as FastSerializer
