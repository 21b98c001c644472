import { closeSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { Connection, type DetachedConnection, serializers } from 'carom'
import { closesOnExec, wasStream } from './helpers/descriptors.mjs'
import {
  busy,
  closed,
  notReadable,
  notWritable,
  outOfRange,
  tooLong,
  wrongType,
  wrongValue,
} from './helpers/expectations.mjs'
import { forms, receives } from './helpers/forms.mjs'
import { isPending, openOneWayPipe, openPipe, patterned } from './helpers/pipes.mjs'
import { onLinux, testIf, testOnUnix } from './helpers/platform.mjs'
import { startProgram, startWorker } from './helpers/programs.mjs'
import { frame, openRawPair } from './helpers/raw-peer.mjs'

function openFrom<Messages = unknown>(
  t: ExecutionContext,
  ...[source, options]: Parameters<typeof Connection.from>
): Connection<Messages> {
  const conn = Connection.from<Messages>(source, options)
  t.teardown(() => conn[Symbol.dispose]())
  return conn
}

for (const form of forms) {
  test(`${form.name}: a detached connection goes on where it was opened from`, async t => {
    const [a, b] = openPipe<string>(t)
    await a.send('before')
    const reopened = openFrom<string>(t, b.detach())
    await a.send('after')
    t.is(await form.recv(reopened), 'before')
    t.is(await form.recv(reopened), 'after')
    await form.send(reopened, 'back')
    t.is(await form.recv(a), 'back')
  })

  test(`${form.name}: what had been received and not read goes along`, async t => {
    const [a, b] = openPipe<number>(t)
    await Promise.all(Array.from({ length: 100 }, (_, i) => a.send(i)))
    t.is(await form.recv(b), 0)
    const once = openFrom<number>(t, b.detach())
    for (let i = 1; i < 50; i++) t.is(await form.recv(once), i)
    const twice = openFrom<number>(t, structuredClone(once.detach()))
    for (let i = 50; i < 100; i++) t.is(await form.recv(twice), i)
    t.false(await form.poll(twice))
  })

  test(`${form.name}: a message of which only a part had come goes along`, async t => {
    for (const [size, cut] of [
      [100, 2],
      [100, 50],
      [300_000, 60_000],
    ]) {
      const [conn, peer] = openRawPair(t)
      const bytes = frame(patterned(size))
      await peer.write(bytes.subarray(0, cut))
      await t.throwsAsync(form.recvBytes(conn, { timeout: 20 }))
      const reopened = openFrom(t, conn.detach())
      const next = reopened.recvBytes()
      await peer.write(bytes.subarray(cut))
      t.true((await next).equals(patterned(size)))
    }
  })

  test(`${form.name}: a large message that was polled goes along, and so does what follows it`, async t => {
    const [a, b] = openPipe(t)
    const sent = Promise.all([a.sendBytes(patterned(300_000)), a.send('after')])
    t.true(await b.poll(1000))
    await sent
    const reopened = openFrom(t, b.detach())
    t.true((await form.recvBytes(reopened)).equals(patterned(300_000)))
    t.is(await form.recv(reopened), 'after')
  })

  test(`${form.name}: a message that was too long for a receive goes along`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(patterned(100_000))
    await t.throwsAsync(form.recvBytes(b, 10), tooLong)
    t.true((await form.recvBytes(openFrom(t, b.detach()))).equals(patterned(100_000)))
  })

  test(`${form.name}: a detached connection is closed for its old owner`, async t => {
    const [, b] = openPipe(t)
    openFrom(t, b.detach())
    t.true(b.closed)
    t.is(b.fd, -1)
    await t.throwsAsync(form.send(b, 1), closed)
    await t.throwsAsync(form.poll(b), closed)
    for (const receive of Object.values(receives(form))) await t.throwsAsync(receive(b), closed)
    t.throws(() => b.detach(), closed)
    await t.notThrowsAsync(form.close(b))
  })

  test(`${form.name}: closing the old owner does not end the stream`, async t => {
    const [a, b] = openPipe<string>(t)
    const reopened = openFrom<string>(t, b.detach())
    await form.close(b)
    await a.send('still open')
    t.is(await form.recv(reopened), 'still open')
  })

  test(`${form.name}: a connection moves to a worker thread and works there`, async t => {
    const [conn, end] = openPipe(t)
    const worker = await startWorker(t, 'connection-echo.mjs', { end, form: form.name })
    t.true(end.closed)
    for (let i = 0; i < 50; i++) {
      await form.send(conn, { i })
      t.deepEqual(await form.recv(conn), { i })
    }
    await form.close(conn)
    t.is(await worker.report(), 'done')
  })

  test(`${form.name}: a connection comes from a worker thread by postMessage`, async t => {
    const worker = await startWorker(t, 'connection-made-in-worker.mjs')
    const conn = openFrom<string>(t, await worker.report<DetachedConnection>())
    t.is(await form.recv(conn), 'read by nobody yet')
    await form.send(conn, 'question')
    t.is(await form.recv(conn), 'answer to question')
  })

  test(`${form.name}: a connection moves to a child process as an inherited descriptor`, async t => {
    const [conn, end] = openPipe<string>(t)
    const child = startProgram(t, 'connection-child-echo.mjs', { end, args: [form.name] })
    await form.send(conn, 'there and back')
    t.is(await form.recv(conn), 'there and back')
    await form.close(conn)
    t.is(await child.exit, 0)
  })

  test(`${form.name}: one-way ends keep their direction`, async t => {
    const [reader, writer] = openOneWayPipe<string>(t)
    const newReader = openFrom<string>(t, reader.detach())
    const newWriter = openFrom<string>(t, writer.detach())
    t.deepEqual([newReader.readable, newReader.writable], [true, false])
    t.deepEqual([newWriter.readable, newWriter.writable], [false, true])
    await form.send(newWriter, 'one way')
    t.is(await form.recv(newReader), 'one way')
    await t.throwsAsync(form.send(newReader, 'x'), notWritable)
    await t.throwsAsync(form.recv(newWriter), notReadable)
  })

  test(`${form.name}: readable and writable can be given to from`, async t => {
    const [a, b] = openPipe<string>(t)
    const reader = openFrom<string>(t, a.detach(), { writable: false })
    const writer = openFrom<string>(t, b.detach(), { readable: false })
    t.deepEqual([reader.readable, reader.writable], [true, false])
    t.deepEqual([writer.readable, writer.writable], [false, true])
    await form.send(writer, 'one way now')
    t.is(await form.recv(reader), 'one way now')
    await t.throwsAsync(form.send(reader, 'x'), notWritable)
    await t.throwsAsync(form.poll(writer), notReadable)
  })

  test(`${form.name}: the options of from are given anew`, async t => {
    const [a, b] = openPipe(t, { maxMessageLength: 5 })
    const reopened = openFrom(t, b.detach(), { serializer: serializers.json, maxMessageLength: 20 })
    await a.sendBytes(Buffer.from('{"by":"json"}'))
    t.deepEqual(await form.recv(reopened), { by: 'json' })
    await a.sendBytes(Buffer.alloc(21))
    await t.throwsAsync(form.recv(reopened), tooLong)

    const [c, d] = openPipe(t, { maxMessageLength: 5 })
    const unlimited = openFrom(t, d.detach())
    await c.sendBytes(Buffer.alloc(6))
    t.is((await form.recvBytes(unlimited)).length, 6)
  })

  test(`${form.name}: from opens a bare descriptor`, async t => {
    const [a, b] = openPipe<string>(t)
    const { fd } = b.detach()
    const reopened = openFrom<string>(t, fd)
    t.is(reopened.fd, fd)
    t.true(reopened.readable && reopened.writable)
    await form.send(a, 'hello')
    t.is(await form.recv(reopened), 'hello')
  })
}

