import { AsyncLocalStorage } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { inspect } from 'node:util'
import test from 'ava'
import { type Connection, type Waitable, wait, waitable, waitSync } from 'carom'
import { closed, notReadable, outOfRange, wrongType } from './helpers/expectations.mjs'
import { isPending, openOneWayPipe, openPipe } from './helpers/pipes.mjs'
import { onWindows } from './helpers/platform.mjs'
import { startWorker } from './helpers/programs.mjs'
import { atMost, waitForms } from './helpers/waits.mjs'

const withoutWaiting = [0, -1, Number.NEGATIVE_INFINITY, { timeout: 0 }, { timeout: -5 }]
const withoutLimit = [undefined, Number.POSITIVE_INFINITY, {}, { timeout: undefined }, { timeout: 2 ** 40 }, 2 ** 31]

/** What is no waitable, wherever in the list it stands. */
const strangers: unknown[] = [
  'a string',
  null,
  undefined,
  true,
  false,
  7n,
  Symbol('s'),
  () => {},
  {},
  [],
  { fd: '7' },
  { fd: undefined },
  new Date(),
  Promise.resolve(),
]

type Ends = [near: Connection, far: Connection]

for (const form of waitForms) {
  test(`${form.name}: gives those that are ready, in the order given`, async t => {
    const pipes = Array.from({ length: 5 }, () => openPipe(t))
    const ends = pipes.map(([, b]) => b)
    t.deepEqual(await form.wait(ends, 0), [])
    for (const index of [4, 0, 2]) await pipes[index][0].send(index)
    t.deepEqual(await form.wait(ends, atMost), [ends[0], ends[2], ends[4]])
    t.deepEqual(await form.wait(ends), [ends[0], ends[2], ends[4]])
    const reversed = ends.toReversed()
    t.deepEqual(await form.wait(reversed), [ends[4], ends[2], ends[0]])
    t.deepEqual(await Promise.all([ends[0], ends[2], ends[4]].map(end => end.recv())), [0, 2, 4])
    t.deepEqual(await form.wait(ends, 0), [])
  })

  test(`${form.name}: consumes nothing, however often it is called`, async t => {
    const [a, b] = openPipe(t)
    for (const message of ['one', 'two']) await a.send(message)
    for (let i = 0; i < 10; i++) t.deepEqual(await form.wait([b]), [b])
    t.is(b.recvSync(), 'one')
    for (let i = 0; i < 10; i++) t.deepEqual(await form.wait([b]), [b])
    t.is(await b.recv(), 'two')
    t.deepEqual(await form.wait([b], 0), [])
  })

  test(`${form.name}: an object that stands there twice is given twice`, async t => {
    const [[a, b], [, d]] = [openPipe(t), openPipe(t)]
    t.deepEqual(await form.wait([b, d, b], 0), [])
    await a.send(1)
    t.deepEqual(await form.wait([b, b]), [b, b])
    t.deepEqual(await form.wait([b, d, b]), [b, b])
    t.deepEqual(await form.wait([d, b, d, b, b]), [b, b, b])
  })

  test(`${form.name}: an empty list gives [] at once, without a limit too`, async t => {
    t.deepEqual(await form.wait([]), [])
    t.deepEqual(await form.wait(new Set<never>(), Number.POSITIVE_INFINITY), [])
    t.deepEqual(await form.wait([], 0), [])
    t.deepEqual(await form.wait([], { timeout: 1e6 }), [])
  })

  test(`${form.name}: takes any iterable, and goes through it once`, async t => {
    const [[a, b], [c, d]] = [openPipe(t), openPipe(t)]
    await a.send(1)
    await c.send(1)
    let rounds = 0
    function* both() {
      rounds++
      yield d
      yield b
    }
    t.deepEqual(await form.wait(both()), [d, b])
    t.is(rounds, 1)
    t.deepEqual(await form.wait(new Set([b, d, b])), [b, d])
    const named = new Map([
      ['d', d],
      ['b', b],
    ])
    t.deepEqual(await form.wait(named.values()), [d, b])
    t.deepEqual(await form.wait(Object.freeze([b])), [b])
    t.deepEqual(await form.wait({ [Symbol.iterator]: both }), [d, b])
  })

  for (const timeout of withoutWaiting) {
    test(`${form.name}: does not wait with ${inspect(timeout)}, and tells what is ready`, async t => {
      const [a, b] = openPipe(t)
      t.deepEqual(await form.wait([b], timeout), [])
      await a.send(1)
      t.deepEqual(await form.wait([b], timeout), [b])
      t.deepEqual(await form.wait([b], timeout), [b])
    })
  }

  for (const timeout of withoutLimit) {
    test(`${form.name}: waits as long as it takes with ${inspect(timeout)}`, async t => {
      const [[conn, end], [, idle]] = [openPipe(t), openPipe(t)]
      await startWorker(t, 'connection-later.mjs', { end, after: 100, messages: ['later'] })
      t.deepEqual(await form.wait([idle, conn], timeout), [conn])
      t.is(await conn.recv(), 'later')
    })
  }

  for (const timeout of [60, { timeout: 60 }]) {
    test(`${form.name}: gives [] when its time has run out: ${inspect(timeout)}`, async t => {
      const [, b] = openPipe(t)
      for (let i = 0; i < 2; i++) {
        const begin = performance.now()
        t.deepEqual(await form.wait([b], timeout), [])
        const took = performance.now() - begin
        // A timer may be a millisecond early.
        t.true(took > 58, `${took} ms`)
      }
    })
  }

  test(`${form.name}: refuses a timeout that is none`, async t => {
    const [, b] = openPipe(t)
    for (const objects of [[b], []]) {
      await t.throwsAsync(form.wait(objects, Number.NaN), outOfRange)
      await t.throwsAsync(form.wait(objects, { timeout: Number.NaN }), outOfRange)
      await t.throwsAsync(form.wait(objects, '5' as never), wrongType)
      await t.throwsAsync(form.wait(objects, { timeout: '5' as never }), wrongType)
      await t.throwsAsync(form.wait(objects, null as never), wrongType)
    }
  })

  for (const list of [undefined, null, 7, 'text', {}, () => {}]) {
    test(`${form.name}: ${inspect(list)} is no list of waitables`, async t => {
      await t.throwsAsync(form.wait(list as never, 0), wrongType)
    })
  }

  test(`${form.name}: a connection is no list of itself`, async t => {
    const [, b] = openPipe(t)
    await t.throwsAsync(form.wait(b as never, 0), wrongType)
  })

  for (const stranger of strangers) {
    test(`${form.name}: ${inspect(stranger)} is no waitable, before anything is waited for`, async t => {
      const [a, b] = openPipe(t)
      await a.send('stays')
      let asked = 0
      const custom = {
        [waitable]: () => {
          asked++
          return b
        },
      }
      for (const objects of [[stranger], [b, stranger], [stranger, b], [custom, stranger]]) {
        await t.throwsAsync(form.wait(objects as Waitable[], atMost), wrongType)
        await t.throwsAsync(form.wait(objects as Waitable[], 0), wrongType)
      }
      t.true(asked <= 2)
      t.is(await b.recv(), 'stays')
    })
  }

  test(`${form.name}: a hole in the list is no waitable`, async t => {
    const [a, b] = openPipe(t)
    await a.send(1)
    // biome-ignore lint/suspicious/noSparseArray: it is about them
    await t.throwsAsync(form.wait([, b] as Waitable[], 0), wrongType)
    await t.throwsAsync(form.wait(new Array(2) as Waitable[], 0), wrongType)
  })

  for (const known of [true, false]) {
    test(`${form.name}: one that is closed at the start is an error; waited on before: ${known}`, async t => {
      const [[a, b], [, d]] = [openPipe(t), openPipe(t)]
      if (known) t.deepEqual(await form.wait([b, d], 0), [])
      await a.send('stays')
      d.closeSync()
      for (const objects of [[b, d], [d, b], [d]]) {
        for (let i = 0; i < 2; i++) {
          await t.throwsAsync(form.wait(objects), closed)
          await t.throwsAsync(form.wait(objects, 0), closed)
        }
      }
      t.deepEqual(await form.wait([b]), [b])
      t.is(await b.recv(), 'stays')
    })
  }

  test(`${form.name}: an end that only sends is an error`, async t => {
    const [reader, writer] = openOneWayPipe(t)
    await t.throwsAsync(form.wait([writer] as unknown as Waitable[], 0), notReadable)
    await t.throwsAsync(form.wait([reader, writer] as unknown as Waitable[]), notReadable)
    await writer.send(1)
    await t.throwsAsync(form.wait([reader, writer] as unknown as Waitable[]), notReadable)
    t.deepEqual(await form.wait([reader]), [reader])
  })

  test(`${form.name}: lists that change from wait to wait`, async t => {
    const pipes: Ends[] = Array.from({ length: 12 }, () => openPipe(t))
    let list = pipes.map(([, b]) => b)
    const expected = async (...ready: Connection[]) => {
      const inOrder = list.filter(end => ready.includes(end))
      t.deepEqual(await form.wait(list, ready.length > 0 ? atMost : 0), inOrder)
    }
    const [e0, e1, e2] = list
    await expected()
    await pipes[0][0].send('first')
    await expected(e0)
    // One is removed, one is added.
    list = list.filter(end => end !== e1)
    await expected(e0)
    await pipes[1][0].send('not waited for')
    await expected(e0)
    list = [...list, e1]
    await expected(e0, e1)
    list = list.toReversed()
    await expected(e0, e1)
    t.is(await e0.recv(), 'first')
    for (let i = 0; i < list.length; i++) {
      list = [...list.slice(1), list[0]]
      await expected(e1)
    }
    t.is(await e1.recv(), 'not waited for')
    list = list.slice(0, 6)
    await expected()
    list = [e2]
    await expected()
    await pipes[2][0].send('alone')
    await expected(e2)
    list = pipes.map(([, b]) => b)
    await expected(e2)
    t.is(await e2.recv(), 'alone')
    await expected()
  })

  test(`${form.name}: more lists in turn than can be remembered`, async t => {
    const pipes: Ends[] = Array.from({ length: 24 }, () => openPipe(t))
    const ends = pipes.map(([, b]) => b)
    // Each shares its ends with others.
    const lists = ends.map((_, i) => [0, 1, 2, 3].map(offset => ends[(i + offset) % ends.length]))
    for (let round = 0; round < 3; round++) {
      for (const list of lists) t.deepEqual(await form.wait(list, 0), [])
      await pipes[round][0].send(round)
      for (const list of lists) {
        t.deepEqual(await form.wait(list, 0), list.includes(ends[round]) ? [ends[round]] : [])
      }
      t.is(await ends[round].recv(), round)
    }
  })

  test(`${form.name}: what arrives between two waits, while nobody waits, is told`, async t => {
    const [[a, b], [c, d]] = [openPipe(t), openPipe(t)]
    for (let i = 0; i < 5; i++) {
      t.deepEqual(await form.wait([b, d], 0), [])
      a.sendSync(i)
      await new Promise(resolve => setTimeout(resolve, i % 2 ? 5 : 0))
      t.deepEqual(await form.wait([b, d], 0), [b])
      c.sendSync(i)
      t.deepEqual(await form.wait([b, d]), [b, d])
      t.is(await b.recv(), i)
      t.is(d.recvSync(), i)
    }
  })

  test(`${form.name}: what arrives while the loop is blocked is told`, async t => {
    const [a, b] = openPipe(t)
    t.deepEqual(await form.wait([b], 5), [])
    a.sendSync('now')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    t.deepEqual(await form.wait([b], 0), [b])
    t.deepEqual(await form.wait([b]), [b])
  })
}

