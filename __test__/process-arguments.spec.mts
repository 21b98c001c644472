import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import { type Connection, Process, serializers } from 'carom'
import { wrongValue } from './helpers/expectations.mjs'
import { openPipe, patterned } from './helpers/pipes.mjs'
import { fixture, start } from './helpers/processes.mjs'

const module = fixture('process-targets.mjs')
const execArgv: string[] = []
/** Its messages carry everything that structured clone does. */
const faithful = { serializer: serializers.v8 }

test('what structured clone carries arrives as it was', async t => {
  const [ours, theirs] = openPipe<unknown[]>(t, faithful)
  const values = [
    undefined,
    null,
    true,
    -0,
    Number.NaN,
    2n ** 70n,
    'text \u{1f600}\ud800',
    Object.assign(new Array(3), { 0: 1, 2: 3 }),
    { deep: [{ er: {} }] },
    new Map<unknown, unknown>([[{ key: 1 }, new Set([1])]]),
    new Date(0),
    /a+/gi,
    Object.assign(Object.create(null), { own: 1 }),
    new Float64Array([0.5, Number.NEGATIVE_INFINITY]),
    new BigInt64Array([-1n]),
    new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1),
    new Uint8Array([1, 2, 3]).buffer,
    new String('boxed'),
    JSON.parse('{ "__proto__": { "own": true } }'),
  ]
  start(t, { module, target: 'report', args: [theirs, ...values], execArgv })
  const arrived = await ours.recv()
  values[12] = { own: 1 }
  t.deepEqual(arrived, values)
  t.true(Object.is(arrived[3], -0))
  t.false(1 in (arrived[7] as unknown[]))
})

test('errors, instances of classes, and a Buffer, which stays one', async t => {
  class Point {
    x = 1
    get y() {
      return 2
    }
  }
  const [ours, theirs] = openPipe<[RangeError, object, Buffer]>(t, faithful)
  const error = new RangeError('too far', { cause: 'distance' })
  start(t, { module, target: 'report', args: [theirs, error, new Point(), Buffer.from('bytes')], execArgv })
  const [itsError, itsPoint, itsBuffer] = await ours.recv()
  t.true(itsError instanceof RangeError)
  t.deepEqual([itsError.message, itsError.stack, itsError.cause], [error.message, error.stack, 'distance'])
  t.deepEqual(itsPoint, { x: 1 })
  t.true(Buffer.isBuffer(itsBuffer))
  t.is(itsBuffer.toString(), 'bytes')
})

test('what is the same object stays the same, and cycles close, also around connections', async t => {
  const [ours, theirs] = openPipe(t)
  const shared = { some: 'object' }
  const cycle: Record<string, unknown> = { again: [theirs, shared], list: [] }
  cycle.self = cycle
  const list: unknown[] = []
  list.push({ list })
  cycle.list = list
  start(t, { module, target: 'sameness', args: [theirs, theirs, shared, cycle], execArgv })
  t.deepEqual(await ours.recv(), [true, true, true, true])
})

test('views that share memory still share it', async t => {
  const [ours, theirs] = openPipe(t)
  const buffer = new ArrayBuffer(32)
  const args = [theirs, new Uint8Array(buffer, 3, 5), new Float32Array(buffer), buffer]
  start(t, { module, target: 'sharedMemory', args, execArgv })
  t.deepEqual(await ours.recv(), [true, true, 7])
})

test('arguments are cloned at start: later changes are not seen, and nothing is changed', async t => {
  const [ours, theirs] = openPipe(t)
  const options = Object.freeze({ nested: Object.freeze({ list: Object.freeze([theirs, 'before']) }) })
  const plain = { value: 'before' }
  const child = start(t, { module, target: 'report', args: [theirs, plain, options.nested.list[1]], execArgv })
  plain.value = 'after'
  t.deepEqual(await ours.recv(), [{ value: 'before' }, 'before'])
  t.is(options.nested.list[0], theirs)
  t.is(await child.join(), 0)
})

