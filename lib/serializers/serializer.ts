/** What carries values: the public interface, and the shorter way that carom takes with its own. */

/** Turns values into bytes and back; both functions are synchronous. */
export interface Serializer {
  /** The result belongs to carom until the send settles: a fresh buffer, or one that is not written again. */
  encode(value: unknown): Uint8Array
  /** `bytes` is valid during the call only: copy what you keep. */
  decode(bytes: Uint8Array): unknown
}

/** A serializer that can also write into memory that carom has, and read a message where it lies. */
export interface FastSerializer extends Serializer {
  /**
   * Writes the value into `arena` from `at` on and returns where it ends, or -1 when it does not fit: then `encode` it.
   * What follows `at` is undefined after -1 and after a throw. A call from within another one (a getter that sends) is
   * always -1, because the other one is writing at that place.
   */
  encodeInto(value: unknown, arena: Buffer, at: number): number
  /** Reads the one value that lies from `start` to `end`. Nothing in it refers to `source`, which may be reused. */
  decodeFrom(source: Buffer, start: number, end: number): unknown
}