test('detach gives plain data with an open descriptor', t => {
  const [a] = openPipe(t)
  const detached = a.detach()
  t.deepEqual(Object.keys(detached).sort(), ['fd', 'readable', 'received', 'writable'])
  t.true(detached.received instanceof Uint8Array)
  t.is(detached.received.length, 0)
  t.true(detached.readable && detached.writable)
  t.deepEqual(structuredClone(detached), { ...detached, received: new Uint8Array(0) })
  t.true(wasStream(detached.fd))
})

test('a detached connection is opened once', t => {
  const [a] = openPipe(t)
  const detached = a.detach()
  openFrom(t, detached)
  t.throws(() => Connection.from(detached), wrongValue)
})

test('detach is ERR_CAROM_BUSY while an operation is pending, and changes nothing', async t => {
  const pending: Record<string, (conn: Connection) => Promise<unknown>> = {
    recv: conn => conn.recv(),
    recvBytes: conn => conn.recvBytes(),
    recvBytesInto: conn => conn.recvBytesInto(Buffer.alloc(100)),
    poll: conn => conn.poll(60_000),
    messages: conn => conn.messages().next(),
  }
  for (const [what, begin] of Object.entries(pending)) {
    const [a, b] = openPipe(t)
    const operation = begin(b)
    t.throws(() => b.detach(), busy, what)
    t.false(b.closed)
    await a.send('for the pending one')
    await operation
    await t.notThrowsAsync(b.poll())
    openFrom(t, b.detach())
  }
})

