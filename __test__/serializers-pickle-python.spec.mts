/** Pickle with every Python that is here, both ways: each type by each protocol. */
import { inspect, isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { python, serializers } from 'carom'
import fc from 'fast-check'
import { PicklingPython } from './helpers/pickles.mjs'
import { modern, needsPackages, type Python, packaged, pythons } from './helpers/pythons.mjs'
import { turn } from './helpers/turns.mjs'

interface Row {
  /** What Python sends. */
  from: string
  /** What it is here. */
  value: unknown
  /** What Python gets when that is sent back, if it is something else. */
  back?: string
}

const T = python.Tuple
const text = 'a\n\\\\u20ac\u{1f600}é\0\u001a'

const plain: Row[] = [
  { from: 'None', value: null },
  { from: 'True', value: true },
  { from: 'False', value: false },
  ...[0, 1, -1, 127, 255, 256, 65535, 65536, -32768, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53 - 1, 1 - 2 ** 53].map(
    value => ({ from: `${value}`, value }),
  ),
  ...[2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, -(2n ** 1000n), 2n ** 2040n].map(
    value => ({ from: `${value}`, value }),
  ),
  ...[0.5, -2.25, 1e300, 5e-324].map(value => ({ from: `${value}`, value })),
  { from: '1.0', value: 1, back: '1' },
  { from: 'float("inf")', value: Number.POSITIVE_INFINITY },
  { from: '-float("inf")', value: Number.NEGATIVE_INFINITY },
  { from: 'float("nan")', value: Number.NaN },
  { from: '""', value: '' },
  { from: JSON.stringify(text).replace('\\u0000', '\\x00'), value: text },
  { from: '"x" * 300', value: 'x'.repeat(300) },
  { from: '"é" * 200', value: 'é'.repeat(200) },
  { from: '"\\udc80half"', value: '\udc80half' },
  { from: 'b""', value: Buffer.alloc(0) },
  { from: 'b"a\\x00\\xff"', value: Buffer.from('a\0\xff', 'latin1') },
  { from: 'bytes(300)', value: Buffer.alloc(300) },
  { from: 'bytearray(b"a\\xff")', value: Buffer.from('a\xff', 'latin1'), back: 'b"a\\xff"' },
  { from: 'bytearray()', value: Buffer.alloc(0), back: 'b""' },
  { from: '[]', value: [] },
  { from: '[1]', value: [1] },
  { from: '[1, [2, "x"], 0.5]', value: [1, [2, 'x'], 0.5] },
  { from: 'list(range(2500))', value: Array.from({ length: 2500 }, (_, i) => i) },
  { from: '[i / 3 + 0.1 for i in range(2500)]', value: Array.from({ length: 2500 }, (_, i) => i / 3 + 0.1) },
  { from: '[0.5] * 1000 + ["x"] + [0.5] * 3', value: [...Array(1000).fill(0.5), 'x', 0.5, 0.5, 0.5] },
  { from: '{}', value: {} },
  { from: '{"a": 1}', value: { a: 1 } },
  { from: '{"a": {"b": [None]}, "c": "d"}', value: { a: { b: [null] }, c: 'd' } },
  { from: '{1: "a", "b": 2}', value: new Map<unknown, unknown>([[1, 'a'], ['b', 2]]) }, // biome-ignore format: one row
  { from: '{(1, "a"): 2}', value: new Map([[T.of<unknown>(1, 'a'), 2]]) },
  {
    from: 'dict([("k%d" % i, i) for i in range(1500)] + [(1, 2)])',
    value: new Map<unknown, unknown>([...Array.from({ length: 1500 }, (_, i) => [`k${i}`, i] as const), [1, 2]]),
  },
  { from: 'set()', value: new Set() },
  { from: '{1}', value: new Set([1]) },
  { from: '{1, 2, 3}', value: new Set([1, 2, 3]) },
  { from: 'frozenset()', value: new python.FrozenSet() },
  { from: 'frozenset([1, 2])', value: new python.FrozenSet([1, 2]) },
  { from: '{frozenset([1])}', value: new Set([new python.FrozenSet([1])]) },
  { from: '()', value: T.of() },
  { from: '(1,)', value: T.of(1) },
  { from: '(1, "b")', value: T.of<unknown>(1, 'b') },
  { from: '(1, 2, (3,))', value: T.of<unknown>(1, 2, T.of(3)) },
  { from: '(1, 2, 3, [4])', value: T.of<unknown>(1, 2, 3, [4]) },
  { from: 'complex(1.5, -2)', value: new python.Complex(1.5, -2) },
  { from: 'decimal.Decimal("1.50")', value: new python.Decimal('1.50') },
  { from: 'decimal.Decimal("-1E+400")', value: new python.Decimal('-1E+400') },
  { from: 'decimal.Decimal("Infinity")', value: new python.Decimal('Infinity') },
  { from: 'range(5)', value: new python.Range(0, 5) },
  { from: 'range(2**70, 1, -3)', value: new python.Range(2n ** 70n, 1, -3) },
  { from: 'datetime.date(2020, 2, 29)', value: new python.Date(2020, 2, 29) },
  { from: 'datetime.time(1, 2, 3, 4)', value: new python.Time(1, 2, 3, 4) },
  {
    from: 'datetime.time(23, 59, 59, 999999, zone(0, -3600))',
    value: new python.Time(23, 59, 59, 999_999, -3600),
  },
  { from: 'datetime.timedelta(-1, 2, 3)', value: new python.TimeDelta(-1, 2, 3) },
  {
    from: 'datetime.datetime(2020, 1, 2, 3, 4, 5, 678000, datetime.timezone.utc)',
    value: new Date('2020-01-02T03:04:05.678Z'),
  },
  {
    from: 'datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)',
    value: new Date('0001-01-01T00:00:00Z'),
  },
  {
    from: 'datetime.datetime(2020, 1, 2, 3, 4, 5, 678901, zone(0, 19800))',
    value: new python.DateTime(Date.parse('2020-01-02T03:04:05.678+05:30'), 19_800, 901),
  },
  {
    from: 'datetime.datetime(2020, 1, 2, 3, 4, 5, 6)',
    value: new python.DateTime(new Date(2020, 0, 2, 3, 4, 5), null, 6),
  },
  {
    from: 'datetime.datetime(99, 12, 31, 23, 59, 59, 999999)',
    value: new python.DateTime(new Date(new Date(2000, 11, 31, 23, 59, 59, 999).setFullYear(99)), null, 999),
  },
  { from: 'collections.OrderedDict([("b", 1), ("a", [2])])', value: new python.OrderedDict<unknown, unknown>([['b', 1], ['a', [2]]]) }, // biome-ignore format: one row
  { from: 'collections.OrderedDict()', value: new python.OrderedDict() },
  { from: 'collections.defaultdict(list, {1: [2]})', value: new python.DefaultDict('list', [[1, [2]]]) },
  { from: 'collections.defaultdict(None, {"a": 2})', value: new python.DefaultDict(null, [['a', 2]]) },
  {
    from: 'collections.defaultdict(collections.OrderedDict)',
    value: new python.DefaultDict('collections.OrderedDict'),
  },
  { from: 'collections.deque([1, "a"])', value: python.Deque.of<unknown>(1, 'a') },
  { from: 'collections.deque([1], 3)', value: Object.assign(python.Deque.of(1), { maxlen: 3 }) },
  { from: 'pathlib.Path("/a/b c")', value: new python.Path('/a/b c') },
  { from: 'pathlib.Path("a")', value: new python.Path('a') },
  { from: 'pathlib.Path(".")', value: new python.Path('.') },
  { from: 'pathlib.PurePosixPath("/a")', value: new python.Path('/a', 'PurePosixPath') },
  { from: 'pathlib.PureWindowsPath(r"c:\\a\\b")', value: new python.Path('c:\\a\\b', 'PureWindowsPath') },
  {
    from: 'uuid.UUID("12345678-9abc-def0-1234-56789abcdef0")',
    value: new python.UUID('12345678-9ABC-DEF0-1234-56789ABCDEF0'),
  },
  { from: 'uuid.UUID(int=5)', value: new python.UUID('00000000000000000000000000000005') },
]

const floats = (...values: number[]) => Float64Array.from(values)
const arrays: Row[] = [
  ...(
    [
      ['int8', Int8Array],
      ['uint8', Uint8Array],
      ['int16', Int16Array],
      ['uint16', Uint16Array],
      ['int32', Int32Array],
      ['uint32', Uint32Array],
      ['float32', Float32Array],
      ['float64', Float64Array],
    ] as const
  ).map(([type, Class]) => ({
    from: `numpy.array([1, 2, 100], "${type}")`,
    value: python.ndarray(Class.of(1, 2, 100)),
  })),
  { from: 'numpy.array([1, -2**63])', value: python.ndarray(BigInt64Array.of(1n, -(2n ** 63n))) },
  { from: 'numpy.array([1, 2**64 - 1], "uint64")', value: python.ndarray(BigUint64Array.of(1n, 2n ** 64n - 1n)) },
  { from: 'numpy.array([True, False])', value: python.ndarray(Uint8Array.of(1, 0), [2], 'bool') },
  { from: 'numpy.arange(6.).reshape(2, 3)', value: python.ndarray(floats(0, 1, 2, 3, 4, 5), [2, 3]) },
  { from: 'numpy.arange(24.).reshape(2, 3, 4).transpose(2, 0, 1)', value: transposed() },
  {
    from: 'numpy.asfortranarray(numpy.arange(6.).reshape(2, 3))',
    value: python.ndarray(floats(0, 1, 2, 3, 4, 5), [2, 3]),
  },
  { from: 'numpy.arange(6.)[::2]', value: python.ndarray(floats(0, 2, 4)) },
  { from: 'numpy.zeros((0, 3))', value: python.ndarray(floats(), [0, 3]) },
  { from: 'numpy.array(2.5)', value: python.ndarray(floats(2.5), []) },
  {
    from: 'numpy.array([1, 2], ">i4")',
    value: python.ndarray(Int32Array.of(1, 2)),
    back: 'numpy.array([1, 2], "<i4")',
  },
  {
    from: 'numpy.asfortranarray(numpy.array([[1, 2], [3, 4]], ">f8"))',
    value: python.ndarray(floats(1, 2, 3, 4), [2, 2]),
    back: 'numpy.array([[1., 2.], [3., 4.]])',
  },
  {
    from: 'numpy.array([1.5, -65504, 2**-24, numpy.inf], "float16")',
    value: python.ndarray(Float32Array.of(1.5, -65504, 2 ** -24, Number.POSITIVE_INFINITY)),
    back: 'numpy.array([1.5, -65504, 2**-24, numpy.inf], "float32")',
  },
  {
    from: 'numpy.asfortranarray(numpy.array([[1, 2], [3, 4]], "float16"))',
    value: python.ndarray(Float32Array.of(1, 2, 3, 4), [2, 2]),
    back: 'numpy.array([[1, 2], [3, 4]], "float32")',
  },
  { from: 'numpy.arange(20000.)', value: python.ndarray(Float64Array.from({ length: 20000 }, (_, i) => i)) },
  { from: 'numpy.float64(0.5)', value: 0.5, back: '0.5' },
  { from: 'numpy.float32(0.5)', value: 0.5, back: '0.5' },
  { from: 'numpy.int64(7)', value: 7, back: '7' },
  { from: 'numpy.uint64(2**64 - 1)', value: 2n ** 64n - 1n, back: '2**64 - 1' },
  { from: 'numpy.bool_(True)', value: true, back: 'True' },
]

function transposed(): python.NDArray {
  const values = new Float64Array(24)
  let to = 0
  for (let k = 0; k < 4; k++) for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) values[to++] = i * 12 + j * 4 + k
  return python.ndarray(values, [4, 2, 3])
}

