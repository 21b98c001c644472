import test from 'ava'
import type { Connection, WritableConnection } from 'carom'
import { endOfStream, timedOut, tooLong, wouldBlock } from './helpers/expectations.mjs'
import { type Form, forms, receives } from './helpers/forms.mjs'
import { openOneWayPipe, openPipe, patterned } from './helpers/pipes.mjs'
import { testOnUnix } from './helpers/platform.mjs'
import { startWorker } from './helpers/programs.mjs'
import { frame, openRawPair } from './helpers/raw-peer.mjs'

/** More than the kernel takes of a pipe that nobody reads. */
const overfull = 4 * 2 ** 20

/** Sends numbered messages until one would block; how many were taken. */
async function fill(form: Form, conn: WritableConnection<never>): Promise<number> {
  for (let i = 0; i < 100_000; i++) {
    try {
      const message = Buffer.alloc(1_000)
      message.writeUInt32BE(i)
      await form.sendBytes(conn, message)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      return i
    }
  }
  return Number.POSITIVE_INFINITY
}

const inParts = testOnUnix('nobody but carom can write to the other end of a Pipe()')

for (const form of forms) {
  for (const [how, receive] of Object.entries(receives(form))) {
    test(`${form.name}: ${how} on a non-blocking end fails at once when no message is there`, async t => {
      const [a, b] = openPipe(t, { rnonblock: true })
      for (let i = 0; i < 3; i++) {
        await t.throwsAsync(receive(a), wouldBlock)
        await b.send('there')
        await t.notThrowsAsync(receive(a))
      }
    })

    inParts(`${form.name}: ${how} on a non-blocking end keeps what has arrived of a message`, async t => {
      const [conn, peer] = openRawPair(t, { rnonblock: true })
      const bytes = frame(patterned(50))
      for (const part of bytes.subarray(0, -1)) {
        await peer.write(Buffer.of(part))
        await t.throwsAsync(receive(conn), wouldBlock)
      }
      await peer.write(bytes.subarray(-1))
      t.deepEqual(await form.recvBytes(conn), patterned(50))
    })

    test(`${form.name}: ${how} on a non-blocking end waits when it has a timeout`, async t => {
      const [conn, end] = openPipe(t, { rnonblock: true })
      await t.throwsAsync(receive(conn, { timeout: 20 }), timedOut)
      await startWorker(t, 'connection-later.mjs', { end, after: 50, messages: ['later'] })
      await t.notThrowsAsync(receive(conn, { timeout: Number.POSITIVE_INFINITY }))
      await t.throwsAsync(receive(conn, { timeout: 60_000 }), endOfStream)
      await t.throwsAsync(receive(conn), endOfStream)
    })
  }

  test(`${form.name}: rnonblock is for the first end, wnonblock for the second`, async t => {
    const [first, blockingSecond] = openPipe(t, { rnonblock: true })
    await t.throwsAsync(form.recv(first), wouldBlock)
    await t.throwsAsync(form.recv(blockingSecond, { timeout: 10 }), timedOut)
    t.true(Number.isFinite(await fill(form, first)))

    const [blockingFirst, second] = openPipe(t, { wnonblock: true })
    await t.throwsAsync(form.recv(second), wouldBlock)
    await t.throwsAsync(form.recv(blockingFirst, { timeout: 10 }), timedOut)
    t.true(Number.isFinite(await fill(form, second)))

    const both = openPipe(t, { rnonblock: true, wnonblock: true })
    for (const end of both) await t.throwsAsync(form.recv(end), wouldBlock)
    for (const end of both) t.true(Number.isFinite(await fill(form, end)))
  })

  test(`${form.name}: on a one-way pipe rnonblock is the reader's and wnonblock the writer's`, async t => {
    const [reader, writer] = openOneWayPipe(t, { rnonblock: true, wnonblock: true })
    await t.throwsAsync(form.recv(reader), wouldBlock)
    const taken = await fill(form, writer)
    t.true(taken > 0 && Number.isFinite(taken))
    for (let i = 0; i < taken; i++) t.is((await reader.recvBytes({ timeout: 60_000 })).readUInt32BE(), i)
    await t.throwsAsync(form.recv(reader), wouldBlock)
  })

  test(`${form.name}: a send that would block sends nothing of its message, and works when there is room`, async t => {
    const [a, b] = openPipe(t, { wnonblock: true })
    for (let round = 0; round < 2; round++) {
      const taken = await fill(form, b)
      t.true(taken > 0 && Number.isFinite(taken))
      await t.throwsAsync(form.send(b, 'refused'), wouldBlock)
      await t.throwsAsync(form.sendBytes(b, patterned(overfull)), wouldBlock)
      for (let i = 0; i < taken; i++) t.is((await a.recvBytes()).readUInt32BE(), i)
    }
    await form.send(b, 'there is room')
    t.is(await a.recv(), 'there is room')
  })

  test(`${form.name}: a message larger than the kernel takes is accepted and sent whole, the one after it would block`, async t => {
    const [a, b] = openPipe(t, { wnonblock: true })
    await form.sendBytes(b, patterned(overfull))
    t.true(b.bufferedAmount > 0)
    await t.throwsAsync(form.send(b, 'refused'), wouldBlock)
    t.true((await a.recvBytes()).equals(patterned(overfull)))
    await form.send(b, 'the next')
    t.is(await a.recv(), 'the next')
    t.is(b.bufferedAmount, 0)
  })

  test(`${form.name}: a send with a timeout waits for room`, async t => {
    const [end, conn] = openPipe(t, { wnonblock: true })
    const first = Buffer.alloc(overfull, 1)
    await form.sendBytes(conn, first)
    await t.throwsAsync(form.sendBytes(conn, Buffer.of(2), { timeout: 20 }), timedOut)
    const peer = await startWorker(t, 'connection-collect.mjs', { end })
    await form.sendBytes(conn, Buffer.of(3), { timeout: 60_000 })
    await form.close(conn)
    t.deepEqual(await peer.report(), [
      [overfull, 1],
      [1, 3],
    ])
  })

  test(`${form.name}: the iterators of a non-blocking end wait`, async t => {
    for (const kind of ['messages', 'bytes'] as const) {
      const [conn, end] = openPipe(t, { rnonblock: true })
      await startWorker(t, 'connection-later.mjs', { end, after: 50, messages: [1, 2, 3] })
      let count = 0
      for await (const _ of form[kind](conn)) count++
      t.is(count, 3)
    }
  })

  test(`${form.name}: poll on a non-blocking end waits`, async t => {
    const [conn, end] = openPipe(t, { rnonblock: true })
    t.false(await form.poll(conn))
    t.false(await form.poll(conn, 20))
    await startWorker(t, 'connection-later.mjs', { end, after: 50, messages: ['later'] })
    t.true(await form.poll(conn, Number.POSITIVE_INFINITY))
    t.is(await form.recv(conn), 'later')
  })

  test(`${form.name}: a message that is too long for a receive is no reason to wait`, async t => {
    const [a, b] = openPipe(t, { rnonblock: true })
    await b.sendBytes(Buffer.alloc(20))
    await t.throwsAsync(form.recvBytes(a, 10), tooLong)
    t.is((await form.recvBytes(a, 20)).length, 20)
    await t.throwsAsync(form.recvBytes(a, 20), wouldBlock)
  })

  test(`${form.name}: a non-blocking end closes as any other, sending what it accepted`, async t => {
    const [end, conn] = openPipe(t, { wnonblock: true })
    const peer = await startWorker(t, 'connection-collect.mjs', { end })
    await form.sendBytes(conn, Buffer.alloc(overfull, 5))
    await form.close(conn)
    t.deepEqual(await peer.report(), [[overfull, 5]])
  })
}

test('many receives in turn on a non-blocking end get every message whole', async t => {
  const [a, b]: Connection[] = openPipe(t, { rnonblock: true })
  const sent = Promise.all(Array.from({ length: 200 }, (_, i) => b.sendBytes(patterned(i * 50, i))))
  let attempts = 0
  for (let i = 0; i < 200; ) {
    try {
      t.deepEqual(a.recvBytesSync(), patterned(i * 50, i))
      i++
    } catch (error) {
      t.is((error as NodeJS.ErrnoException).code, 'EAGAIN')
      t.true(++attempts < 100_000)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  await sent
})