test('wait never throws synchronously', async t => {
  const [, b] = openPipe(t)
  b.closeSync()
  const broken = {
    [Symbol.iterator]() {
      throw new Error('no list')
    },
  }
  const custom = {
    [waitable]() {
      throw new Error('no waitable')
    },
  }
  const calls: [unknown, unknown, object][] = [
    [[b], undefined, closed],
    [undefined, undefined, wrongType],
    [[null], 0, wrongType],
    [[], Number.NaN, outOfRange],
    [[], { signal: {} }, wrongType],
    [broken, 0, { message: 'no list' }],
    [[custom], 0, { message: 'no waitable' }],
    [[-1], 0, { code: onWindows ? 'ENOTSUP' : 'EBADF' }],
  ]
  for (const [objects, timeout, error] of calls) {
    let result: Promise<unknown> | undefined
    t.notThrows(() => {
      result = wait(objects as Waitable[], timeout as number)
    })
    await t.throwsAsync(result as Promise<unknown>, error)
  }
})

test('an aborted wait rejects with the reason as it is, and takes nothing', async t => {
  const [a, b] = openPipe(t)
  for (const reason of [new Error('enough'), 'a string', 0, null]) {
    const aborter = new AbortController()
    const waiting = wait([b], { signal: aborter.signal })
    t.true(await isPending(waiting))
    aborter.abort(reason)
    const outcome = await waiting.then(
      () => t.fail(),
      error => ({ error }),
    )
    t.is((outcome as { error: unknown }).error, reason)
  }
  await a.send('still there')
  t.deepEqual(await wait([b]), [b])
  t.is(await b.recv(), 'still there')
})

