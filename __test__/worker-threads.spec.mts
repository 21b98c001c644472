import test from 'ava'
import { forms } from './helpers/forms.mjs'
import { openPipe, patterned } from './helpers/pipes.mjs'
import { testOnUnix } from './helpers/platform.mjs'
import { startProgram, startWorker } from './helpers/programs.mjs'

/** Far above the 100 ms of the contract, for machines that are busy with other tests. */
const soon = 2_000

const overfull = 4 * 2 ** 20

/** What a worker can be doing when it is terminated, and whether its peer then sees half a message. */
const parked: Record<string, { truncates?: boolean }> = {
  recv: {},
  recvBytes: {},
  recvBytesInto: {},
  poll: {},
  messages: {},
  send: { truncates: true },
  close: { truncates: true },
  recvSync: {},
  recvBytesSync: {},
  recvBytesIntoSync: {},
  pollSync: {},
  messagesSync: {},
  sendSync: { truncates: true },
  closeSync: { truncates: true },
  'recvSync with a timeout': {},
}

for (const [how, { truncates = false }] of Object.entries(parked)) {
  test(`terminate() ends a worker in ${how}, and its connection with it`, async t => {
    const [conn, end] = openPipe(t)
    const { worker, exit } = await startWorker(t, 'connection-parked.mjs', { end, how, unsent: overfull })
    // The beginning of a message shows that its send is under way; it stays, as it is too long for this receive.
    if (truncates) await t.throwsAsync(conn.recvBytes(1), { code: 'ERR_CAROM_MESSAGE_TOO_LONG' })
    else await new Promise(resolve => setTimeout(resolve, 50))
    const begin = performance.now()
    await worker.terminate()
    const took = performance.now() - begin
    t.true(took < soon, `terminate() took ${took} ms`)
    t.is(await exit, 1)
    const code = truncates ? 'ERR_CAROM_TRUNCATED' : 'ERR_CAROM_EOF'
    await t.throwsAsync(conn.recvBytes(), { code })
  })
}

test('environments work side by side without disturbing each other', async t => {
  const workers = await Promise.all(
    Array.from({ length: 4 }, () => startWorker(t, 'connection-busy.mjs', { rounds: 500 })),
  )
  const [a, b] = openPipe<number>(t)
  for (let i = 0; i < 500; i++) {
    await a.send(i)
    t.is(await b.recv(), i)
  }
  for (const worker of workers) t.is(await worker.report(), 1_000)
})

test('environments that come and go do not disturb those that stay', async t => {
  const [conn, end] = openPipe<number>(t)
  await startWorker(t, 'connection-echo.mjs', { end })
  for (let i = 0; i < 10; i++) {
    const [, other] = openPipe(t)
    const parkedWorker = await startWorker(t, 'connection-parked.mjs', { end: other, how: i % 2 ? 'recv' : 'recvSync' })
    const echoed = conn.recv()
    await parkedWorker.worker.terminate()
    await conn.send(i)
    t.is(await echoed, i)
  }
})

for (const form of forms) {
  test(`${form.name}: two workers talk to each other`, async t => {
    const [first, second] = openPipe(t)
    await startWorker(t, 'connection-echo.mjs', { end: first, form: form.name })
    const pinger = await startWorker(t, 'connection-ping.mjs', { end: second, form: form.name, rounds: 300 })
    t.is(await pinger.report(), 300)
    t.is(await pinger.exit, 0)
  })

  test(`${form.name}: process.exit() in a worker first sends what was accepted`, async t => {
    const [conn, end] = openPipe<number>(t)
    const { exit } = await startWorker(t, 'connection-worker-exit.mjs', { end, form: form.name, count: 1_000 })
    const received: number[] = []
    for await (const message of conn) received.push(message)
    t.deepEqual(
      received,
      Array.from({ length: 1_000 }, (_, i) => i),
    )
    t.is(await exit, 3)
  })
}

test('a worker with an idle connection ends, and its connection with it', async t => {
  const [conn, end] = openPipe(t)
  const { exit } = await startWorker(t, 'connection-idle.mjs', { end })
  t.is(await exit, 0)
  await t.throwsAsync(conn.recv(), { code: 'ERR_CAROM_EOF' })
})

test('a pending receive keeps a worker alive until it has its message', async t => {
  const [conn, end] = openPipe(t)
  const worker = await startWorker(t, 'connection-ping.mjs', { end, form: 'async', rounds: 1 })
  t.is(await conn.recv(), 0)
  await new Promise(resolve => setTimeout(resolve, 50))
  await conn.send(0)
  t.is(await worker.report(), 1)
  t.is(await worker.exit, 0)
})

test('unsent bytes keep a worker alive until they are sent', async t => {
  const [conn, end] = openPipe(t)
  const message = patterned(overfull)
  const { exit } = await startWorker(t, 'connection-idle.mjs', { end, send: message })
  await new Promise(resolve => setTimeout(resolve, 50))
  t.true((await conn.recvBytes()).equals(message))
  t.is(await exit, 0)
})

test('an exception in a worker with a pending receive ends that worker alone', async t => {
  const [conn, end] = openPipe(t)
  const { worker, exit } = await startWorker(t, 'connection-parked.mjs', { end, how: 'recv and throw' })
  worker.postMessage('now')
  const error = await exit.catch((reason: unknown) => reason)
  t.is((error as Error).message, 'thrown by the fixture')
  await t.throwsAsync(conn.recv(), { code: 'ERR_CAROM_EOF' })
  const [a, b] = openPipe(t)
  await a.send('this thread goes on')
  t.is(await b.recv(), 'this thread goes on')
})

testOnUnix('no list of descriptors')(
  'workers that are terminated with operations pending leak no descriptor',
  async t => {
    const program = startProgram(t, 'connection-terminate-many.mjs')
    const { before, after } = await program.report<{ before: number; after: number }>()
    t.is(after, before)
    t.is(await program.exit, 0)
  },
)

test('process.exit() of the main thread ends workers in a blocking receive', async t => {
  const program = startProgram(t, 'connection-exit-with-workers.mjs')
  t.is(await program.report(), 'exiting')
  t.is(await program.exit, 5)
})
