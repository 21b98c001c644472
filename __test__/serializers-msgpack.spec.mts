import { inspect, isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { serializers } from 'carom'
import fc from 'fast-check'
import * as msgpackr from 'msgpackr'

const { encode, decode } = serializers.msgpack
const over = (value: unknown): unknown => decode(encode(value))
const hex = (value: unknown): string => Buffer.from(encode(value)).toString('hex')
const unhex = (text: string): unknown => decode(Buffer.from(text, 'hex'))

class Point {
  x = 1
  #hidden = 2
  get y() {
    return this.#hidden
  }
  toJSON() {
    return 'never called'
  }
}

const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key ${i}`, i]))
const huge = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key ${i}`, i]))

const carried: Record<string, unknown[]> = {
  'null, undefined and booleans': [null, undefined, true, false],
  integers: [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, -1, -32, -33, -128, -129],
  'integers beyond 16 and 32 bits': [-32768, -32769, -(2 ** 31), 2 ** 32, -(2 ** 31) - 1, 2 ** 53, -(2 ** 53)],
  'other numbers': [1.5, -1e300, Number.MIN_VALUE, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  bigints: [0n, 5n, -5n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n) - 1n],
  'long bigints': [3n ** 200n, -(3n ** 200n), 2n ** 10_000n, -(2n ** 65_600n)],
  strings: [
    '',
    'a',
    'x'.repeat(31),
    'x'.repeat(32),
    'x'.repeat(256),
    'x'.repeat(65536),
    'Zoë',
    '東京',
    '😀'.repeat(20_000),
  ],
  'strings that a decoder may spoil': ['\ufeffmark', '\ufffd', `${'x'.repeat(50)}\ufffd`, '\u0000'],
  'strings with half a surrogate pair': ['\ud800', 'before \udfff after', `${'x'.repeat(100)}\ud83d`],
  arrays: [[], [1, 'a', null, [[]]], Array.from({ length: 20 }, (_, i) => i), new Array(70_000).fill(true)],
  objects: [{}, { a: 1 }, many, huge, { '': 1, 'key of more than thirty-two characters': 2, ü: 3, '\ud800': 4, 1: 5 }],
  Maps: [
    new Map(),
    new Map([['a', 1]]),
    new Map<unknown, unknown>([
      [{}, 1],
      ['b', new Map()],
      [undefined, [1]],
    ]),
    new Map(Object.entries(many)),
  ],
  'a Map in the order in which it was filled': [
    [
      ...new Map<unknown, unknown>([
        ['b', 1],
        ['1', 2],
        [5, 3],
        ['0', 4],
      ]),
    ],
  ],
  Sets: [
    new Set(),
    new Set([1, 'a', null]),
    new Set([new Set(), [1]]),
    new Set(Array.from({ length: 20 }, (_, i) => i)),
  ],
  Dates: [0, 1, 999, 1000, -1, -1001, 2 ** 32 * 1000, 2 ** 34 * 1000, 1_700_000_000_123, 8.64e15, -8.64e15].map(
    time => new Date(time),
  ),
  'regular expressions': [/a+/, /[/\]"]é/giu, /(?:)/],
  'typed arrays': [
    new Int8Array([-1]),
    new Uint8ClampedArray([255]),
    new Int16Array([-2, 3]),
    new Uint16Array(),
    new Int32Array([1]),
    new Uint32Array([2 ** 32 - 1]),
    new Float32Array([0.5]),
    new Float64Array(1000).fill(0.1),
    new BigInt64Array([-5n]),
    new BigUint64Array([2n ** 64n - 1n]),
  ],
  'memory and views of it': [
    new ArrayBuffer(0),
    Uint8Array.of(1, 2, 3).buffer,
    new DataView(Uint8Array.of(1, 2, 3).buffer),
  ],
  Buffers: [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(256, 1), Buffer.alloc(70_000, 2)],
  'boxed primitives': [Object(1), Object('text'), Object(false), Object(5n)],
}

for (const [what, values] of Object.entries(carried)) {
  test(`${what} arrive as what they were`, t => {
    for (const value of values) {
      t.true(isDeepStrictEqual(over(value), value), inspect(value).slice(0, 100))
      // Within others, and so at other offsets.
      for (const around of [[value], { a: 1, value }, [['x', new Map([['key', value]])]]]) {
        t.true(isDeepStrictEqual(over(around), around), inspect(value).slice(0, 100))
      }
    }
  })
}

/** What is to arrive: some things change, as the contract says. */
function arriving(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (value instanceof Number) return Object(arriving(value.valueOf()))
  if (Array.isArray(value)) return Array.from(value, arriving)
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [arriving(key), arriving(item)]))
  if (value instanceof Set) return new Set(Array.from(value, arriving))
  if (value instanceof Uint8Array) return Buffer.from(value)
  const prototype = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined
  if (prototype !== null && prototype !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, arriving(item)]))
}