test('a signal that is aborted already rejects at once, even when something is ready or nothing is given', async t => {
  const [a, b] = openPipe(t)
  await a.send(1)
  const reason = new Error('before')
  const signal = AbortSignal.abort(reason)
  t.is(await t.throwsAsync(wait([b], { signal })), reason)
  t.is(await t.throwsAsync(wait([], { signal })), reason)
  t.is(await t.throwsAsync(wait([b], { signal, timeout: 0 })), reason)
})

test('a signal of a wait that has ended does nothing, and keeps no listener', async t => {
  const [a, b] = openPipe(t)
  const aborter = new AbortController()
  const { signal } = aborter
  let listeners = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: unknown[]) => {
    listeners++
    return Reflect.apply(addEventListener, signal, args)
  }
  signal.removeEventListener = (...args: unknown[]) => {
    listeners--
    return Reflect.apply(removeEventListener, signal, args)
  }
  const waiting = wait([b], { signal })
  await a.send(1)
  t.deepEqual(await waiting, [b])
  t.is(listeners, 0)
  await b.recv()
  t.deepEqual(await wait([b], { signal, timeout: 5 }), [])
  t.is(listeners, 0)
  aborter.abort()
  await new Promise(resolve => setImmediate(resolve))
})

test('AbortSignal.timeout rejects with its TimeoutError', async t => {
  const [, b] = openPipe(t)
  const keepAlive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(keepAlive))
  const error = await t.throwsAsync(wait([b], { signal: AbortSignal.timeout(20) }), { any: true })
  t.is((error as Error).name, 'TimeoutError')
})

