// What is kept of the keys and shapes that came before must never show in what comes.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { serializers } from 'carom'
import fc from 'fast-check'
import { Decoder } from '../lib/serializers/msgpack/decoder.js'
import type { FastSerializer } from '../lib/serializers/serializer.js'
import * as plain from './helpers/plain-msgpack.mjs'
import { type Json, Properties } from './helpers/plain-msgpack.mjs'

const msgpack = serializers.msgpack as FastSerializer
/** More often than a shape must be seen before it is learned. Few can be: the tests of certain ones come first. */
const OFTEN = 200
const root = fileURLToPath(new URL('..', import.meta.url))

/** Also in order, and with the prototype that it is to have. */
function same(got: unknown, expected: unknown): boolean {
  return isDeepStrictEqual(got, expected) && JSON.stringify(got) === JSON.stringify(expected)
}

function learn(bytes: Uint8Array): void {
  for (let i = 0; i < OFTEN; i++) msgpack.decode(bytes)
}

const odd = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '0',
  '7',
  '-1',
  '00',
  '4294967295',
  '1.5',
  'ü',
  '東京',
  '\ufffd',
  'a b',
  '"',
  '\\',
  "']",
  '*/',
  '//',
  '`',
  '\n',
  '\u2028',
  'return',
  'v0',
  'x'.repeat(7),
  'x'.repeat(8),
  'x'.repeat(15),
  'x'.repeat(16),
  'x'.repeat(31),
  'x'.repeat(32),
  'x'.repeat(300),
]
const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'id', 'name', 'nested', 'value') },
  { weight: 2, arbitrary: fc.constantFrom(...odd) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
)
const scalar = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }).map(value => value + 0),
  fc.nat(300),
  fc.boolean(),
  fc.constant(null),
  fc.string({ maxLength: 40 }),
)
const { value } = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map(entries => new Properties(entries)),
  ),
}))
/** Objects that differ in little from the first one, in every way in which a shape can. */
const alike = fc
  .tuple(fc.uniqueArray(fc.tuple(key, value), { minLength: 1, maxLength: 7, selector: ([name]) => name }), key, value)
  .map(([entries, another, item]) => [
    entries,
    entries.toReversed(),
    entries.slice(1),
    entries.slice(0, -1),
    entries.with(-1, [another, item]),
    entries.with(0, [another, item]),
    [...entries, [another, item]],
    [[another, item], ...entries],
    [...entries, ...entries],
    entries.map(([name]) => [name, item]),
    entries,
  ])
  .map(variants => variants.map(entries => new Properties(entries as [string, Json][])))

test('keys with a meaning to JavaScript are keys like others, however often they come', t => {
  for (const name of odd) {
    for (const names of [[name], ['a', name], [name, 'a'], ['a', name, 'b', name]]) {
      const entries = new Properties(names.map((one, i) => [one, new Properties([[one, i]])]))
      const bytes = plain.encode(entries)
      learn(bytes)
      const got = msgpack.decode(bytes) as object
      t.true(same(got, plain.arriving(entries)), name)
      t.is(Object.getPrototypeOf(got), Object.prototype)
    }
  }
})

test('a learned object that is cut short is refused, whatever lies behind it', t => {
  const bytes = Buffer.from(
    msgpack.encode({ id: 1, name: 'name', nested: { deep: { flag: true } }, list: [1, 2.5, 3, 4.5] }),
  )
  learn(bytes)
  for (let end = 0; end < bytes.length; end++) {
    t.throws(() => msgpack.decode(bytes.subarray(0, end)), { message: /cut short/ })
    // Behind its end, it goes on as it should.
    t.throws(() => msgpack.decodeFrom(bytes, 0, end), { message: /cut short/ })
  }
  t.throws(() => msgpack.decode(Buffer.concat([bytes, Buffer.of(0)])), { message: /something follows/ })
})

test('a learned object with a key that is no string is a Map', t => {
  const object = { id: 1, name: 'x', more: 2 }
  learn(msgpack.encode(object))
  for (const key of ['id', 'name', 'more']) {
    const entries = Object.entries(object).map(([name, item]) => [name === key ? 5 : name, item] as const)
    const map = new Map<unknown, unknown>(entries)
    const bytes = Buffer.concat([Buffer.of(0x83), ...[...map].flat().map(item => msgpack.encode(item))])
    t.deepEqual(msgpack.decode(bytes), map)
  }
})

