import test from 'ava'
import { serializers } from 'carom'
import * as msgpackr from 'msgpackr'
import type { FastSerializer } from '../lib/serializers/serializer.js'

const msgpack = serializers.msgpack as FastSerializer
const small = { id: 1, name: 'x', tags: ['red', 'green'], nested: { f: 1.5, long: 'x'.repeat(100), n: 5n } }

/** Puts a message between bytes that do not belong to it. */
function within(bytes: Uint8Array, before: number, after: number): Buffer {
  return Buffer.concat([Buffer.alloc(before, 0xa3), bytes, Buffer.alloc(after, 0x81)])
}

test('encodeInto writes at its place, and nothing before it', t => {
  const arena = Buffer.alloc(1000, 7)
  for (const at of [0, 1, 500]) {
    arena.fill(7)
    const end = msgpack.encodeInto(small, arena, at)
    t.deepEqual(arena.subarray(at, end), Buffer.from(msgpack.encode(small)))
    t.deepEqual(arena.subarray(0, at), Buffer.alloc(at, 7))
  }
})

test('encodeInto gives -1 for what does not fit, wherever the arena ends', t => {
  const values = [
    small,
    'é'.repeat(100),
    'x'.repeat(200),
    Buffer.alloc(200),
    new Float64Array(20),
    [new Date(1), 2n ** 90n],
  ]
  for (const value of values) {
    const bytes = msgpack.encode(value)
    for (let size = 0; size < bytes.length; size++) {
      const memory = Buffer.alloc(size + 8, 7)
      t.is(msgpack.encodeInto(value, memory.subarray(0, size), 0), -1)
      t.deepEqual(memory.subarray(size), Buffer.alloc(8, 7))
    }
    t.is(msgpack.encodeInto(value, Buffer.alloc(bytes.length + 16), 0), bytes.length)
  }
})

test('a value longer than any buffer at hand is encoded', t => {
  const value = Array.from({ length: 50_000 }, (_, i) => ({ i, text: `number ${i}`, half: i / 2 }))
  t.is(msgpack.encodeInto(value, Buffer.alloc(65536), 0), -1)
  t.deepEqual(msgpack.decode(msgpack.encode(value)), value)
})

test('decodeFrom reads at every offset, as far as told, and keeps no part of its source', t => {
  const value = [
    small,
    Buffer.from('bytes'),
    new Float64Array([1.5, 2.5]),
    new BigInt64Array([5n]),
    Uint8Array.of(1, 2).buffer,
    2n ** 80n,
  ]
  const bytes = msgpack.encode(value)
  for (let before = 0; before < 16; before++) {
    const source = within(bytes, before, 20)
    const got = msgpack.decodeFrom(source, before, before + bytes.length)
    source.fill(0)
    t.deepEqual(got, value)
  }
  const floats = msgpack.decode(msgpack.encode(new Float64Array([1.5]))) as Float64Array
  t.is(floats.buffer.byteLength, 8)
})

test('a message that is cut short, or followed by something, is refused, whatever lies behind it', t => {
  const bytes = msgpack.encode([
    small,
    new Map([['a', 1]]),
    new Error('x'),
    Buffer.alloc(3),
    new Date(1),
    2n ** 70n,
    /a/,
    undefined,
  ])
  for (let end = 0; end < bytes.length; end++) {
    t.throws(() => msgpack.decode(bytes.subarray(0, end)), { instanceOf: Error })
    t.throws(() => msgpack.decodeFrom(within(bytes, 3, 20), 3, 3 + end), { instanceOf: Error })
  }
  t.throws(() => msgpack.decode(within(bytes, 0, 1)), { instanceOf: Error })
  for (const bytes of ['d9', 'c4', 'c7', 'd4', 'cc', 'cd01', '81', '81a161']) {
    t.throws(() => msgpack.decode(Buffer.from(bytes, 'hex')), { instanceOf: Error }, bytes)
  }
})

test('an encoding that fails leaves nothing behind', t => {
  const arena = Buffer.alloc(1000)
  for (let i = 0; i < 3; i++) {
    t.throws(() => msgpack.encodeInto({ a: [{ b: () => 1 }] }, arena, 0))
    t.throws(() => msgpack.encode({ a: [{ b: () => 1 }] }))
    t.is(msgpack.encodeInto([[['x'.repeat(2000)]]], arena, 0), -1)
    const end = msgpack.encodeInto(small, arena, 100)
    t.deepEqual(msgpack.decodeFrom(arena, 100, end), small)
  }
})

test('a getter may encode, and may fail', t => {
  const arena = Buffer.alloc(1000)
  const failing = new Error('not with me')
  let inner: unknown
  const value = {
    before: 'text',
    get first() {
      t.is(msgpack.encodeInto(small, arena, 0), -1)
      inner = msgpack.decode(msgpack.encode(small))
      t.throws(() =>
        msgpack.encode({
          get a() {
            throw failing
          },
        }),
      )
      return 1
    },
    get second() {
      t.is(msgpack.encodeInto(small, arena, 0), -1)
      return msgpackr.unpack(msgpackr.pack(small)).id
    },
    after: [1.5],
  }
  const expected = { before: 'text', first: 1, second: 1, after: [1.5] }
  t.deepEqual(msgpack.decodeFrom(arena, 0, msgpack.encodeInto(value, arena, 0)), expected)
  t.deepEqual(inner, small)
  t.deepEqual(msgpack.decode(msgpack.encode(value)), expected)
  t.is(
    t.throws(() =>
      msgpack.encode({
        get a() {
          throw failing
        },
      }),
    ),
    failing,
  )
})