test('time and signal together: whichever comes first', async t => {
  const [, b] = openPipe(t)
  const aborter = new AbortController()
  t.deepEqual(await wait([b], { timeout: 10, signal: aborter.signal }), [])
  const waiting = wait([b], { timeout: 60_000, signal: aborter.signal })
  aborter.abort(new Error('first'))
  await t.throwsAsync(waiting, { message: 'first' })
})

test("a change of the user's list during the wait changes nothing", async t => {
  const [[a, b], [c, d]] = [openPipe(t), openPipe(t)]
  const list = [b, d]
  const waiting = wait(list, atMost)
  list[1] = b
  list.length = 1
  list.unshift(d, d)
  await c.send(1)
  t.deepEqual(await waiting, [d])
  await a.send(1)
  t.deepEqual(await wait(list), [d, d, b])
})

test('the result is a list of its own each time', async t => {
  const [a, b] = openPipe(t)
  const [first, second] = [wait([b]), wait([b])]
  await a.send(1)
  const [x, y] = await Promise.all([first, second])
  t.not(x, y)
  x.length = 0
  t.deepEqual(y, [b])
  const again = await wait([b])
  again.push(b)
  t.deepEqual(await wait([b]), [b])
  const list = [b]
  t.not(await wait(list), list)
  t.not(waitSync(list), list)
})

test('several waits over the same list at once are all told', async t => {
  const [[a, b], [, d]] = [openPipe(t), openPipe(t)]
  const aborter = new AbortController()
  const waits = [wait([b, d]), wait([b, d], 60_000), wait([b, d], { timeout: 60_000 })]
  const short = wait([b, d], 20)
  const aborted = wait([b, d], { signal: aborter.signal })
  t.deepEqual(await short, [])
  aborter.abort(new Error('enough'))
  await t.throwsAsync(aborted, { message: 'enough' })
  t.deepEqual(waitSync([b, d], 0), [])
  t.deepEqual(await wait([b, d], 0), [])
  t.true(await isPending(Promise.race(waits)))
  await a.send('for all')
  t.deepEqual(await Promise.all(waits), [[b], [b], [b]])
  t.is(await b.recv(), 'for all')
})

