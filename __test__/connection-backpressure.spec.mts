import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { forms } from './helpers/forms.mjs'
import { isPending, openOneWayPipe, openPipe, patterned } from './helpers/pipes.mjs'
import { startProgram, startWorker } from './helpers/programs.mjs'
import { openRawPair } from './helpers/raw-peer.mjs'

const kib = 1024
const mib = 1024 * kib

test('bufferedAmount is 0 when everything has been taken', async t => {
  const [a, b] = openPipe(t)
  t.is(a.bufferedAmount, 0)
  await a.send('small')
  await b.recv()
  t.is(a.bufferedAmount, 0)
})

test('bufferedAmount counts what is accepted and not taken, and falls to 0 as the peer reads', async t => {
  const [conn, peer] = openRawPair(t)
  const sent = conn.sendBytes(patterned(4 * mib))
  t.true(await isPending(sent))
  const atFirst = conn.bufferedAmount
  t.true(atFirst > 2 * mib && atFirst <= 4 * mib + 4)
  const queued = conn.sendBytes(patterned(mib))
  t.true(conn.bufferedAmount >= atFirst + mib)
  t.true(conn.bufferedAmount <= atFirst + mib + 4)
  await peer.read(3 * mib)
  t.true(conn.bufferedAmount <= 2 * mib + 8)
  await peer.read(2 * mib + 8)
  await Promise.all([sent, queued])
  t.is(conn.bufferedAmount, 0)
})

test('bufferedAmount is 0 after a blocking send', async t => {
  const [conn, end] = openPipe(t)
  const peer = await startWorker(t, 'connection-collect.mjs', { end })
  const queued = conn.sendBytes(Buffer.alloc(mib, 1))
  conn.sendBytesSync(Buffer.alloc(mib, 2))
  t.is(conn.bufferedAmount, 0)
  await queued
  await conn.close()
  t.deepEqual(await peer.report(), [
    [mib, 1],
    [mib, 2],
  ])
})

for (const highWaterMark of [undefined, 0, 1_000, mib]) {
  test(`send waits for room above a highWaterMark of ${highWaterMark ?? 'the default 64 KiB'}`, async t => {
    const [a, b] = openPipe<Buffer>(t, { highWaterMark })
    const mark = highWaterMark ?? 64 * kib
    const size = 500
    let accepted = 0
    let last: Promise<void>
    do {
      t.true(a.bufferedAmount <= mark)
      last = a.sendBytes(patterned(size, accepted++))
    } while (await settlesSoon(last))
    t.true(a.bufferedAmount > mark)
    t.true(a.bufferedAmount <= mark + 2 * (size + 4))
    let intact = 0
    for (let i = 0; i < accepted; i++) if ((await b.recvBytes()).equals(patterned(size, i))) intact++
    t.is(intact, accepted)
    await last
    // What is on its way there may become known a moment later.
    for (let i = 0; i < 1000 && a.bufferedAmount > 0; i++) await delay(1)
    t.is(a.bufferedAmount, 0)
  })
}

test('a send that waits resolves when the unsent bytes have fallen to the mark, not only when all is taken', async t => {
  const [conn, peer] = openRawPair(t, { highWaterMark: 2 * mib })
  const sent = conn.sendBytes(patterned(6 * mib))
  t.true(await isPending(sent))
  await peer.read(5 * mib)
  await sent
  t.true(conn.bufferedAmount <= 2 * mib)
  await peer.read(mib + 4)
})

test('sends that wait resolve in order', async t => {
  const [a, b] = openPipe(t)
  const settled: number[] = []
  const sends = Array.from({ length: 10 }, (_, i) => a.sendBytes(patterned(mib)).then(() => settled.push(i)))
  for (let i = 0; i < 10; i++) t.is((await b.recvBytes()).length, mib)
  await Promise.all(sends)
  t.deepEqual(settled, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('await send in a loop never grows memory, however slow the peer', async t => {
  const [conn, end] = openPipe(t)
  const child = startProgram(t, 'connection-flood.mjs', { end, execArgv: ['--expose-gc'] })
  let count = 0
  for await (const message of conn.bytes()) {
    count++
    t.is(message.length, 64 * kib)
    if (count % 100 === 0) await new Promise(resolve => setTimeout(resolve, 2))
  }
  const { sent, largest, grown } = await child.report<{ sent: number; largest: number; grown: number }>()
  t.is(count, sent)
  t.true(largest <= 64 * kib, `at most ${largest} bytes were unsent`)
  t.true(grown < 64 * mib, `memory grew by ${grown} bytes`)
  t.is(await child.exit, 0)
})

for (const form of forms) {
  test(`${form.name}: what nobody asks for makes the peer wait`, async t => {
    const [a, b] = openPipe<number>(t)
    await a.send(0)
    t.is(await form.recv(b), 0)
    const sent = a.sendBytes(patterned(8 * mib))
    t.true(await isPending(sent))
    t.true(a.bufferedAmount > 4 * mib)
    t.is((await b.recvBytes()).length, 8 * mib)
    await sent
  })
}

test('a one-way pipe has the same backpressure', async t => {
  const [reader, writer] = openOneWayPipe(t)
  const sent = writer.sendBytes(patterned(4 * mib))
  t.true(await isPending(sent))
  t.true(writer.bufferedAmount > 2 * mib)
  t.is((await reader.recvBytes()).length, 4 * mib)
  await sent
  t.is(writer.bufferedAmount, 0)
})

/** Whether it settles without anybody reading: what does not within a few turns of the loop waits for room. */
async function settlesSoon(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  void promise.then(() => {
    settled = true
  })
  for (let turn = 0; turn < 5 && !settled; turn++) await new Promise(resolve => setImmediate(resolve))
  return settled
}