const protocolsOf = ({ name }: Python) => (/3\.[67]$/.test(name) ? [0, 1, 2, 3, 4] : [0, 1, 2, 3, 4, 5])

for (const version of pythons) {
  test(`${version.name}: each type comes by each protocol, and goes back as what it was`, async t => {
    await turn(t)
    const peer = new PicklingPython(t, version)
    for (const protocol of protocolsOf(version)) {
      for (const { from, value, back = from } of plain) {
        const got = await peer.make(from, protocol)
        t.true(isDeepStrictEqual(got, value), `${from} by protocol ${protocol}: ${inspect(got)}`)
        t.is(await peer.compare(got, back), true, `${from} by protocol ${protocol}, sent back`)
      }
    }
    for (const { from, value, back = from } of plain) t.is(await peer.compare(value, back), true, from)
  })

  test(`${version.name}: what is shared or contains itself comes as such, and goes as such`, async t => {
    await turn(t)
    const peer = new PicklingPython(t, version)
    for (const protocol of protocolsOf(version)) {
      const list = (await peer.make('recursive("list")', protocol)) as unknown[]
      t.is(list[1], list)
      t.true(await peer.ask(list, 'value[1] is value and value[0] == 1'))

      const dict = (await peer.make('recursive("dict")', protocol)) as Record<string, unknown>
      t.is(dict.self, dict)
      t.true(await peer.ask(dict, 'value["self"] is value'))

      const map = (await peer.make('recursive("map")', protocol)) as Map<unknown, unknown>
      t.is(map.get(1), map)
      t.is((map.get('a') as unknown[])[0], map)
      t.true(await peer.ask(map, 'value[1] is value and value["a"][0] is value'))

      const tuple = (await peer.make('recursive("tuple")', protocol)) as python.Tuple<unknown[]>
      t.is(tuple[0][0], tuple)
      t.true(await peer.ask(tuple, 'type(value) is tuple and value[0][0] is value'))

      // Protocols 0 and 1 have no form for it in Python itself.
      const deque = (await peer.make('recursive("deque")', Math.max(protocol, 2))) as python.Deque
      t.is(deque[0], deque)
      t.true(await peer.ask(deque, 'value[0] is value'))

      const shared = (await peer.make('[[x, x, (x,)] for x in [[1]]][0]', protocol)) as [unknown, unknown, unknown[]]
      t.is(shared[0], shared[1])
      t.is(shared[2][0], shared[0])
      t.true(await peer.ask(shared, 'value[0] is value[1] and value[2][0] is value[0]'))
    }
    const four = new python.Tuple<unknown>()
    const inside = [four]
    four.push(1, 2, 3, inside)
    t.true(await peer.ask(four, 'value[3][0] is value'))
    const many = Array.from({ length: 300 }, () => [] as unknown[])
    t.true(await peer.ask([many, many.slice().reverse()], 'all(x is y for x, y in zip(value[0], reversed(value[1])))'))
  })

  test(`${version.name}: what only this side has arrives as what is closest`, async t => {
    await turn(t)
    const peer = new PicklingPython(t, version)
    class Point {
      x = 1
    }
    for (const [value, expression] of [
      [new python.Float(1), '1.0'],
      [new python.Float(-0), '-0.0'],
      [-0, '0'],
      [5n, '5'],
      [2 ** 53, '2.0**53'],
      [new Uint8Array([1, 2]), 'b"\\x01\\x02"'],
      [new Uint8Array([1, 2, 3]).subarray(1), 'b"\\x02\\x03"'],
      [new Uint8Array([1, 2]).buffer, 'b"\\x01\\x02"'],
      [new DataView(new ArrayBuffer(2)), 'b"\\x00\\x00"'],
      [new Map([['a', 1]]), '{"a": 1}'],
      [new Point(), '{"x": 1}'],
      [Object.create(null, { a: { value: 1, enumerable: true } }), '{"a": 1}'],
      [JSON.parse('{"__proto__": 1, "constructor": 2}'), '{"__proto__": 1, "constructor": 2}'],
      [new Date(1), 'datetime.datetime(1970, 1, 1, 0, 0, 0, 1000, datetime.timezone.utc)'],
      [[new Date(0), new Date(0)], '[datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)] * 2'],
      [python.Tuple.of(1).map(x => x + 1), '[2]'],
      ['x'.repeat(70_000), '"x" * 70000'],
      [`${'x'.repeat(254)}é`, '"x" * 254 + "é"'],
      [new Set(Array.from({ length: 2000 }, (_, i) => i)), 'set(range(2000))'],
    ] as const) {
      t.is(await peer.compare(value, expression), true, expression)
    }
  })
}