test('learned objects share nothing', t => {
  const bytes = msgpack.encode({ mine: 1, list: [], inner: {} })
  learn(bytes)
  const one = msgpack.decode(bytes) as { mine: number; list: number[]; inner: { a?: number } }
  one.mine = 2
  one.list.push(1)
  one.inner.a = 1
  t.deepEqual(msgpack.decode(bytes), { mine: 1, list: [], inner: {} })
})

test('objects of shapes that are alike arrive, however often the others came before', t => {
  fc.assert(
    fc.property(alike, variants => {
      // Not the one that all share: what it learns is limited.
      const decoder = new Decoder()
      for (const times of [1, OFTEN, 1]) {
        for (const variant of variants) {
          const bytes = plain.encode(variant)
          const read = () => decoder.decodeFrom(bytes, 0, bytes.length)
          for (let i = 1; i < times; i++) read()
          if (!same(read(), plain.arriving(variant))) return false
        }
      }
      return true
    }),
    { numRuns: 100 },
  )
  t.pass()
})

test('all that is read arrives, whatever was read before', t => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 20 }), values =>
      values.every(one => same(msgpack.decode(plain.encode(one)), plain.arriving(one))),
    ),
    { numRuns: 500 },
  )
  t.pass()
})

test('lists arrive in which floats are mixed with others', t => {
  const item = fc.oneof({ weight: 9, arbitrary: fc.nat(130).map(n => n / 2) }, { weight: 1, arbitrary: scalar })
  fc.assert(
    fc.property(fc.array(item, { minLength: 3, maxLength: 40 }), list =>
      same(msgpack.decode(plain.encode(list)), list),
    ),
    { numRuns: 500 },
  )
  t.pass()
})

test('the bytes are those of the specification, whatever keys were written before', t => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 20 }), fc.nat(40), (values, at) =>
      values.every(one => {
        const object = plain.arriving(one)
        const expected = plain.encode(inOrder(object))
        const arena = Buffer.alloc(expected.length + 64, 7)
        const end = msgpack.encodeInto(object, arena, at)
        return expected.equals(arena.subarray(at, end)) && expected.equals(msgpack.encode(object))
      }),
    ),
    { numRuns: 1000 },
  )
  t.pass()
})

/** The properties of what `arriving` makes, where no key comes twice and indices come first. */
function inOrder(object: unknown): Json {
  if (Array.isArray(object)) return object.map(inOrder)
  if (typeof object !== 'object' || object === null) return object as Json
  return new Properties(Object.keys(object).map(name => [name, inOrder((object as Record<string, unknown>)[name])]))
}

const program = `
  const { serializers: { msgpack } } = require('carom')
  const memory = () => { gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external }
  function flood(encode, decode) {
    for (let i = 0; i < 300_000; i++) {
      const object = { ['k' + i]: 'string ' + i, ['l' + (i % 7919)]: [i + ''] }
      if (decode(encode(object))['k' + i] !== 'string ' + i) throw new Error('k' + i)
    }
    // Shapes that come often enough to be learned, but are too many.
    for (let i = 0; i < 5000; i++) {
      const first = String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 17))
      const others = Array.from({ length: 1 + (i % 23) }, (_, j) => ['k' + i + j, j])
      const bytes = encode({ [first]: i, ...Object.fromEntries(others) })
      for (let j = 0; j < 100; j++) decode(bytes)
    }
  }
  // Newer V8s keep what they know of keys themselves, whoever makes the objects.
  flood(JSON.stringify, JSON.parse)
  const before = memory()
  flood(msgpack.encode, msgpack.decode)
  const after = memory()
  console.log(after - before < 20e6 || after - before)
`

test('a flood of keys, strings and shapes leaves little behind', t => {
  t.is(execFileSync(process.execPath, ['--expose-gc', '-e', program], { cwd: root, encoding: 'utf8' }), 'true\n')
})

test('where code must not be generated from strings, none is', t => {
  const program = `
    const { serializers: { msgpack } } = require('carom')
    const object = { id: 1, name: 'x', nested: { ok: true } }
    const bytes = msgpack.encode(object)
    for (let i = 0; i < ${OFTEN}; i++) require('assert').deepStrictEqual(msgpack.decode(bytes), object)
  `
  const flag = '--disallow-code-generation-from-strings'
  t.is(execFileSync(process.execPath, [flag, '-e', program], { cwd: root, encoding: 'utf8' }), '')
})