test('detach is ERR_CAROM_BUSY while bytes are unsent, and loses nothing', async t => {
  const [a, b] = openPipe(t)
  const sent = a.sendBytes(patterned(4 * 2 ** 20))
  t.true(await isPending(sent))
  t.throws(() => a.detach(), busy)
  t.false(a.closed)
  t.true((await b.recvBytes()).equals(patterned(4 * 2 ** 20)))
  await sent
  const reopened = openFrom(t, a.detach())
  await reopened.send('from the new owner')
  t.is(await b.recv(), 'from the new owner')
})

test('detach is possible after a receive that was aborted', async t => {
  const [a, b] = openPipe(t)
  const aborter = new AbortController()
  const received = b.recv({ signal: aborter.signal })
  aborter.abort(new Error('over'))
  await t.throwsAsync(received, { message: 'over' })
  const reopened = openFrom(t, b.detach())
  await a.send('for the new owner')
  t.is(await reopened.recv(), 'for the new owner')
})

test('from refuses what is no descriptor and nothing that detach gave', t => {
  const detached = { received: new Uint8Array(0), readable: true, writable: true }
  for (const source of ['3', null, undefined, {}, { ...detached, fd: '3' }, { ...detached, fd: 3, received: 'none' }]) {
    t.throws(() => Connection.from(source as never), wrongType)
  }
  for (const fd of [-1, 1.5, Number.NaN, 2 ** 31]) {
    t.throws(() => Connection.from(fd), outOfRange)
    t.throws(() => Connection.from({ ...detached, fd }), outOfRange)
  }
})

test("from of a descriptor that is not open is the system's error", t => {
  const error = t.throws<NodeJS.ErrnoException>(() => Connection.from(1_000_000), { code: 'EBADF' })
  t.is(getSystemErrorName(error.errno as number), 'EBADF')
  t.is(typeof error.syscall, 'string')
})

test('from refuses wrong options and leaves the descriptor to its owner', async t => {
  const [a, b] = openPipe<string>(t)
  const detached = b.detach()
  t.throws(() => Connection.from(detached, { maxMessageLength: -1 }), outOfRange)
  t.throws(() => Connection.from(detached, { readable: 'yes' as never }), wrongType)
  t.throws(() => Connection.from(detached, { serializer: 'json' as never }), wrongType)
  const reopened = openFrom<string>(t, detached)
  await a.send('nothing was lost')
  t.is(await reopened.recv(), 'nothing was lost')
})

testIf(onLinux, 'only Linux tells that of a descriptor')('detach does not make a descriptor inheritable', t => {
  const [a] = openPipe(t)
  const { fd } = a.detach()
  t.true(closesOnExec(fd))
  closeSync(fd)
})

testOnUnix('node:fs cannot close a handle')(
  'a connection whose descriptor somebody else has closed is closed by detach, and disturbs no other',
  async t => {
    const [reader] = openOneWayPipe(t)
    closeSync(reader.fd)
    t.throws(() => reader.detach(), { code: 'EBADF' })
    t.true(reader.closed)
    const [a, b] = openPipe(t)
    t.throws(() => reader.recvSync({ timeout: 0 }), { code: 'ERR_CAROM_CLOSED' })
    await a.send('whole')
    await reader.close()
    t.is(await b.recv(), 'whole')
  },
)