test('whatever it is, it arrives', t => {
  const anything = fc.anything({
    // All that it has by itself, but no invalid Date, which is not equal to another one.
    values: [
      fc.boolean(),
      fc.integer(),
      fc.double(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(null, undefined),
      fc.date({ noInvalidDate: true }),
    ],
    withBigInt: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
    withBoxedValues: true,
    maxDepth: 4,
  })
  fc.assert(
    fc.property(anything, value => isDeepStrictEqual(over(value), arriving(value))),
    { numRuns: 2000 },
  )
  t.pass()
})

test('strings arrive, whatever they are made of and however long they are', t => {
  const units = fc.array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.constantFrom(0xd800, 0xdc00, 0xfffd)), {
    maxLength: 300,
  })
  fc.assert(
    fc.property(units, codes => {
      const text = String.fromCharCode(...codes)
      return over(text) === text && isDeepStrictEqual(over({ [text]: text }), { [text]: text })
    }),
  )
  t.pass()
})

test('an invalid Date arrives as one', t => {
  const got = over(new Date(Number.NaN))
  t.true(got instanceof Date)
  t.true(Number.isNaN((got as Date).getTime()))
})

test('-0 arrives as 0', t => {
  t.true(Object.is(over(-0), 0))
  t.true(Object.is((over([-0]) as number[])[0], 0))
})

test('a hole in an array arrives as undefined, and a long array must not have one', t => {
  // biome-ignore lint/suspicious/noSparseArray: the point
  t.deepEqual(over([1, , 3]), [1, undefined, 3])
  t.throws(() => encode(new Array(2 ** 32 - 1)))
  t.is((over(new Array(2_000_000).fill(undefined)) as unknown[]).length, 2_000_000)
})

test('a Uint8Array arrives as a Buffer', t => {
  const got = over(Uint8Array.of(1, 2))
  t.true(Buffer.isBuffer(got))
  t.deepEqual(got, Buffer.of(1, 2))
  t.deepEqual(over(new Uint8Array(new SharedArrayBuffer(2))), Buffer.alloc(2))
})

test('an instance of a class arrives as a plain object of its own enumerable properties', t => {
  for (let i = 0; i < 2; i++) {
    const got = over(new Point())
    t.deepEqual(got, { x: 1 })
    t.is(Object.getPrototypeOf(got), Object.prototype)
  }
  t.deepEqual(over(Object.assign(Object.create({ inherited: 1 }), { a: 1 })), { a: 1 })
  t.deepEqual(over(Object.defineProperty({ a: 1 }, 'hidden', { value: 2 })), { a: 1 })
})

test('an object without a prototype arrives as one that has one', t => {
  const got = over(Object.assign(Object.create(null), { a: 1 }))
  t.deepEqual(got, { a: 1 })
  t.is(Object.getPrototypeOf(got), Object.prototype)
})

test('a getter is called', t => {
  t.deepEqual(
    over({
      get a() {
        return [1]
      },
    }),
    { a: [1] },
  )
})

test('keys with a meaning to JavaScript are keys like others', t => {
  const value = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":2},"hasOwnProperty":3,"toJSON":4}')
  const got = over([value]) as Record<string, unknown>[]
  t.is(JSON.stringify(got[0]), JSON.stringify(value))
  t.is(Object.getPrototypeOf(got[0]), Object.prototype)
  t.is(({} as { polluted?: unknown }).polluted, undefined)
})

test('an Error arrives with its class, cause, code, stack and properties', t => {
  const cause = new RangeError('inner')
  const error = Object.assign(new TypeError('outer', { cause }), { code: 'E_CODE', errno: -2, path: undefined })
  const got = over(error) as typeof error
  t.true(got instanceof TypeError)
  t.is(Object.prototype.toString.call(got), '[object Error]')
  t.deepEqual(
    [got.name, got.message, got.stack, got.code, got.errno],
    ['TypeError', 'outer', error.stack, 'E_CODE', -2],
  )
  t.true('path' in got)
  t.true(got.cause instanceof RangeError)
  t.is((got.cause as Error).message, 'inner')
  t.deepEqual(Object.keys(got).sort(), ['code', 'errno', 'path'])
  t.false('cause' in (over(new Error('without')) as Error))
})

test('an error of a class that the receiver may not have arrives as an Error of its name', t => {
  class OwnError extends SyntaxError {
    override name = 'OwnError'
  }
  const own = over(new OwnError('mine')) as Error
  t.is(Object.getPrototypeOf(own), Error.prototype)
  t.is(String(own), 'OwnError: mine')
  t.deepEqual(Object.keys(own), [])

  const aborted = over(AbortSignal.abort().reason) as Error & { code: unknown }
  t.deepEqual([aborted.name, aborted.code], ['AbortError', 20])

  const all = over(new AggregateError([new Error('one'), 2], 'all')) as AggregateError
  t.true(all instanceof AggregateError)
  t.is(all.errors[0].message, 'one')
  t.is(all.errors[1], 2)
})

test('an object that occurs twice is written twice', t => {
  const shared = { a: 1 }
  const [one, two] = over([shared, shared]) as object[]
  t.deepEqual([one, two], [shared, shared])
  t.not(one, two)
})