if (modern) {
  const version = modern
  const scalar = fc.oneof(
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.maxSafeInteger(),
    // By Python's rule there is one zero of int.
    fc.double().map(value => (Object.is(value, -0) ? 0 : value)),
    fc.bigInt().filter(value => !Number.isSafeInteger(Number(value))),
    fc.string({ unit: fc.nat(0xffff).map(code => String.fromCharCode(code)) }),
    fc.uint8Array().map(bytes => Buffer.from(bytes)),
    fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    fc.uuid().map(text => new python.UUID(text)),
  )
  const { value } = fc.letrec<{ value: unknown }>(tie => {
    const few = { maxLength: 5 }
    const values = fc.array(tie('value'), few)
    return {
      value: fc.oneof(
        { maxDepth: 4 },
        scalar,
        values,
        values.map(values => python.Tuple.from(values)),
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '1')), tie('value'), {
          maxKeys: 5,
          noNullPrototype: true,
        }),
        fc.array(fc.tuple(fc.integer(), tie('value')), { ...few, minLength: 1 }).map(entries => new Map(entries)),
        fc.array(fc.tuple(fc.string(), tie('value')), few).map(entries => new python.OrderedDict(entries)),
        fc.array(fc.integer()).map(values => new Set(values)),
        fc.array(fc.string()).map(values => new python.FrozenSet(values)),
      ),
    }
  })

  test('whatever is sent to Python comes back from it by each protocol', async t => {
    t.timeout(120_000)
    const peer = new PicklingPython(t, version)
    const protocol = fc.constantFrom(...protocolsOf(version))
    await fc.assert(
      fc.asyncProperty(value, protocol, async (value, protocol) =>
        isDeepStrictEqual(await peer.echo(value, protocol), value),
      ),
      { numRuns: 1000 },
    )
    t.pass()
  })

  test('what this side writes, this side reads', t => {
    const { encode, decode } = serializers.pickle
    fc.assert(fc.property(value, value => isDeepStrictEqual(decode(encode(value)), value)))
    t.pass()
  })
}

