/** What carries values: the public interface, and the shorter way of carom's own. */

/** Turns values into bytes and back; both functions are synchronous. */
export interface Serializer {
  /** The result belongs to carom until the send settles: a fresh buffer, or one that is not written again. */
  encode(value: unknown): Uint8Array
  /** `bytes` is valid during the call only: copy what you keep. */
  decode(bytes: Uint8Array): unknown
}

/**
 * A serializer that also writes into memory which carom has, and reads a message where it lies. These two are not
 * enumerable: `{ ...serializers.msgpack, encode }` must not keep the short way around its own `encode`.
 */
export interface FastSerializer extends Serializer {
  /**
   * Writes the value into `arena` from `at` on and returns where it ends, or -1 when it does not fit (or nearly not):
   * then `encode` it. What the arena holds behind `at` is undefined after -1 and after a throw. Within another encoding
   * (in a getter that sends) it is always -1, because the outer one may be writing at the same place.
   */
  encodeInto(value: unknown, arena: Buffer, at: number): number
  /** Reads the one value that lies from `start` to `end`. Nothing in it refers to `source`, which may be reused. */
  decodeFrom(source: Buffer, start: number, end: number): unknown
}

/** The serializer itself, if it has the shorter way; not one that only inherits from such a one. */
export function asFast(serializer: Serializer): FastSerializer | undefined {
  return Object.hasOwn(serializer, 'encodeInto') ? (serializer as FastSerializer) : undefined
}