test('what is sent can be written again at once', t => {
  const bytes = encode({ a: 1, b: 'first' })
  encode({ a: 2, b: 'other' })
  t.deepEqual(decode(bytes), { a: 1, b: 'first' })
})

test('msgpackr reads what is written, and what it writes is read', t => {
  const peer = new msgpackr.Packr({
    useRecords: false,
    moreTypes: true,
    useBigIntExtension: true,
    int64AsType: 'bigint',
  })
  const values = [
    { plain: [1, -200, 1.5, 'text', null, true, { deep: [] }], none: undefined },
    [
      new Set([1]),
      /a+/g,
      new Date(123),
      new Date(1e12),
      new Date(-1),
      new Float64Array([1.5]),
      new DataView(new ArrayBuffer(2)),
    ],
    [2n ** 70n, -(2n ** 200n), 5n, Buffer.from('bytes')],
  ]
  for (const value of values) {
    t.deepEqual(peer.unpack(encode(value)), value)
    t.deepEqual(decode(peer.pack(value)), value)
  }
  for (const error of [peer.unpack(encode(new TypeError('t'))), decode(peer.pack(new TypeError('t')))]) {
    t.true(error instanceof TypeError)
    t.is((error as Error).message, 't')
  }
})

// Recorded with CPython 3.11 and msgpack 1.2.4: what `packb` gives, and what it is to be here.
const fromPython: [string, unknown][] = [
  ['c0', null],
  ['c3', true],
  ['00', 0],
  ['7f', 127],
  ['cc80', 128],
  ['d0df', -33],
  ['d1ff7f', -129],
  ['ce80000000', 2 ** 31],
  ['ceffffffff', 2 ** 32 - 1],
  ['d280000000', -(2 ** 31)],
  ['cf0000000100000000', 2n ** 32n],
  ['cf0000010000000000', 2n ** 40n],
  ['d3ffffffff7fffffff', -(2n ** 31n) - 1n],
  ['cf8000000000000000', 2n ** 63n],
  ['cfffffffffffffffff', 2n ** 64n - 1n],
  ['d38000000000000000', -(2n ** 63n)],
  ['cb3ff8000000000000', 1.5],
  ['cb7ff0000000000000', Number.POSITIVE_INFINITY],
  ['a0', ''],
  ['b05a6fc3ab20e69db1e4baac20f09f9880', 'Zoë 東京 😀'],
  [`d928${'78'.repeat(40)}`, 'x'.repeat(40)],
  ['c40200ff', Buffer.of(0, 255)],
  ['92019102', [1, [2]]],
  ['dc0014000102030405060708090a0b0c0d0e0f10111213', Array.from({ length: 20 }, (_, i) => i)],
  ['82a16101a16291c0', { a: 1, b: [null] }],
  ['8101a161', new Map([[1, 'a']])],
  [
    '82a1610102a162',
    new Map<unknown, unknown>([
      ['a', 1],
      [2, 'b'],
    ]),
  ],
  ['81c0c3', new Map([[null, true]])],
  ['81c4016bcb3ff4000000000000', new Map([[Buffer.from('k'), 1.25]])],
  ['d7ffbc1cbd0065e079f0', new Date('2024-02-29T12:34:56.789Z')],
  ['c70cff00000000ffffffffffffffff', new Date(-1000)],
]

test('what Python packs arrives, its integers beyond 32 bits as bigints, its other dicts as Maps', t => {
  for (const [bytes, value] of fromPython) t.deepEqual(unhex(bytes), value)
})

// What the same Python's `unpackb` was seen to read, as it prints it.
const toPython: [unknown, string, printed: string][] = [
  [null, 'c0', 'None'],
  [-0, '00', '0'],
  [255, 'ccff', '255'],
  [2 ** 32 - 1, 'ceffffffff', '4294967295'],
  [-(2 ** 31), 'd280000000', '-2147483648'],
  [2 ** 32, 'cb41f0000000000000', '4294967296.0'],
  [-(2 ** 31) - 1, 'cbc1e0000000200000', '-2147483649.0'],
  [5n, 'd30000000000000005', '5'],
  [2n ** 64n - 1n, 'cfffffffffffffffff', '18446744073709551615'],
  [-(2n ** 63n), 'd38000000000000000', '-9223372036854775808'],
  ['Zoë 東京 😀', 'b05a6fc3ab20e69db1e4baac20f09f9880', "'Zoë 東京 😀'"],
  ['é'.repeat(100), `d9c8${'c3a9'.repeat(100)}`, `'${'é'.repeat(100)}'`],
  [Buffer.of(0, 255), 'c40200ff', String.raw`b'\x00\xff'`],
  [{ a: 1, b: [null] }, '82a16101a16291c0', "{'a': 1, 'b': [None]}"],
]

test('Python reads plain values and bytes', t => {
  for (const [value, bytes, printed] of toPython) t.is(hex(value), bytes, printed)
})