needsPackages('numpy arrays by pickle')
if (packaged) {
  const version = packaged
  test('numpy arrays come by each protocol as typed arrays with a shape, and go back as what they were', async t => {
    await turn(t)
    const peer = new PicklingPython(t, version)
    for (const protocol of [2, 3, 4, 5]) {
      for (const { from, value, back = from } of arrays) {
        const got = await peer.make(from, protocol)
        t.true(isDeepStrictEqual(got, value), `${from} by protocol ${protocol}: ${inspect(got)}`)
        t.is(await peer.compare(got, back), true, `${from} by protocol ${protocol}, sent back`)
      }
    }
  })

  test('numpy gets typed arrays, whose items it can change', async t => {
    const peer = new PicklingPython(t, version)
    for (const [value, expression] of [
      [new Float64Array([1, 2]), 'numpy.array([1., 2.])'],
      [new Uint8ClampedArray([1, 2]), 'numpy.array([1, 2], "uint8")'],
      [python.ndarray(Buffer.from([1, 2])), 'numpy.array([1, 2], "uint8")'],
      [new Float32Array([9, 1, 2, 9]).subarray(1, 3), 'numpy.array([1, 2], "float32")'],
      [[new Int32Array(2), new Int32Array(3)], '[numpy.zeros(2, "int32"), numpy.zeros(3, "int32")]'],
    ] as const) {
      t.is(await peer.compare(value, expression), true, expression)
    }
    t.true(await peer.ask(new Float64Array(3), 'value.flags.writeable and value.flags.c_contiguous'))
    const shared = new Float64Array(3)
    t.true(await peer.ask([shared, shared], 'value[0] is value[1]'))
  })

  test('numpy arrays of what has no typed array are refused, and the next message is received', async t => {
    const peer = new PicklingPython(t, version)
    for (const from of [
      'numpy.array([1j])',
      'numpy.array(["text"])',
      'numpy.array([None, {}])',
      'numpy.array(["2020"], "M8[D]")',
      'numpy.zeros(2, "i4,f8")',
      'numpy.dtype("f8")',
      'numpy.longdouble(1)',
      'numpy.ma.zeros(2)',
    ]) {
      for (const protocol of [2, 3, 4, 5]) {
        await t.throwsAsync(peer.make(from, protocol), { code: 'ERR_CAROM_DECODE' }, from)
        t.is(await peer.make('7', protocol), 7)
      }
    }
  })
}
