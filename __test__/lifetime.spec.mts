import test, { type ExecutionContext } from 'ava'
import type { Connection } from 'carom'
import { endOfStream } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { openPipe } from './helpers/pipes.mjs'
import { underWine } from './helpers/platform.mjs'
import { startProgram } from './helpers/programs.mjs'

/** Long enough that a child which nothing keeps alive would have ended. */
const aWhile = () => new Promise(resolve => setTimeout(resolve, 200))

function startScenario(t: ExecutionContext, end: Connection, scenario: string) {
  return startProgram(t, 'connection-lifetime.mjs', { end, args: [scenario] })
}

for (const scenario of [
  'an idle connection',
  'a pipe of its own',
  'a connection that has sent and received',
  'a receive that timed out',
  'a receive that was aborted',
  'a receive whose connection was closed',
  'a loop that was left',
  'a closed connection',
]) {
  test(`a process with ${scenario} ends by itself`, async t => {
    const [conn, end] = openPipe(t)
    await conn.send('hello')
    const program = startScenario(t, end, scenario)
    t.is(await program.exit, 0)
  })
}

for (const scenario of [
  'recv',
  'recvBytes',
  'recvBytesInto',
  'poll',
  'messages',
  'bytes',
  'recv after unref and ref',
]) {
  test(`a pending ${scenario} keeps the process alive`, async t => {
    const [conn, end] = openPipe(t)
    const program = startScenario(t, end, scenario)
    t.is(await program.report(), 'waiting')
    await aWhile()
    t.is(program.child.exitCode, null)
    await conn.send('what it waits for')
    t.is(await program.report(), 'done')
    t.is(await program.exit, 0)
  })
}

for (const scenario of ['an unref before the receive', 'an unref during the receive', 'an unref before the poll']) {
  test(`after ${scenario} the process ends`, async t => {
    const [, end] = openPipe(t)
    t.is(await startScenario(t, end, scenario).exit, 0)
  })
}

test('unsent bytes keep the process alive until they are sent', async t => {
  const [conn, end] = openPipe(t)
  const program = startScenario(t, end, 'unsent bytes')
  t.is(await program.report(), 'waiting')
  await aWhile()
  t.is(program.child.exitCode, null)
  t.is((await conn.recvBytes()).length, 4 * 2 ** 20)
  await t.throwsAsync(conn.recv(), endOfStream)
  t.is(await program.exit, 0)
})

test('process.exit() gives up on a peer that does not read', async t => {
  const [, end] = openPipe(t)
  const program = startProgram(t, 'connection-exit.mjs', { end, args: ['exit', 'async', '8', '1000000'] })
  t.is(await program.exit, 0)
})

// Alone, since the process that exits waits for at most a second.
test.serial('process.exit() sends more than the kernel takes at once, as long as the peer reads', async t => {
  const [conn, end] = openPipe(t)
  const program = startProgram(t, 'connection-exit.mjs', { end, args: ['exit', 'async', '4', '300000'] })
  let count = 0
  for await (const message of conn.bytes()) {
    t.is(message.length, 300_000)
    count++
  }
  t.is(count, 4)
  t.is(await program.exit, 0)
})

for (const form of forms) {
  for (const size of [10, 300_000]) {
    // Alone, too.
    test.serial(
      `${form.name}: messages of ${size} bytes arrive that were sent in a handler of the process's exit`,
      async t => {
        const [conn, end] = openPipe(t)
        const program = startProgram(t, 'connection-exit.mjs', { end, args: ['handler', form.name, '4', String(size)] })
        const lengths: number[] = []
        for await (const message of conn.bytes()) lengths.push(message.length)
        t.deepEqual(lengths, Array(4).fill(size))
        t.is(await program.exit, 0)
      },
    )
  }

  for (const how of ['exit', 'end', 'throw']) {
    test(`${form.name}: 10,000 messages arrive that were sent right before the process's ${how}`, async t => {
      const [conn, end] = openPipe(t)
      const program = startProgram(t, 'connection-exit.mjs', {
        end,
        args: [how, form.name, '10000', '20'],
        stderr: 'ignore',
      })
      let count = 0
      for await (const message of conn.bytes()) if (message.equals(numbered(count, 20))) count++
      t.is(count, 10_000)
      t.is(await program.exit, how === 'throw' ? 1 : 0)
    })
  }

  test(`${form.name}: a message sent right before exit arrives, a hundred times out of a hundred`, async t => {
    t.timeout(240_000)
    let arrived = 0
    const exits: unknown[] = []
    const runs = Array.from({ length: 100 }, (_, i) => (i % 2 ? 'exit' : 'end'))
    const runner = async () => {
      for (let how = runs.pop(); how; how = runs.pop()) {
        const [conn, end] = openPipe(t)
        const program = startProgram(t, 'connection-exit.mjs', { end, args: [how, form.name, '1', '50'] })
        if ((await conn.recvBytes()).equals(numbered(0, 50))) arrived++
        await t.throwsAsync(conn.recvBytes(), endOfStream)
        exits.push(await program.exit)
        await conn.close()
      }
    }
    await Promise.all([runner(), runner(), runner()])
    t.is(arrived, 100)
    t.deepEqual(exits, Array(100).fill(0))
  })

  test(`${form.name}: a thousand pipes that are opened and closed leak neither descriptors nor memory`, async t => {
    t.timeout(120_000)
    const program = startProgram(t, 'connection-thousand-pipes.mjs', { args: [form.name], execArgv: ['--expose-gc'] })
    const leaked = await program.report<{ descriptors: number; heap: number; outside: number; all: number }>()
    t.is(leaked.descriptors, 0)
    t.true(leaked.heap < 2 ** 20, `the heap grew by ${leaked.heap} bytes`)
    t.true(leaked.outside < 2 ** 20, `the memory of buffers grew by ${leaked.outside} bytes`)
    // Wine's thread pool keeps threads that have nothing to do for seconds, with their memory.
    if (!underWine) t.true(leaked.all < 32 * 2 ** 20, `the process grew by ${leaked.all} bytes`)
    t.is(await program.exit, 0)
  })
}

test('connections that are dropped without close() are closed by the collector, those that wait are not', async t => {
  const program = startProgram(t, 'connection-dropped.mjs', { execArgv: ['--expose-gc'] })
  const { descriptors, ...kept } = await program.report<Record<string, unknown>>()
  t.is(descriptors, 0)
  t.deepEqual(kept, {
    ended: 'ERR_CAROM_EOF',
    received: 'late',
    polled: true,
    iterated: 'late',
    sent: 2 ** 22,
    closed: 2 ** 22,
    reused: 100,
    detached: 'late',
  })
  t.is(await program.exit, 0)
})

test('a process whose connection is read by nobody until it has ended loses nothing', async t => {
  const [conn, end] = openPipe(t)
  const program = startProgram(t, 'connection-exit.mjs', { end, args: ['exit', 'blocking', '20', '1000'] })
  t.is(await program.exit, 0)
  for (let i = 0; i < 20; i++) t.deepEqual(await conn.recvBytes(), numbered(i, 1_000))
  await t.throwsAsync(conn.recv(), endOfStream)
})

/** The fixture's message number `i`. */
function numbered(i: number, size: number): Buffer {
  const message = Buffer.alloc(size, i % 251)
  message.writeUInt32BE(i)
  return message
}
