import { execFileSync } from 'node:child_process'
import { createContext, runInContext } from 'node:vm'
import { MessageChannel } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { Pipe, python, serializers } from 'carom'
import fc from 'fast-check'

type Name = keyof typeof serializers
const names = Object.keys(serializers) as Name[]

/** What must show up in no error's text. */
const secret = 'hunter2secret'

class Own extends Map {
  own = 1
}
class Worker extends Promise<void> {
  id = 1
}

/** By which serializer each is refused. */
const refused: Record<string, { make: () => unknown; by: Name[] }> = {
  'a function': { make: () => () => secret, by: names },
  'a class': { make: () => class {}, by: names },
  'a symbol': { make: () => Symbol(secret), by: names },
  'a boxed symbol': { make: () => Object(Symbol(secret)), by: names },
  'a promise': { make: () => Promise.resolve(secret), by: names },
  'a promise with properties': {
    make: () => Object.assign(Promise.resolve(), { secret }),
    by: names,
  },
  'a subclass of Promise': { make: () => new Worker(resolve => resolve()), by: names },
  'a WeakMap': { make: () => new WeakMap(), by: names },
  'a WeakSet': { make: () => new WeakSet(), by: names },
  'a WeakRef': { make: () => new WeakRef({}), by: names },
  'a generator': { make: () => (function* () {})(), by: names },
  'an iterator': { make: () => [secret].values(), by: names },
  'a proxy': { make: () => new Proxy({ secret }, {}), by: ['msgpack', 'v8', 'pickle'] },
  'a proxy of an array': { make: () => new Proxy([secret], {}), by: ['msgpack', 'v8', 'pickle'] },
  'a proxy of a Map': { make: () => new Proxy(new Map([[secret, 1]]), {}), by: names },
  'a SharedArrayBuffer': { make: () => new SharedArrayBuffer(4), by: names },
  'a MessagePort': { make: () => closed(new MessageChannel()).port1, by: names },
  'memory that was transferred': { make: transferred, by: names },
  'a view of memory that was transferred': {
    make: () => {
      const view = new Float64Array(1)
      structuredClone(view, { transfer: [view.buffer] })
      return view
    },
    by: names,
  },
  'an object that only JavaScript sees into': {
    make: () => new URL(`http://${secret}/`).searchParams,
    by: ['msgpack', 'json', 'pickle'],
  },
  undefined: { make: () => undefined, by: ['json', 'pickle'] },
  'a bigint': { make: () => 5n, by: ['json'] },
  NaN: { make: () => Number.NaN, by: ['json'] },
  'an infinity': { make: () => Number.NEGATIVE_INFINITY, by: ['json'] },
  'an invalid Date': { make: () => new Date(Number.NaN), by: ['json', 'pickle'] },
  'a hole': { make: () => new Array(1), by: ['json', 'pickle'] },
  'a Map': { make: () => new Map([[secret, 1]]), by: ['json'] },
  'a subclass of Map': { make: () => new Own(), by: ['json'] },
  'a Set': { make: () => new Set([secret]), by: ['json'] },
  'an Error': { make: () => Object.assign(new Error(secret), { code: 1 }), by: ['json', 'pickle'] },
  'a RegExp': { make: () => new RegExp(secret), by: ['json', 'pickle'] },
  'a Buffer': { make: () => Buffer.from(secret), by: ['json'] },
  'a typed array': { make: () => new Float64Array(1), by: ['json'] },
  'an ArrayBuffer': { make: () => new ArrayBuffer(1), by: ['json'] },
  'a boxed primitive': { make: () => Object(secret), by: ['json', 'pickle'] },
  'an array in itself': { make: () => cycle(self => [self]), by: ['msgpack', 'json'] },
  'an object in itself': { make: () => cycle(self => ({ [secret]: { self } })), by: ['msgpack', 'json'] },
  'a Map in itself': { make: () => cycle(self => new Map([[secret, self]])), by: ['msgpack'] },
  'a Set in itself': { make: () => cycle(self => new Set([[self]])), by: ['msgpack'] },
  'an error in itself': { make: () => cycle(self => new Error(secret, { cause: self })), by: ['msgpack', 'pickle'] },
  'an instance in itself': { make: () => cycle(self => Object.assign(new Own(), { self })), by: ['json'] },
}

function closed(channel: MessageChannel): MessageChannel {
  channel.port1.close()
  return channel
}

function transferred(): ArrayBuffer {
  const memory = new ArrayBuffer(8)
  structuredClone(memory, { transfer: [memory] })
  return memory
}

