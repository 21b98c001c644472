import { closeSync, openSync, readSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { Connection } from 'carom'
import { closed, endOfStream, outOfRange, timedOut, truncated, wrongType } from './helpers/expectations.mjs'
import { forms, receives } from './helpers/forms.mjs'
import { isPending, openOneWayPipe, openPipe, patterned } from './helpers/pipes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { openRawPair } from './helpers/raw-peer.mjs'

/** More than the kernel takes of a pipe that nobody reads. */
const overfull = 4 * 2 ** 20

for (const form of forms) {
  test(`${form.name}: closing ends the stream for the peer`, async t => {
    const [a, b] = openPipe(t)
    await form.close(a)
    t.true(a.closed)
    t.is(a.fd, -1)
    for (const receive of Object.values(receives(form))) await t.throwsAsync(receive(b), endOfStream)
    t.false(b.closed)
  })

  test(`${form.name}: closing a one-way writer ends the reader's stream after its messages`, async t => {
    const [reader, writer] = openOneWayPipe(t)
    await form.send(writer, 'last')
    await form.close(writer)
    t.is(await form.recv(reader), 'last')
    await t.throwsAsync(form.recv(reader), endOfStream)
  })

  test(`${form.name}: close is idempotent`, async t => {
    const [a] = openPipe(t)
    await form.close(a)
    await form.close(a)
    await a.close()
    a.closeSync()
    a[Symbol.dispose]()
    await a[Symbol.asyncDispose]()
    t.true(a.closed)
  })

  test(`${form.name}: closing twice does not close a descriptor that has got the number since`, async t => {
    const [a] = openPipe(t)
    await form.close(a)
    const file = openSync(fileURLToPath(import.meta.url), 'r')
    await form.close(a)
    t.is(readSync(file, Buffer.alloc(6), 0, 6, 0), 6)
    closeSync(file)
  })

  test(`${form.name}: a closed connection refuses every operation`, async t => {
    const [a, b] = openPipe(t)
    await b.send('unread')
    await form.close(a)
    await t.throwsAsync(form.send(a, 1), closed)
    await t.throwsAsync(form.sendBytes(a, Buffer.of(1)), closed)
    await t.throwsAsync(form.poll(a), closed)
    for (const receive of Object.values(receives(form))) await t.throwsAsync(receive(a), closed)
    t.throws(() => a.detach(), closed)
  })

  test(`${form.name}: 10,000 messages that were not awaited are sent before the end`, async t => {
    const [conn, end] = openPipe(t)
    const peer = await startWorker(t, 'connection-collect.mjs', { end, objects: true })
    const sent = Array.from({ length: 10_000 }, (_, i) => conn.send(i))
    await form.close(conn)
    await Promise.all(sent)
    t.deepEqual(
      await peer.report(),
      Array.from({ length: 10_000 }, (_, i) => i),
    )
  })

  test(`${form.name}: 4 MiB that are unsent at the close arrive`, async t => {
    const [conn, end] = openPipe(t)
    const peer = await startWorker(t, 'connection-collect.mjs', { end })
    const sent = conn.sendBytes(Buffer.alloc(overfull, 7))
    await form.close(conn)
    await sent
    t.is(conn.bufferedAmount, 0)
    t.deepEqual(await peer.report(), [[overfull, 7]])
  })

  test(`${form.name}: what was sent arrives although the peer's messages are unread at the close`, async t => {
    const [a, b] = openPipe(t)
    for (let i = 0; i < 100; i++) await b.sendBytes(Buffer.alloc(500))
    for (let i = 0; i < 100; i++) await a.send(i)
    await form.close(a)
    for (let i = 0; i < 100; i++) t.is(await form.recv(b), i)
    await t.throwsAsync(form.recv(b), endOfStream)
  })

  test(`${form.name}: closing with some messages read and others unread loses nothing that was sent`, async t => {
    const [a, b] = openPipe<number>(t)
    for (let i = 0; i < 50; i++) await b.send(i)
    t.is(await form.recv(a), 0)
    await a.send(100)
    await form.close(a)
    t.is(await form.recv(b), 100)
    await t.throwsAsync(form.recv(b), endOfStream)
  })

  test(`${form.name}: a close that runs out of time drops what is unsent`, async t => {
    const [a, b] = openPipe(t)
    const sent = t.throwsAsync(a.sendBytes(patterned(overfull)))
    await t.throwsAsync(form.close(a, { timeout: 30 }), timedOut)
    t.true(a.closed)
    t.is(a.fd, -1)
    await t.throwsAsync(form.recvBytes(b), truncated)
    await sent
  })

  test(`${form.name}: a close with a limit of 0 drops what is unsent`, async t => {
    const [a, b] = openPipe(t)
    await a.send('taken by the kernel')
    const sent = t.throwsAsync(a.sendBytes(patterned(overfull)))
    await t.throwsAsync(form.close(a, { timeout: 0 }), timedOut)
    t.is(await form.recv(b), 'taken by the kernel')
    const error = await t.throwsAsync<Error & { code: string }>(form.recvBytes(b), { name: 'EOFError' })
    t.regex(error.code, /^ERR_CAROM_(EOF|TRUNCATED)$/)
    await sent
  })

  test(`${form.name}: a close with a limit is fine when nothing is unsent`, async t => {
    const [a, b] = openPipe(t)
    await a.send('last')
    await form.close(a, { timeout: 0 })
    t.is(await form.recv(b), 'last')
    await t.throwsAsync(form.recv(b), endOfStream)
  })

  test(`${form.name}: close refuses a limit that is no number, and closes nothing`, async t => {
    const [a, b] = openPipe(t)
    await t.throwsAsync(form.close(a, { timeout: Number.NaN }), outOfRange)
    await t.throwsAsync(form.close(a, { timeout: '5' as never }), wrongType)
    t.false(a.closed)
    await a.send('still open')
    t.is(await b.recv(), 'still open')
  })

  test(`${form.name}: pending receives, polls and iterators end when this end is closed`, async t => {
    const [, b] = openPipe(t)
    const refused = [
      b.recv(),
      b.recv({ timeout: 60_000 }),
      b.recvBytes(),
      b.recvBytesInto(Buffer.alloc(1)),
      b.poll(60_000),
    ].map(operation => t.throwsAsync<Error>(operation, closed))
    const ended = b.messages().next()
    await form.close(b)
    await Promise.all(refused)
    t.deepEqual(await ended, { value: undefined, done: true })
  })

  test(`${form.name}: a receive pending inside a message fails with ClosedError`, async t => {
    const [conn, peer] = openRawPair(t)
    const received = t.throwsAsync(conn.recvBytes(), closed)
    await peer.write(Buffer.from([0, 0, 0, 9, 1, 2, 3]))
    await new Promise(resolve => setTimeout(resolve, 20))
    await form.close(conn)
    await received
  })
}

test('closed is true from the call of close on', async t => {
  const [a] = openPipe(t)
  const closing = a.close()
  t.true(a.closed)
  await t.throwsAsync(a.send('too late'), closed)
  t.throws(() => a.sendSync('too late'), closed)
  await closing
  t.is(a.fd, -1)
})

test('close settles when the kernel has everything, and a send that waits for room settles too', async t => {
  const [a, b] = openPipe(t)
  const sent = a.sendBytes(patterned(overfull))
  const closing = a.close()
  t.true(await isPending(closing))
  t.true((await b.recvBytes()).equals(patterned(overfull)))
  await Promise.all([sent, closing])
  await t.throwsAsync(b.recv(), endOfStream)
})

test('every close that is called while one is going on waits for it', async t => {
  const [a, b] = openPipe(t)
  const sent = a.sendBytes(patterned(overfull))
  const closings = [a.close(), a.close(), a[Symbol.asyncDispose]()]
  t.true(await isPending(Promise.race(closings)))
  t.true((await b.recvBytes()).equals(patterned(overfull)))
  await Promise.all([...closings, sent])
})

test('a close with a limit ends one that is going on without', async t => {
  for (const options of [{ timeout: 20 }, { timeout: 0 }]) {
    const [a] = openPipe(t)
    const sent = t.throwsAsync(a.sendBytes(patterned(overfull)), closed)
    a[Symbol.dispose]()
    await t.throwsAsync(a.close(options), timedOut)
    await sent
    t.is(a.bufferedAmount, 0)
  }
})

test('close refuses wrong options of a closed connection, too', async t => {
  const [a] = openPipe(t)
  await a.close()
  await t.throwsAsync(a.close({ timeout: Number.NaN }), outOfRange)
  await a.close({ timeout: 0 })
})

test('closeSync finishes what close has begun', async t => {
  const [conn, end] = openPipe(t)
  const peer = await startWorker(t, 'connection-collect.mjs', { end })
  const sent = conn.sendBytes(Buffer.alloc(overfull, 3))
  const closing = conn.close()
  conn.closeSync()
  await Promise.all([sent, closing])
  t.deepEqual(await peer.report(), [[overfull, 3]])
})

test('an aborted close drops what is unsent and rejects with the reason', async t => {
  const [a, b] = openPipe(t)
  const sent = t.throwsAsync(a.sendBytes(patterned(overfull)))
  const aborter = new AbortController()
  const closing = a.close({ signal: aborter.signal })
  t.true(await isPending(closing))
  const reason = new Error('cannot wait')
  aborter.abort(reason)
  t.is(await t.throwsAsync(closing), reason)
  t.true(a.closed)
  t.is(a.fd, -1)
  await t.throwsAsync(b.recvBytes(), truncated)
  await sent
})

test('Symbol.dispose closes without waiting, and what was accepted is still sent', async t => {
  const [a, b] = openPipe(t)
  const sent = a.sendBytes(patterned(overfull))
  t.is(a[Symbol.dispose](), undefined)
  t.true(a.closed)
  t.true((await b.recvBytes()).equals(patterned(overfull)))
  await sent
  await t.throwsAsync(b.recv(), endOfStream)
})

test('Symbol.dispose leaves no unhandled rejection when the peer is gone', async t => {
  const [a, b] = openPipe(t)
  const sent = a.sendBytes(patterned(overfull)).catch((error: unknown) => error)
  a[Symbol.dispose]()
  b[Symbol.dispose]()
  await sent
  // ava fails the run at an unhandled rejection.
  t.true(a.closed)
})

test('await using closes at the end of the block', async t => {
  const [a, b] = openPipe(t)
  let inside: Connection | undefined
  {
    await using end = a
    inside = end
    await end.send('from the block')
  }
  t.true(inside.closed)
  t.is(await b.recv(), 'from the block')
  await t.throwsAsync(b.recv(), endOfStream)
})
