/** Pickle by its bytes: what is written, what is read that no Python here writes, and what is refused. */
import { execFileSync } from 'node:child_process'
import { inspect, isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { python, serializers } from 'carom'
import type { FastSerializer } from '../lib/serializers/serializer.js'
import { oldPickles } from './helpers/old-pickles.mjs'

const pickle = serializers.pickle as FastSerializer
const { encode, decode } = pickle
const bytes = (text: string) => Buffer.from(text, 'latin1')
const read = (text: string) => decode(bytes(text))

test('it is not loaded before it is used', t => {
  const program = `
    const { serializers, python } = require('carom')
    const loaded = () => Object.keys(require.cache).some(path => path.endsWith('pickle.js'))
    const before = loaded()
    serializers.pickle.decode(serializers.pickle.encode(python.Tuple.of(1)))
    console.log(before, loaded())
  `
  t.is(execFileSync(process.execPath, ['-e', program], { cwd: import.meta.dirname }).toString(), 'false true\n')
})

test('it writes protocol 4', t => {
  t.deepEqual(Buffer.from(encode([1, 'a', { b: null }])), bytes('\x80\x04]\x94(K\x01\x8c\x01a}\x94(\x8c\x01bNue.'))
  t.deepEqual(Buffer.from(encode(new python.Float(1))), bytes('\x80\x04G\x3f\xf0\0\0\0\0\0\0.'))
})

const byPython2: Record<string, unknown> = {
  "'text'": 'text',
  "b'\\xff'": Buffer.from([255]),
  "u'\\u20ac'": '€',
  '5L': 5,
  '2L ** 70': 2n ** 70n,
  '1.5': 1.5,
  '[1, True, None]': [1, true, null],
  "(1, 'a')": python.Tuple.of<unknown>(1, 'a'),
  "{'a': 1}": { a: 1 },
  'set([1])': new Set([1]),
  'frozenset([1])': new python.FrozenSet([1]),
  "bytearray(b'a')": Buffer.from('a'),
  'complex(1, 2)': new python.Complex(1, 2),
  'xrange(3)': new python.Range(0, 3),
  'datetime.datetime(2020, 1, 2, 3, 4, 5, 6)': new python.DateTime(new Date(2020, 0, 2, 3, 4, 5), null, 6),
  'datetime.date(2020, 1, 2)': new python.Date(2020, 1, 2),
  'datetime.timedelta(1, 2, 3)': new python.TimeDelta(1, 2, 3),
  "decimal.Decimal('1.5')": new python.Decimal('1.5'),
  "collections.OrderedDict([('a', 1)])": new python.OrderedDict([['a', 1]]),
  "collections.defaultdict(int, {'a': 1})": new python.DefaultDict('int', [['a', 1]]),
  'collections.deque([1], 2)': Object.assign(python.Deque.of(1), { maxlen: 2 }),
  'uuid.UUID(int=5)': new python.UUID('00000000000000000000000000000005'),
}
const byNumpy1: Record<string, unknown> = {
  'numpy.arange(3, dtype="int16")': python.ndarray(Int16Array.of(0, 1, 2)),
  'numpy.arange(6.).reshape(2, 3)': python.ndarray(Float64Array.of(0, 1, 2, 3, 4, 5), [2, 3]),
  'numpy.asfortranarray(numpy.arange(6.).reshape(2, 3))': python.ndarray(Float64Array.of(0, 1, 2, 3, 4, 5), [2, 3]),
  'numpy.array([True, False])': python.ndarray(Uint8Array.of(1, 0), [2], 'bool'),
  'numpy.float64(0.5)': 0.5,
  'numpy.array([1, 2], ">i4")': python.ndarray(Int32Array.of(1, 2)),
}
for (const [maker, values] of [
  ['Python 2.7', byPython2],
  ['numpy 1.24', byNumpy1],
] as const) {
  test(`what ${maker} has written is read`, t => {
    const pickles = oldPickles(maker)
    t.deepEqual([...pickles.keys()].sort(), Object.keys(values).sort())
    for (const [expression, all] of pickles) {
      for (const message of all) {
        const got = decode(message)
        t.true(isDeepStrictEqual(got, values[expression]), `${expression}: ${inspect(got)}`)
      }
    }
  })
}

test('what Python writes only when it is large is read small, too', t => {
  t.is(read('\x8b\x02\0\0\0\xff\x7f.'), 32767)
  t.is(read('\x8b\0\0\0\0.'), 0)
  t.is(read('\x8d\x01\0\0\0\0\0\0\0a.'), 'a')
  t.deepEqual(read('\x8e\x01\0\0\0\0\0\0\0a.'), Buffer.from('a'))
  t.deepEqual(read('\x96\x01\0\0\0\0\0\0\0a.'), Buffer.from('a'))
  t.deepEqual(read('Nr\0\x01\0\0j\0\x01\0\0\x86.'), python.Tuple.of(null, null))
})

test('instructions that Python writes in rare cases are followed', t => {
  t.deepEqual(read('(K\x01K\x022l.'), [1, 2, 2])
  t.deepEqual(read('(K\x01K\x02\x30l.'), [1])
  t.is(read('K\x01(K\x02K\x031.'), 1)
  t.deepEqual(read('(K\x01K\x02d.'), new Map([[1, 2]]))
  t.deepEqual(read('(icollections\nOrderedDict\n.'), new python.OrderedDict())
  t.deepEqual(read('(cbuiltins\ncomplex\nG\0\0\0\0\0\0\0\0G\0\0\0\0\0\0\0\0o.'), new python.Complex(0))
  t.deepEqual(read('cuuid\nUUID\n)}\x92}U\x03intK\x05sb.'), new python.UUID('0'.repeat(31).concat('5')))
})

test('an object that becomes a Map is one wherever it was before', t => {
  // Itself in a list, in a list in a tuple, and in a set, as a key: all before it has a key that is no string.
  const { list, set, inner, map } = read(
    '}(U\x03map}\x94U\x04list]\x94(h\x00h\x00eU\x05inner(]\x94h\x00atU\x03set(h\x00\x91U\x01xNuh\x00K\x01K\x02s0.',
  ) as Record<string, unknown>
  t.deepEqual(map, new Map([[1, 2]]))
  t.deepEqual(list, [map, map])
  t.is((list as unknown[])[0], map)
  t.is((inner as unknown[][])[0][0], map)
  t.true((set as Set<unknown>).has(map))
})

test('keys of prototypes are properties like others', t => {
  const got = read('}(U\x09__proto__}U\x01aK\x01sU\x0bconstructorK\x02U\x08toStringK\x03u.') as object
  t.deepEqual(Object.keys(got), ['__proto__', 'constructor', 'toString'])
  t.is(Object.getPrototypeOf(got), Object.prototype)
  t.is(({} as { a?: number }).a, undefined)
  // Found by name in a table that is an object, these would be functions.
  for (const name of ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty']) {
    t.throws(() => read(`cbuiltins\n${name}\n)R.`), { message: /it names/ })
    t.throws(() => read(`c${name}\n${name}\n)R.`), { message: /it names/ })
  }
})

test('lists of floats are read alike, however they are put together', t => {
  const float = (value: number) => {
    const message = Buffer.alloc(9, 'G')
    message.writeDoubleBE(value, 1)
    return message.toString('latin1')
  }
  const run = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i + 0.5)
  const written = (values: number[]) => values.map(float).join('')
  for (const count of [1, 2, 999, 1000, 1023, 1024, 1025, 3000]) {
    const values = run(0, count)
    t.deepEqual(read(`](${written(values)}e.`), values)
    t.deepEqual(read(`](${written(values)}e(${written(run(7, 5))}e.`), [...values, ...run(7, 5)])
    t.deepEqual(read(`](${written(values)}Ne.`), [...values, null])
    t.deepEqual(read(`](${written(values)}e(${float(1.5)}Ne.`), [...values, 1.5, null])
    t.deepEqual(read(`](Ne(${written(values)}e.`), [null, ...values])
    t.deepEqual(read(`(${written(values)}l.`), values)
    t.deepEqual(read(`K\x01(${written(values)}t\x86.`), python.Tuple.of<unknown>(1, python.Tuple.from(values)))
    t.throws(() => read(`](${written(values)}`), { message: /cut short/ })
    t.throws(() => read(`](${written(values).slice(0, -1)}`), { message: /cut short/ })
    t.throws(() => read(`)(${written(values)}e.`), { message: /no list/ })
  }
})

