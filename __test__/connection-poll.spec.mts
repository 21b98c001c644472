import { inspect } from 'node:util'
import test from 'ava'
import { closed, endOfStream, outOfRange, tooLong, truncated, wrongType } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { isPending, openPipe } from './helpers/pipes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { frame, openRawPair } from './helpers/raw-peer.mjs'

/** Ways to say that poll is not to wait. */
const withoutWaiting = [
  undefined,
  0,
  -1,
  Number.NEGATIVE_INFINITY,
  {},
  { timeout: undefined },
  { timeout: 0 },
  { timeout: -5 },
]

for (const form of forms) {
  for (const timeout of withoutWaiting) {
    test(`${form.name}: poll(${inspect(timeout)}) does not wait, and tells whether a message is there`, async t => {
      const [a, b] = openPipe(t)
      t.false(await form.poll(b, timeout))
      await a.send('here')
      t.true(await form.poll(b, timeout))
    })
  }

  test(`${form.name}: poll consumes nothing`, async t => {
    const [a, b] = openPipe(t)
    await a.send('one')
    await a.send('two')
    for (let i = 0; i < 5; i++) t.true(await form.poll(b))
    t.is(await form.recv(b), 'one')
    t.true(await form.poll(b))
    t.is(await form.recv(b), 'two')
    t.false(await form.poll(b))
  })

  test(`${form.name}: poll is true for a whole message only`, async t => {
    const [conn, peer] = openRawPair(t)
    const bytes = frame(Buffer.from('whole'))
    for (const part of bytes.subarray(0, -1)) {
      await peer.write(Buffer.of(part))
      t.false(await form.poll(conn))
    }
    t.false(await form.poll(conn, 20))
    await peer.write(bytes.subarray(-1))
    t.true(await form.poll(conn))
    t.is((await form.recvBytes(conn)).toString(), 'whole')
  })

  test(`${form.name}: poll is true for a message of zero length`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(Buffer.alloc(0))
    t.true(await form.poll(b))
    t.is((await form.recvBytes(b)).length, 0)
    t.false(await form.poll(b))
  })

  test(`${form.name}: poll is true at the end of the stream, again and again`, async t => {
    const [a, b] = openPipe(t)
    await a.close()
    t.true(await form.poll(b))
    await t.throwsAsync(form.recv(b), endOfStream)
    t.true(await form.poll(b))
    t.true(await form.poll(b, Number.POSITIVE_INFINITY))
  })

  test(`${form.name}: poll is true when the stream ended inside a message`, async t => {
    const [conn, peer] = openRawPair(t)
    await peer.write(frame(Buffer.from('cut off')).subarray(0, 7))
    peer.close()
    t.true(await form.poll(conn, 10_000))
    await t.throwsAsync(form.recv(conn), truncated)
  })

  test(`${form.name}: poll is true when the next receive would fail for the message's length`, async t => {
    const [a, b] = openPipe(t, { maxMessageLength: 3 })
    await a.sendBytes(Buffer.from('four'))
    t.true(await form.poll(b, 10_000))
    await t.throwsAsync(form.recv(b), tooLong)
  })

  test(`${form.name}: poll is false when its time has run out`, async t => {
    const [, b] = openPipe(t)
    t.false(await form.poll(b, 20))
    t.false(await form.poll(b, { timeout: 20 }))
  })

  for (const timeout of [Number.POSITIVE_INFINITY, 60_000, { timeout: Number.POSITIVE_INFINITY }, 2 ** 40]) {
    test(`${form.name}: poll(${inspect(timeout)}) waits for a message`, async t => {
      const [conn, end] = openPipe(t)
      await startWorker(t, 'connection-later.mjs', { end, after: 50, messages: ['later'] })
      t.true(await form.poll(conn, timeout))
      t.is(await form.recv(conn), 'later')
    })
  }

  test(`${form.name}: poll waits for the end of the stream`, async t => {
    const [conn, end] = openPipe(t)
    await startWorker(t, 'connection-later.mjs', { end, after: 50, messages: [] })
    t.true(await form.poll(conn, Number.POSITIVE_INFINITY))
    await t.throwsAsync(form.recv(conn), endOfStream)
  })

  test(`${form.name}: poll refuses a timeout that is no number`, async t => {
    const [, b] = openPipe(t)
    await t.throwsAsync(form.poll(b, Number.NaN), outOfRange)
    await t.throwsAsync(form.poll(b, { timeout: Number.NaN }), outOfRange)
    await t.throwsAsync(form.poll(b, '5' as never), wrongType)
    await t.throwsAsync(form.poll(b, { timeout: '5' as never }), wrongType)
    t.false(await form.poll(b))
  })
}

test('several polls wait at once and all see the message', async t => {
  const [a, b] = openPipe(t)
  const polls = [b.poll(60_000), b.poll(Number.POSITIVE_INFINITY), b.poll({ timeout: 60_000 })]
  t.true(await isPending(Promise.race(polls)))
  await a.send('for one receive')
  t.deepEqual(await Promise.all(polls), [true, true, true])
  t.is(await b.recv(), 'for one receive')
})

test('a poll and a receive may wait at once, and the receive gets the message', async t => {
  const [a, b] = openPipe(t)
  const received = b.recv()
  const polled = b.poll(Number.POSITIVE_INFINITY)
  t.false(b.pollSync())
  t.false(b.pollSync(10))
  await a.send('one')
  t.is(await received, 'one')
  await a.send('two')
  t.true(await polled)
  t.is(await b.recv(), 'two')
})

test('poll does not take a message from an iterator or a later receive', async t => {
  const [a, b] = openPipe(t)
  const polled = b.poll(Number.POSITIVE_INFINITY)
  await a.send('one')
  t.true(await polled)
  for await (const message of b) {
    t.is(message, 'one')
    break
  }
})

test('an aborted poll rejects with the reason and takes nothing', async t => {
  const [a, b] = openPipe(t)
  const aborter = new AbortController()
  const polled = b.poll({ timeout: Number.POSITIVE_INFINITY, signal: aborter.signal })
  t.true(await isPending(polled))
  const reason = new Error('enough')
  aborter.abort(reason)
  t.is(await t.throwsAsync(polled), reason)
  await a.send('still arrives')
  t.is(await t.throwsAsync(b.poll({ signal: aborter.signal })), reason)
  t.true(await b.poll())
  t.is(await b.recv(), 'still arrives')
})

test('a poll that waits fails with ClosedError when this end is closed', async t => {
  const [, b] = openPipe(t)
  const polls = [b.poll(Number.POSITIVE_INFINITY), b.poll(60_000)]
  const refused = Promise.all(polls.map(poll => t.throwsAsync(poll, closed)))
  await b.close()
  await refused
})