test('10 MiB of arguments, in both forms', async t => {
  const bytes = patterned(10 * 1024 * 1024)
  for (const join of [(child: Process) => child.join(), (child: Process) => child.joinSync()]) {
    const child = start(t, { module, target: 'measure', args: [bytes, bytes.length], execArgv })
    t.is(await join(child), 0)
  }
})

const refused: Record<string, unknown> = {
  'a function': () => 'secret',
  'a symbol': Symbol('secret'),
  'a promise': Promise.resolve(),
  'a weak map': new WeakMap(),
  'a proxy': new Proxy({ secret: 1 }, {}),
  'a port': new MessageChannel().port1,
  'shared memory': new SharedArrayBuffer(1),
  'a view of shared memory': new Uint8Array(new SharedArrayBuffer(1)),
  'a Buffer of shared memory': Buffer.from(new SharedArrayBuffer(1)),
  'a blob': new Blob(['secret']),
  'a URL': new URL('https://example.com/secret'),
  headers: new Headers({ secret: 'secret' }),
}

for (const [what, value] of Object.entries(refused)) {
  for (const [where, wrap] of Object.entries({
    'by itself': (conn: unknown, value: unknown) => [conn, value],
    'beside a connection': (conn: unknown, value: unknown) => [{ conn, deep: [value] }],
    'in a map': (conn: unknown, value: unknown) => [conn, new Map([[1, { value }]])],
  })) {
    test(`${what}, ${where}, is a DataCloneError, and nothing has moved`, t => {
      const [ours, theirs] = openPipe<string>(t)
      const child = new Process({ module, target: 'nothing', args: wrap(theirs, value), execArgv })
      const error = t.throws(() => child.start(), { any: true }) as unknown as DOMException
      t.true(error instanceof DOMException)
      t.is(error.name, 'DataCloneError')
      t.notRegex(error.message, /secret/)
      t.is(child.pid, undefined)
      theirs.sendSync('still there')
      t.is(ours.recvSync(), 'still there')
    })
  }
}

test('a connection elsewhere than in arrays and plain objects is refused, and nothing has moved', t => {
  class Holder {
    constructor(readonly conn: Connection<string>) {}
  }
  const [ours, theirs] = openPipe<string>(t)
  const args: Record<string, unknown> = {
    'a value of a Map': new Map([[1, theirs]]),
    'a key of a Map': new Map([[theirs, 1]]),
    'a Set': new Set([theirs]),
    'an instance': new Holder(theirs),
    'an error': Object.assign(new Error('x'), { conn: theirs }),
    'a cause': new Error('x', { cause: theirs }),
    'an array in a Map': new Map([[1, [{ conn: theirs }]]]),
    'both in an array and in an array in a Map': (list => [list, new Set([list])])([theirs]),
  }
  for (const [where, value] of Object.entries(args)) {
    const child = new Process({ module, target: 'nothing', args: [value], execArgv })
    const error = t.throws(() => child.start(), wrongValue, where)
    t.regex(error.message, /arrays and plain objects/)
    t.false(theirs.closed)
  }
  theirs.sendSync('still there')
  t.is(ours.recvSync(), 'still there')
})

test('what a getter in the arguments throws comes out of start, and nothing has moved', t => {
  const [, theirs] = openPipe(t)
  const error = new Error('from the getter')
  const args = [
    theirs,
    {
      get value() {
        throw error
      },
    },
  ]
  const child = new Process({ module, target: 'nothing', args, execArgv })
  t.is(
    t.throws(() => child.start()),
    error,
  )
  t.false(theirs.closed)
})

test('a start that failed for its arguments can be tried again', async t => {
  const [ours, theirs] = openPipe(t)
  const args: unknown[] = [theirs, () => {}]
  const child = new Process({ module, target: 'report', args, execArgv })
  t.throws(() => child.start(), { any: true })
  args[1] = 'better'
  child.start()
  t.deepEqual(await ours.recv(), ['better'])
  t.is(await child.join(), 0)
})