test('encodeInto gives -1 for what does not fit, wherever the arena ends', t => {
  const cycle: Record<string, unknown> = {
    list: [1, 2.5, 'x'],
    bytes: Buffer.alloc(50),
    big: 2n ** 90n,
    date: new Date(1),
  }
  cycle.self = cycle
  const values = [cycle, 'é'.repeat(100), 'x'.repeat(300), new Float64Array(20), python.Tuple.of(1, 2, 3, 4), '\ud800']
  for (const value of values) {
    const whole = encode(value)
    for (let size = 0; size < whole.length; size++) {
      const memory = Buffer.alloc(size + 8, 7)
      t.is(pickle.encodeInto(value, memory.subarray(0, size), 0), -1)
      t.deepEqual(memory.subarray(size), Buffer.alloc(8, 7))
    }
    const arena = Buffer.alloc(whole.length + 50, 7)
    const end = pickle.encodeInto(value, arena, 20)
    t.deepEqual(arena.subarray(20, end), Buffer.from(whole))
    t.deepEqual(arena.subarray(0, 20), Buffer.alloc(20, 7))
    t.true(isDeepStrictEqual(pickle.decodeFrom(arena, 20, end), decode(whole)))
  }
})

test('a getter that encodes gets its own bytes', t => {
  const inner = { a: [1, 2] }
  const outer = {
    before: 1,
    get bytes() {
      t.is(pickle.encodeInto(inner, Buffer.alloc(100), 0), -1)
      return encode(inner)
    },
    after: inner,
  }
  const got = decode(encode(outer)) as { bytes: Buffer; after: unknown }
  t.deepEqual(decode(got.bytes), inner)
  t.deepEqual(got.after, inner)
})