/** Makes something around an object, and puts it into that object. */
function cycle(around: (self: Record<string, unknown>) => unknown): unknown {
  const self: Record<string, unknown> = {}
  self.self = around(self)
  return self.self
}

/** Where something may be hidden, for each serializer that carries that place. */
const places: Record<string, { put: (value: unknown) => unknown; in: Name[] }> = {
  'at the top': { put: value => value, in: names },
  'in an array': { put: value => [1, [value]], in: names },
  'in an object': { put: value => ({ [secret]: { a: 1, [secret]: value } }), in: names },
  'in an instance': { put: value => Object.assign(new (class Point {})(), { value }), in: names },
  'behind a getter': {
    put: value => ({
      get [secret]() {
        return value
      },
    }),
    in: names,
  },
  'as a key of a Map': { put: value => new Map([[value, 1]]), in: ['msgpack', 'v8', 'pickle'] },
  'in a Map': { put: value => [new Map([[secret, value]])], in: ['msgpack', 'v8', 'pickle'] },
  'in a Set': { put: value => ({ set: new Set([value]) }), in: ['msgpack', 'v8', 'pickle'] },
  'as the cause of an error': { put: value => new Error(secret, { cause: value }), in: ['msgpack', 'v8'] },
  'as a property of an error': { put: value => Object.assign(new Error(secret), { code: value }), in: ['msgpack'] },
  'what toJSON gives': { put: value => ({ toJSON: () => value }), in: ['json'] },
  'thirty levels deep': {
    put: value => Array.from({ length: 30 }).reduce((inner: unknown) => ({ inner: [inner] }), value),
    in: names,
  },
}

function keepsSecret(t: ExecutionContext, error: Error): void {
  for (let e: unknown = error; e instanceof Error; e = e.cause) t.false(e.message.includes('hunter'), e.message)
}

for (const name of names) {
  const { encode, decode } = serializers[name]

  for (const [what, { make, by }] of Object.entries(refused)) {
    if (!by.includes(name)) continue
    test(`${name} refuses ${what} at any depth, in words that keep it secret`, t => {
      for (const [where, place] of Object.entries(places)) {
        if (!place.in.includes(name)) continue
        const error = t.throws(() => encode(place.put(make())), { instanceOf: Error }, where)
        keepsSecret(t, error)
      }
      t.deepEqual(decode(encode({ a: 1 })), { a: 1 })
    })
  }

  test(`${name} refuses a connection at any depth`, t => {
    const [a, b] = Pipe()
    t.teardown(() => {
      a.closeSync()
      b.closeSync()
    })
    for (const [where, place] of Object.entries(places)) {
      if (place.in.includes(name)) t.throws(() => encode(place.put(a)), { message: /connection/ }, where)
    }
  })

  test(`${name} refuses what is nested too deeply, and goes on`, t => {
    let deep: unknown[] = []
    for (let i = 0; i < 100_000; i++) deep = [deep]
    t.throws(() => encode(deep), { instanceOf: Error, message: /nested too deeply/ })
    t.deepEqual(decode(encode([1])), [1])
    let less: unknown[] = []
    for (let i = 0; i < 500; i++) less = [less]
    t.deepEqual(decode(encode(less)), less)
  })

  test(`${name} passes on what a getter throws`, t => {
    const error = new Error('of its own')
    const value = {
      get a() {
        throw error
      },
    }
    t.throws(() => encode([value]), name === 'v8' ? { instanceOf: Error } : { is: error })
  })

  test(`${name} gives bytes that are not written again`, t => {
    const first = encode({ a: 1, b: 'first' })
    t.true(first instanceof Uint8Array)
    for (let i = 0; i < 3; i++) encode({ a: 2, b: 'other', c: i })
    t.deepEqual(decode(first), { a: 1, b: 'first' })
  })

  test(`${name} reads a Uint8Array anywhere in memory, and keeps no part of it`, t => {
    const value: unknown[] = ['text']
    const floats = new Float64Array([1.5, 2])
    if (name === 'pickle') value.push(Buffer.from('bytes'), python.ndarray(floats))
    else if (name !== 'json') value.push(Buffer.from('bytes'), floats, new ArrayBuffer(3))
    const bytes = encode(value)
    for (let before = 0; before < 9; before++) {
      const memory = new Uint8Array(before + bytes.length + 5)
      memory.set(bytes, before)
      const got = decode(memory.subarray(before, before + bytes.length))
      memory.fill(0xff)
      t.deepEqual(got, value)
    }
  })

  test(`${name} carries plain values`, t => {
    const value = fc.jsonValue({ maxDepth: 5 })
    fc.assert(fc.property(value, value => JSON.stringify(decode(encode(value))) === JSON.stringify(value)))
    t.pass()
  })

  test(`${name} takes objects of another realm for what they are`, t => {
    const foreign = runInContext('({ a: [1, { b: "c" }] })', createContext())
    t.is(JSON.stringify(decode(encode(foreign))), '{"a":[1,{"b":"c"}]}')
  })

  test(`${name} answers spoilt bytes with a value or an Error, in words that keep them secret`, t => {
    const cyclic: Record<string, unknown> = { secret, list: [1, 2n, new Map([[secret, new Set([1.5])]]), new Date()] }
    const inner: Record<string, unknown> = { bytes: Buffer.from(secret), floats: new Float64Array(3) }
    if (name !== 'pickle') Object.assign(inner, { pattern: /a/g, error: new TypeError(secret), boxed: Object(1) })
    cyclic.self = inner
    const whole = Buffer.from(encode(name === 'json' ? { secret, list: [1, { a: null }] } : cyclic))
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255), cut: fc.nat(whole.length) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, short) => {
        const bytes = Buffer.from(whole)
        for (const { at, byte } of changes) bytes[at] = byte
        try {
          decode(short ? bytes.subarray(0, changes[0].cut) : bytes)
        } catch (error) {
          // The name of a global is told, and nothing else.
          const words = (error as Error).message.replace(/it names [\w.?…]+/, '')
          return error instanceof Error && error.cause === undefined && !words.includes('hunter')
        }
        return true
      }),
      { numRuns: 5000 },
    )
    t.throws(() => decode(Buffer.alloc(0)), { instanceOf: Error })
    t.throws(() => decode(Buffer.from(`${secret}${secret}`)), { instanceOf: Error })
  })
}

