/**
 * What the works send: rings of unchanging messages that differ from one another, so that nothing is prepared inside
 * the measured time, an asynchronous send never sees its buffer change, and large messages do not come out of the
 * cache. `message(i)` is message i of a round. `check(i, received)` refuses anything else by a look at its first and last
 * parts, `checkWhole` by comparing all of it. `order` carries what a round is to be, on the channel that is measured.
 */
import assert from 'node:assert/strict'

const RING_BYTES = 16 << 20
/** Neighbours differ, so that a message that was not received at all does not pass for the one before. */
const RING_MIN = 2
const RING_MAX = 1024
const STAMP = 4

/** Messages of `size` bytes, with their number in their first and last four bytes. `bench/limit` has the same. */
export function bytes(size) {
  const ring = makeRing(Math.min(RING_MAX, Math.max(RING_MIN, Math.floor(RING_BYTES / size))), number => {
    // Memory of its own: a MessagePort would clone the whole pool that a small Buffer is a part of.
    const message = Buffer.allocUnsafeSlow(size)
    for (let at = 0; at < size; at++) message[at] = at * 31 + number
    message.writeUInt32LE(number, 0)
    message.writeUInt32LE(number, size - STAMP)
    return message
  })
  return {
    kind: 'bytes',
    size,
    window: ring.length,
    message: index => ring[index % ring.length],
    check(index, received) {
      const number = index % ring.length
      if (received.length !== size || stamp(received, 0) !== number || stamp(received, size - STAMP) !== number) {
        refuse(index)
      }
    },
    checkWhole(index, received) {
      if (Buffer.compare(ring[index % ring.length], received) !== 0) refuse(index)
    },
    order: {
      encode: ({ count, whole }) => Buffer.from(Uint32Array.of(count, whole ? 1 : 0).buffer),
      decode: message => ({ count: stamp(message, 0), whole: stamp(message, STAMP) === 1 }),
    },
  }
}

/** How a round is checked. `whole`: every byte of each message is compared. */
export function checksOf({ check, checkWhole }, whole) {
  return { whole, check: whole ? checkWhole : check }
}

/** Small objects, of one shape. */
export function objects() {
  const ring = makeRing(RING_MAX, number => ({
    id: number,
    name: `sensor-${number % 64}`,
    tags: ['indoor', number % 2 ? 'odd' : 'even'],
    nested: { value: number + 0.5, ok: true },
  }))
  return {
    kind: 'objects',
    window: ring.length,
    message: index => ring[index % ring.length],
    check(index, received) {
      const number = index % ring.length
      if (received.id !== number || received.tags.length !== 2 || received.nested.value !== number + 0.5) refuse(index)
    },
    checkWhole(index, received) {
      assert.deepEqual(received, ring[index % ring.length])
    },
    order: { encode: order => order, decode: message => message },
  }
}

function makeRing(length, make) {
  return Array.from({ length }, (_, number) => make(number))
}

/** A little-endian number of 32 bits, of a `Buffer` or (from a MessagePort) a bare `Uint8Array`. */
function stamp(message, at) {
  return (message[at] | (message[at + 1] << 8) | (message[at + 2] << 16) | (message[at + 3] << 24)) >>> 0
}

function refuse(index) {
  throw new Error(`Message ${index} is not the one that was sent`)
}