test('what Python would have to refuse is refused here', t => {
  for (const value of [
    new Map<unknown, unknown>([[[1], 1]]),
    new Map([[{}, 1]]),
    new Set([new Set()]),
    new Set([python.Tuple.of<unknown>(1, [])]),
    new Set([new Float64Array(1)]),
    new Set([python.ndarray(Buffer.alloc(1))]),
    new python.DefaultDict('os.system' as 'list'),
    new Date(8.64e15),
    new Date(-1e15),
    new python.DateTime(0, 86_400),
    new python.DateTime(0, 0.5),
    new python.DateTime(0, 0, 1000),
    new python.Date(2020, 13, 1),
    new python.Date(70_000, 1, 1),
    new python.Time(24),
    new python.Time(1, 2, 3, 0.5),
    Object.assign(new Float64Array(3), { shape: [2] }),
    Object.assign(new Float64Array(3), { shape: '3' }),
    new (class Cyclic extends python.Tuple {
      constructor() {
        super()
        this.push(this)
      }
    })(),
  ]) {
    t.throws(() => encode(value), { message: /cannot be sent|too deeply/ }, inspect(value))
  }
})

test("python's values check what they are made of", t => {
  t.throws(() => new python.Decimal('1,5'), { instanceOf: SyntaxError })
  t.throws(() => new python.Decimal(`${'1'.repeat(100_000)}x`), { instanceOf: SyntaxError })
  t.throws(() => new python.UUID('x'), { instanceOf: SyntaxError })
  t.throws(() => new python.Range(0, 1, 0), { instanceOf: RangeError })
  t.throws(() => python.ndarray(new Float64Array(3), [2]), { instanceOf: RangeError })
  t.throws(() => python.ndarray(new Float64Array(1), [-1, -1]), { instanceOf: RangeError })
  t.throws(() => python.ndarray(new Float64Array(1), [1], 'bool'), { instanceOf: TypeError })
  t.deepEqual([...new python.Range(5, 0, -2)], [5, 3, 1])
  t.deepEqual([...new python.Range(2n ** 53n - 1n, 2n ** 53n + 1n)], [2 ** 53 - 1, 2n ** 53n])
  t.is(Number(new python.Decimal('1.50')), 1.5)
  t.is(`${new python.Date(987, 6, 5)}`, '0987-06-05')
  t.is(+new python.TimeDelta(-1, 1, 500), -86_398_999.5)
  t.is(+new python.Float(2), 2)
  t.is(python.ndarray(Buffer.from('ab')).buffer.byteLength > 0, true)
})