test("the program's own msgpackr never writes into the arena, nor do its extensions count here", t => {
  class Own {}
  msgpackr.addExtension({ Class: Own, type: 0x42, pack: () => Buffer.of(1), unpack: () => 'not a bigint' })
  const arena = Buffer.alloc(1000)
  const value = [2n ** 70n, new Date(5)]
  const end = msgpack.encodeInto(value, arena, 0)
  const before = Buffer.from(arena)
  for (let i = 0; i < 10; i++) msgpackr.pack({ a: 'something else', b: [i, 2n ** 60n] })
  t.deepEqual(arena, before)
  t.deepEqual(msgpack.decodeFrom(arena, 0, end), value)
})

test('a Map or Set that a getter changes is not sent half', t => {
  const map = new Map<string, unknown>()
  map.set('a', {
    get b() {
      map.set('c', 1)
      return 1
    },
  })
  t.throws(() => msgpack.encode(map))
  const set = new Set<unknown>([1])
  set.add({
    get b() {
      set.delete(1)
      set.add(2).add(3)
      return 1
    },
  })
  t.throws(() => msgpack.encode(set))
})

/** Messages that are short, and announce much. */
const hostile: Record<string, string> = {
  'an array of four billion': 'ddffffffff',
  'arrays within arrays, each as long as the message': 'dd0000fff0'.repeat(13_000),
  'a map of four billion': 'dfffffffff',
  'a Map of four billion': 'd44d00dfffffffff',
  'a string of four gigabytes': 'dbffffffff',
  'bytes of four gigabytes': 'c6ffffffff',
  'an extension of four gigabytes': 'c9ffffffff74',
  'a million arrays within each other': '91'.repeat(1_000_000),
  'a million errors within each other': 'd46500'.repeat(1_000_000),
  'a million maps within each other': '81a161'.repeat(1_000_000),
  'an extension that nobody knows': 'd45100',
  'an extension that nobody knows, of four bytes': 'd65101020304',
  "msgpackr's record": 'd4724091a16101',
  "msgpackr's reference to a record": 'd5724001',
  "msgpackr's bundle of strings": 'd662ffffff00c0',
  "msgpackr's pointers": '92d6690000000190d67000000001',
  'the byte that is never used': 'c1',
  'a string that is not UTF-8': 'a2c328',
  'a long string that is not UTF-8': `d940${'ff'.repeat(64)}`,
  'half a surrogate pair in UTF-8': 'a3eda080',
  'UTF-16 with half a character': 'c70375610061',
  'a typed array of half an element': 'c7067408aabbccddee',
  'a typed array of an unknown class': 'c702747f00',
  'a typed array without a class': 'c70074',
  'a timestamp of seven bytes': 'c707ff00000000000000',
  'a timestamp with too many nanoseconds': 'c70cffffffffff0000000000000000',
  'a bigint without a byte': 'c70042',
  'a Set of no array': 'd47300a161',
  'a regular expression that is none': 'd4780092a128a0',
  'a regular expression of numbers': 'd478009201a0',
  'an error without a message': 'd4650091a161',
  'an error of no array': 'd465007b',
  'an error with its stack for a property': 'd4650095a54572726f72a0c0c081a5737461636b01',
  'a boxed object': 'd4500080',
  'a Map of no map': 'd44d0090',
}

for (const [what, bytes] of Object.entries(hostile)) {
  test(`${what} is refused, without much work or memory`, t => {
    const message = Buffer.from(bytes, 'hex')
    const before = process.memoryUsage()
    const start = performance.now()
    const error = t.throws(() => msgpack.decode(message), { instanceOf: Error })
    t.true(performance.now() - start < 2000)
    const { heapTotal, arrayBuffers } = process.memoryUsage()
    t.true(heapTotal + arrayBuffers - before.heapTotal - before.arrayBuffers < 200e6)
    t.regex(error.message, /^The (message|value) /)
    t.deepEqual(msgpack.decode(msgpack.encode(small)), small)
  })
}

test('an error constructs nothing but errors, whatever its name is', t => {
  for (const name of ['constructor', '__proto__', 'Function', 'Object', 'toString', 'Promise', 'eval', '']) {
    const bytes = Buffer.concat([Buffer.from('d4650092', 'hex'), msgpack.encode(name), msgpack.encode('text')])
    const error = msgpack.decode(bytes) as Error
    t.is(Object.getPrototypeOf(error), Error.prototype)
    t.deepEqual([error.name, error.message], [name, 'text'])
  }
})

test('the same key twice is the last one', t => {
  t.deepEqual(msgpack.decode(Buffer.from('82a16101a16102', 'hex')), { a: 2 })
})

test('a wrapper keeps its own functions when it is made by spreading', t => {
  const wrapped = { ...serializers.msgpack, encode: () => Buffer.of(1) }
  t.false('encodeInto' in wrapped)
  t.false('decodeFrom' in wrapped)
})