test('one connection in several waits over different lists at once', async t => {
  const pipes: Ends[] = Array.from({ length: 12 }, () => openPipe(t))
  const ends = pipes.map(([, b]) => b)
  const shared = ends[0]
  // More than are kept for later.
  const waits = ends.slice(1).map(end => wait([end, shared]))
  const others = ends.slice(1).map(end => wait([end]))
  t.true(await isPending(Promise.race([...waits, ...others])))
  await pipes[0][0].send('for all')
  t.deepEqual(
    await Promise.all(waits),
    waits.map(() => [shared]),
  )
  t.true(await isPending(Promise.race(others)))
  for (const [a] of pipes.slice(1)) await a.send(1)
  t.deepEqual(
    await Promise.all(others),
    ends.slice(1).map(end => [end]),
  )
})

test('a blocking wait while async waits over the same and other lists are pending', async t => {
  const [[a, b], [, d]] = [openPipe(t), openPipe(t)]
  const pending = [wait([b, d]), wait([d, b]), wait([b])]
  t.deepEqual(waitSync([b, d], 10), [])
  t.deepEqual(waitSync([b], 10), [])
  a.sendSync('one')
  t.deepEqual(waitSync([b, d]), [b])
  t.deepEqual(await Promise.all(pending), [[b], [b], [b]])
})

test('all that became ready together are told by one wake-up', async t => {
  const pipes: Ends[] = Array.from({ length: 20 }, () => openPipe(t))
  const ends = pipes.map(([, b]) => b)
  for (let round = 0; round < 3; round++) {
    const waiting = wait(ends)
    t.true(await isPending(waiting))
    // In one go, without a turn of the loop.
    for (const [a] of pipes) a.sendSync(round)
    t.deepEqual(await waiting, ends)
    for (const end of ends) t.is(end.recvSync(), round)
  }
})

test('a wait keeps the context of AsyncLocalStorage', async t => {
  const storage = new AsyncLocalStorage<string>()
  const [a, b] = openPipe(t)
  const contexts = ['one', 'two', 'three'].map(name =>
    storage.run(name, async () => {
      await wait([b])
      return storage.getStore()
    }),
  )
  const timed = storage.run('timed', async () => {
    await wait([b], 10)
    return storage.getStore()
  })
  t.is(await timed, 'timed')
  await storage.run('sender', () => a.send(1))
  t.deepEqual(await Promise.all(contexts), ['one', 'two', 'three'])
  t.is(storage.getStore(), undefined)
})

test('a wait over each in a loop that serves them all', async t => {
  const count = 4
  const messages = 50
  const ends = new Set<Connection<number>>()
  for (let i = 0; i < count; i++) {
    const [near, far] = openPipe<number>(t)
    ends.add(near)
    const send = async () => {
      for (let n = 0; n < messages; n++) {
        await far.send(n)
        if (n % 7 === i) await new Promise(resolve => setImmediate(resolve))
      }
      await far.close()
    }
    void send()
  }
  const sums: number[] = []
  while (ends.size > 0) {
    for (const end of await wait(ends, atMost)) {
      try {
        sums.push(end.recvSync())
      } catch {
        ends.delete(end)
      }
    }
  }
  t.is(sums.length, count * messages)
  t.is(
    sums.reduce((sum, n) => sum + n, 0),
    (count * messages * (messages - 1)) / 2,
  )
})

/** Both ends of so many pipes, and some more. */
const count = 1_100
const limit = onWindows
  ? Number.POSITIVE_INFINITY
  : Number(spawnSync('sh', ['-c', 'ulimit -n']).stdout?.toString().trim().replace('unlimited', 'Infinity'))
for (const form of waitForms) {
  const name = `${form.name}: more that are ready at once than one wake-up can tell of`
  if (!(limit >= 2 * count + 500)) {
    test(`${name} (left out: at most ${limit} descriptors)`, t => t.false(limit >= 2 * count + 500))
    continue
  }
  test(name, async t => {
    const pipes: Ends[] = Array.from({ length: count }, () => openPipe(t))
    const ends = pipes.map(([, b]) => b)
    t.deepEqual(await form.wait(ends, 0), [])
    for (let round = 0; round < 2; round++) {
      const waiting = form.name === 'wait' ? form.wait(ends, atMost) : undefined
      if (waiting) t.true(await isPending(waiting))
      for (const [a] of pipes) a.sendSync(round)
      const ready = await (waiting ?? form.wait(ends, atMost))
      t.is(ready.length, count)
      t.true(ready.every((end, i) => end === ends[i]))
      for (const end of ends) t.is(end.recvSync({ timeout: 0 }), round)
      t.deepEqual(await form.wait(ends, 0), [])
    }
  })
}
