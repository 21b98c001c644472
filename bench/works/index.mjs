/**
 * The works by name. `baseline` names the peer that the others' figures are divided by, `unit` turns nanoseconds per
 * message into the figure shown, `pinned` keeps both processes on one core (a round trip on two measures how long an
 * idle core takes to wake up), `into` needs a peer that receives into a buffer of the receiver's.
 */
import { bytes, objects } from './messages.mjs'
import * as oneway from './oneway.mjs'
import * as roundtrip from './roundtrip.mjs'

const MICROSECONDS = { name: 'µs', of: nanoseconds => nanoseconds / 1e3, best: 'lowest' }
const MILLIONS = { name: 'M/s', of: nanoseconds => 1e3 / nanoseconds, best: 'highest' }
const gigabytes = size => ({ name: 'GB/s', of: nanoseconds => size / nanoseconds, best: 'highest' })

const ofBytes = size => ({ kind: 'bytes', size, makeMessages: () => bytes(size) })
const ofObjects = { kind: 'objects', makeMessages: objects }

const MIB = 1 << 20

export const works = {
  'roundtrip-64B': {
    ...roundtrip,
    ...ofBytes(64),
    about: '64 bytes there and back, one in flight, both processes on one core',
    pinned: true,
    unit: MICROSECONDS,
    baseline: 'limit',
  },
  'roundtrip-object': {
    ...roundtrip,
    ...ofObjects,
    about: 'a small object there and back, one in flight, both processes on one core',
    pinned: true,
    unit: MICROSECONDS,
    baseline: 'net',
  },
  'oneway-64B': {
    ...oneway,
    ...ofBytes(64),
    about: '64 bytes in one direction',
    unit: MILLIONS,
    baseline: 'net-batched',
  },
  'oneway-object': {
    ...oneway,
    ...ofObjects,
    about: 'small objects in one direction',
    unit: MILLIONS,
    baseline: 'net-batched',
  },
  'oneway-1MiB': {
    ...oneway,
    ...ofBytes(MIB),
    about: '1 MiB in one direction, a Buffer for each message',
    unit: gigabytes(MIB),
    baseline: 'limit',
  },
  'oneway-1MiB-into': {
    ...oneway,
    respond: oneway.respondInto,
    ...ofBytes(MIB),
    about: '1 MiB in one direction, received into one buffer that is used again',
    into: true,
    unit: gigabytes(MIB),
    baseline: 'limit',
  },
}
