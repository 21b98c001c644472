/**
 * The works by name. `baseline` names the peer that the others' figures are divided by, `unit` turns nanoseconds per
 * message into the figure shown, `pinned` keeps both processes on one core (a round trip on two measures how long an
 * idle core takes to wake up), `into` needs a peer that receives into a buffer of the receiver's.
 *
 * A work that is no exchange of messages over one connection names its `peers`, and where their `ends` are. It may have
 * `variants`, each of which is an entry of its own for every peer: `value` is what its ends are given, `connections` what
 * one process holds, `python` what the `program` in Python is given. `baselineVariant`: each peer's figures are divided
 * by its own in that variant. `compared` and `share` make its first round and its others shorter than usual, or longer.
 * `fresh`: each round is one message between two processes of its own.
 */
import * as accept from './accept.mjs'
import * as childStart from './child-start.mjs'
import * as fanIn from './fan-in.mjs'
import * as memory from './memory.mjs'
import { bytes, objects } from './messages.mjs'
import * as oneway from './oneway.mjs'
import * as roundtrip from './roundtrip.mjs'
import * as silent from './silent.mjs'
import * as wait from './wait.mjs'

const MICROSECONDS = { name: 'µs', of: nanoseconds => nanoseconds / 1e3, best: 'lowest' }
const MILLISECONDS = { name: 'ms', of: nanoseconds => nanoseconds / 1e6, best: 'lowest' }
const PER_SECOND = { name: '/s', of: nanoseconds => 1e9 / nanoseconds, best: 'highest' }
const MILLIONS = { name: 'M/s', of: nanoseconds => 1e3 / nanoseconds, best: 'highest' }
const MEBIBYTES = { name: 'MiB', of: bytes => bytes / MIB, best: 'lowest' }
const gigabytes = size => ({ name: 'GB/s', of: nanoseconds => size / nanoseconds, best: 'highest' })

const ofBytes = size => ({ kind: 'bytes', size, makeMessages: () => bytes(size) })
const ofObjects = { kind: 'objects', makeMessages: objects }

const MIB = 1 << 20

const throughput = size => ({ ...oneway, ...ofBytes(size), baseline: 'limit', unit: gigabytes(size) })
const throughputInto = size => ({ ...throughput(size), respond: oneway.respondInto, into: true })
/** Comparing every byte of a hundred large messages takes longer than all that is measured. */
const LARGE = { compared: 2 }

/** Into one process, `through` which of carom's forms. */
const ofSenders = (through, peers) => ({
  ...fanIn,
  makeMessages: () => bytes(64),
  ends: 'fan-in/',
  peers,
  variants: Object.fromEntries([4, 64, 1000].map(count => [count, { value: { count, through }, connections: count }])),
  baseline: 'net-batched',
  unit: MILLIONS,
})

const ofReceiver = {
  ...memory,
  ...ofBytes(64 * MIB),
  fresh: true,
  unit: MEBIBYTES,
}

/** Each connection has something `run` times in a row. */
const ofConnections = run => ({
  makeMessages: () => bytes(64),
  ends: 'wait/',
  peers: ['carom', 'carom-sync', 'python'],
  program: 'wait',
  variants: Object.fromEntries(
    [10, 100, 1000, 10_000].map(count => [count, { value: { count, run }, connections: count, python: [count, run] }]),
  ),
  baselineVariant: '10',
  pinned: true,
  unit: MICROSECONDS,
})

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
  'roundtrip-64B-free': {
    ...roundtrip,
    ...ofBytes(64),
    about: '64 bytes there and back, one in flight, both processes on any core',
    unit: MICROSECONDS,
    baseline: 'limit',
  },
  'roundtrip-object-free': {
    ...roundtrip,
    ...ofObjects,
    about: 'a small object there and back, one in flight, both processes on any core',
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
  'oneway-1KiB': {
    ...oneway,
    ...ofBytes(1024),
    about: '1 KiB in one direction',
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
  'oneway-1MiB': { ...throughput(MIB), about: '1 MiB in one direction, a Buffer for each message' },
  'oneway-1MiB-into': {
    ...throughputInto(MIB),
    about: '1 MiB in one direction, received into one buffer that is used again',
  },
  'oneway-64MiB': { ...throughput(64 * MIB), ...LARGE, about: '64 MiB in one direction, a Buffer for each message' },
  'oneway-64MiB-into': {
    ...throughputInto(64 * MIB),
    ...LARGE,
    about: '64 MiB in one direction, received into one buffer that is used again',
  },
  'fan-in-wait': {
    ...ofSenders('wait', ['carom', 'carom-sync', 'net-batched']),
    about: '64 bytes from so many connections into one process, carom: wait and a receive of each that is ready',
  },
  'fan-in-recv': {
    ...ofSenders('recv', ['carom', 'net-batched']),
    about: '64 bytes from so many connections into one process, carom: a pending receive on each',
  },
  wait: {
    ...wait,
    ...ofConnections(100),
    about: 'wait for so many connections, one of which has 64 bytes, and answer it: the same one a hundred times',
  },
  'wait-each': {
    ...wait,
    ...ofConnections(1),
    about: 'the same, another one each time: what it needs is no longer in the cache',
  },
  accept: {
    ...accept,
    about: 'accept and authenticate over a Unix socket, so many clients at once; connections a second',
    makeMessages: () => bytes(64),
    ends: 'accept/',
    peers: ['carom', 'carom-sync', 'python'],
    // What CPython is fastest with, of threads or processes for the clients, and 1, 4 or 16 threads that accept.
    program: 'accept',
    variants: { 1: { value: 1, python: [1] }, 16: { value: 16, python: [16, 'threads', 4] } },
    baseline: 'python',
    unit: PER_SECOND,
  },
  silent: {
    ...silent,
    about: 'a client with the key gets through past 1000 silent ones: in handshakes, or before it in the queue',
    makeMessages: () => bytes(64),
    ends: 'silent/',
    // Of CPython a single silent client holds the listener up for ever.
    peers: ['carom', 'carom-sync'],
    variants: {
      handshakes: { value: 'handshakes', connections: 1000 },
      queue: { value: 'queue', connections: 1000 },
    },
    compared: 5,
    share: 1 / 4,
    unit: MILLISECONDS,
  },
  'child-start': {
    ...childStart,
    about: 'from the start of a child to its first message: Process, and a bare fork of the same module',
    makeMessages: objects,
    ends: 'start/',
    peers: ['carom', 'child-process'],
    compared: 3,
    share: 4,
    unit: MILLISECONDS,
    baseline: 'child-process',
  },
  'memory-64MiB': {
    ...ofReceiver,
    about: 'what the receiver of one message of 64 MiB grows by at its peak, a Buffer for the message',
    peers: ['carom', 'carom-sync', 'child-process', 'net', 'net-batched', 'zeromq'],
    baseline: 'net',
  },
  'memory-64MiB-into': {
    ...ofReceiver,
    respond: memory.respondInto,
    about: "the same, received into a buffer of the receiver's",
    into: true,
    peers: ['carom', 'carom-sync'],
  },
}