test('a cycle through a huge array is found on its first round', t => {
  const huge: unknown[] = new Array(3_000_000).fill(1)
  huge.push({ back: huge })
  const start = performance.now()
  t.throws(() => serializers.msgpack.encode(huge), { message: /contains itself/ })
  t.true(performance.now() - start < 2000)
})

test('a cycle beyond many levels is found', t => {
  const root: { inner?: unknown } = {}
  let inner: { inner?: unknown } = root
  for (let i = 0; i < 100; i++) inner = inner.inner = {}
  const start = inner
  for (let i = 0; i < 100; i++) inner = inner.inner = {}
  inner.inner = start
  t.throws(() => serializers.msgpack.encode(root), { message: /contains itself/ })
})

test('json writes a Date as its string, asks toJSON, and takes -0 for 0', t => {
  const { encode, decode } = serializers.json
  t.deepEqual(decode(encode([new Date(0), { toJSON: (key: string) => `at ${key}` }, -0])), [
    '1970-01-01T00:00:00.000Z',
    'at 1',
    0,
  ])
  t.is(Buffer.from(encode({ a: 'Zoë' })).toString(), '{"a":"Zoë"}')
  t.is(decode(encode('\ud800')), '\ud800')
})

test('json refuses bytes that are not UTF-8', t => {
  t.throws(() => serializers.json.decode(Buffer.from('22ff22', 'hex')), { instanceOf: Error })
})

test('v8 carries cycles and shared references', t => {
  const { encode, decode } = serializers.v8
  const shared = new Map([['a', 1n]])
  const value: Record<string, unknown> = { shared, again: [shared] }
  value.self = value
  const got = decode(encode(value)) as typeof value
  t.is(got.self, got)
  t.is((got.again as unknown[])[0], got.shared)
  t.deepEqual(got.shared, shared)
})

test('v8 gives typed arrays memory of their own', t => {
  const { encode, decode } = serializers.v8
  const [floats, view, bytes] = decode(
    encode([new Float64Array([1.5]), new DataView(new ArrayBuffer(3)), Buffer.from('ab')]),
  ) as [Float64Array, DataView, Buffer]
  t.deepEqual(floats, new Float64Array([1.5]))
  t.deepEqual([floats.buffer.byteLength, view.buffer.byteLength], [8, 3])
  t.true(Buffer.isBuffer(bytes))
})

test('msgpackr is not loaded before it is needed', t => {
  const program = `
    const { serializers } = require('carom')
    const loaded = () => Object.keys(require.cache).some(path => path.includes('msgpackr'))
    const { encode, decode } = serializers.msgpack
    decode(encode({ a: [1, 'x', 1.5, 2n, new Date(), new Map(), new Error('x'), Buffer.alloc(3)] }))
    const before = loaded()
    decode(encode(2n ** 80n))
    console.log(before, loaded())
  `
  t.is(execFileSync(process.execPath, ['-e', program], { cwd: import.meta.dirname }).toString(), 'false true\n')
})
