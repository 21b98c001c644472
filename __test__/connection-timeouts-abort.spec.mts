import { getEventListeners } from 'node:events'
import test from 'ava'
import { TimeoutError } from 'carom'
import { outOfRange, timedOut, wrongType } from './helpers/expectations.mjs'
import { forms, receives } from './helpers/forms.mjs'
import { isPending, openPipe, patterned } from './helpers/pipes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { frame, openRawPair } from './helpers/raw-peer.mjs'

/** More than the kernel takes of a pipe that nobody reads. */
const overfull = 4 * 2 ** 20

for (const form of forms) {
  for (const [how, receive] of Object.entries(receives(form))) {
    test(`${form.name}: ${how} that times out is a TimeoutError, and takes nothing`, async t => {
      const [a, b] = openPipe(t)
      for (const timeout of [20, 0, -1]) {
        const error = await t.throwsAsync(receive(b, { timeout }), timedOut)
        t.true(error instanceof TimeoutError)
      }
      await a.send('later')
      t.is(await form.recv(b), 'later')
    })

    test(`${form.name}: ${how} with a timeout of 0 gets what is there`, async t => {
      const [a, b] = openPipe(t)
      for (const timeout of [0, -1, Number.NEGATIVE_INFINITY]) {
        await a.sendBytes(Buffer.of(1))
        await t.notThrowsAsync(receive(b, { timeout }))
      }
      await t.throwsAsync(receive(b, { timeout: 0 }), timedOut)
    })

    test(`${form.name}: ${how} refuses a timeout that is no number, and takes nothing`, async t => {
      const [a, b] = openPipe(t)
      await a.send('still here')
      await t.throwsAsync(receive(b, { timeout: Number.NaN }), outOfRange)
      await t.throwsAsync(receive(b, { timeout: '5' as never }), wrongType)
      t.is(await form.recv(b), 'still here')
    })
  }

  test(`${form.name}: sends refuse a timeout that is no number, and send nothing`, async t => {
    const [a, b] = openPipe(t)
    for (const [timeout, refusal] of [
      [Number.NaN, outOfRange],
      ['5' as never, wrongType],
    ] as const) {
      await t.throwsAsync(form.send(a, 'refused', { timeout }), refusal)
      await t.throwsAsync(form.sendBytes(a, Buffer.of(1), { timeout }), refusal)
    }
    await form.send(a, 'the next')
    t.is(await b.recv(), 'the next')
  })

  test(`${form.name}: a send with a timeout of 0 sends what there is room for`, async t => {
    const [a, b] = openPipe(t)
    await form.send(a, 'there is room', { timeout: 0 })
    t.is(await b.recv(), 'there is room')
  })

  for (const timeout of [
    undefined,
    Number.POSITIVE_INFINITY,
    2 ** 31,
    2 ** 31 + 1_000,
    2 ** 32 + 1,
    Number.MAX_VALUE,
  ]) {
    test(`${form.name}: a timeout of ${timeout} is honoured`, async t => {
      const [conn, end] = openPipe(t)
      await startWorker(t, 'connection-later.mjs', { end, after: 100, messages: ['later'] })
      t.is(await form.recv(conn, { timeout }), 'later')
    })
  }

  for (const size of [40, 60_000, 1_000_000]) {
    test(`${form.name}: a timeout inside a message of ${size} bytes loses nothing`, async t => {
      const [conn, peer] = openRawPair(t)
      const bytes = frame(patterned(size))
      for (const cut of [2, 4, Math.min(size / 2, 50_000)]) {
        await peer.write(bytes.subarray(0, cut))
        for (const receive of Object.values(receives(form))) {
          await t.throwsAsync(receive(conn, { timeout: 0 }), timedOut)
          await t.throwsAsync(receive(conn, { timeout: 10 }), timedOut)
        }
        const next = conn.recvBytes()
        await peer.write(bytes.subarray(cut))
        t.true((await next).equals(patterned(size)))
      }
    })
  }

  test(`${form.name}: a send that times out when part of it has left is still sent whole`, async t => {
    const [a, b] = openPipe(t)
    await t.throwsAsync(form.sendBytes(a, patterned(overfull), { timeout: 50 }), timedOut)
    t.true(a.writable)
    const next = a.send('the next')
    t.true((await b.recvBytes()).equals(patterned(overfull)))
    t.is(await b.recv(), 'the next')
    await next
  })

  test(`${form.name}: a send that times out when none of it has left is not sent`, async t => {
    const [a, b] = openPipe(t)
    const first = a.sendBytes(patterned(overfull))
    t.true(await isPending(first))
    const unsent = a.bufferedAmount
    await t.throwsAsync(form.send(a, 'withdrawn', { timeout: 20 }), timedOut)
    await t.throwsAsync(form.sendBytes(a, patterned(100_000), { timeout: 0 }), timedOut)
    t.is(a.bufferedAmount, unsent)
    const last = a.send('last')
    t.true((await b.recvBytes()).equals(patterned(overfull)))
    t.is(await b.recv(), 'last')
    await Promise.all([first, last])
    t.is(a.bufferedAmount, 0)
  })

  test(`${form.name}: the buffer of a send that timed out may be written again`, async t => {
    const [a, b] = openPipe(t)
    const buf = patterned(overfull)
    await t.throwsAsync(form.sendBytes(a, buf, { timeout: 20 }), timedOut)
    buf.fill(0)
    t.true((await b.recvBytes()).equals(patterned(overfull)))
  })
}

test('the receives that wait after one that timed out get the messages in order', async t => {
  const [a, b] = openPipe(t)
  const impatient = b.recv({ timeout: 20 })
  const patient = [b.recv(), b.recv({ timeout: 60_000 })]
  await t.throwsAsync(impatient, timedOut)
  await a.send(1)
  await a.send(2)
  t.deepEqual(await Promise.all(patient), [1, 2])
})

test('an abort rejects with the reason as it is', async t => {
  const [, b] = openPipe(t)
  for (const reason of [new Error('mine'), 'a string', { code: 1 }, null]) {
    const aborter = new AbortController()
    const received = Promise.all(
      [b.recv, b.recvBytes, (o: object) => b.recvBytesInto(Buffer.alloc(1), o)].map(receive =>
        receive.call(b, { signal: aborter.signal }).then(
          () => t.fail(),
          (error: unknown) => error,
        ),
      ),
    )
    aborter.abort(reason)
    t.deepEqual(await received, [reason, reason, reason])
    for (const error of await received) t.is(error, reason)
  }
})

test('an abort without a reason is an AbortError', async t => {
  const [, b] = openPipe(t)
  const aborter = new AbortController()
  const received = b.recv({ signal: aborter.signal })
  aborter.abort()
  // A DOMException, which ava's assertions do not take for an error.
  const error = await received.catch((reason: unknown) => reason)
  t.is(error, aborter.signal.reason)
  t.is(aborter.signal.reason.name, 'AbortError')
})

test('AbortSignal.timeout gives an error with the name TimeoutError', async t => {
  const [, b] = openPipe(t)
  const signal = AbortSignal.timeout(10)
  const error = await b.recv({ signal }).catch((reason: unknown) => reason)
  t.is(error, signal.reason)
  t.is((error as Error).name, 'TimeoutError')
})

test('with a signal that has aborted already nothing is taken and nothing sent', async t => {
  const [a, b] = openPipe(t)
  const reason = new Error('before')
  const signal = AbortSignal.abort(reason)
  await a.send('kept')
  for (const operation of [
    b.recv({ signal }),
    b.recvBytes({ signal }),
    b.recvBytesInto(Buffer.alloc(9), { signal }),
    b.poll({ signal }),
    b.messages({ signal }).next(),
    b.bytes({ signal }).next(),
    a.send('never sent', { signal }),
    a.sendBytes(Buffer.of(1), { signal }),
  ]) {
    t.is(await t.throwsAsync<Error>(operation), reason)
  }
  await a.send('the next')
  t.is(await b.recv(), 'kept')
  t.is(await b.recv(), 'the next')
})

test('what is no AbortSignal is refused', async t => {
  const [a, b] = openPipe(t, { highWaterMark: 0 })
  for (const signal of [{}, { aborted: false }, null] as never[]) {
    await t.throwsAsync(b.recv({ signal }), wrongType)
    await t.throwsAsync(b.recvBytes({ signal }), wrongType)
    await t.throwsAsync(b.recvBytesInto(Buffer.alloc(9), { signal }), wrongType)
    await t.throwsAsync(b.poll({ signal }), wrongType)
    await t.throwsAsync(a.send('refused', { signal }), wrongType)
    await t.throwsAsync(a.sendBytes(Buffer.alloc(overfull), { signal }), wrongType)
    await t.throwsAsync(a.close({ signal }), wrongType)
  }
  await a.send('the next')
  t.is(await b.recv(), 'the next')
})

test('an abort of one of several receives leaves the messages to the others', async t => {
  const [a, b] = openPipe(t)
  const aborter = new AbortController()
  const first = b.recv()
  const second = b.recv({ signal: aborter.signal })
  const third = b.recv()
  aborter.abort(new Error('not me'))
  await t.throwsAsync(second, { message: 'not me' })
  await a.send(1)
  await a.send(2)
  t.is(await first, 1)
  t.is(await third, 2)
})

for (const size of [40, 1_000_000]) {
  test(`an abort inside a message of ${size} bytes loses nothing`, async t => {
    const [conn, peer] = openRawPair(t)
    const bytes = frame(patterned(size))
    for (const cut of [1, 4, Math.min(size / 2, 50_000)]) {
      const aborter = new AbortController()
      const received = conn.recvBytes({ signal: aborter.signal })
      await peer.write(bytes.subarray(0, cut))
      t.true(await isPending(received))
      aborter.abort(new Error('enough'))
      await t.throwsAsync(received, { message: 'enough' })
      t.false(await conn.poll())
      const next = conn.recvBytes()
      await peer.write(bytes.subarray(cut))
      t.true((await next).equals(patterned(size)))
    }
  })
}

test('a send that is aborted when part of it has left is still sent whole', async t => {
  const [a, b] = openPipe(t)
  const aborter = new AbortController()
  const sent = a.sendBytes(patterned(overfull), { signal: aborter.signal })
  t.true(await isPending(sent))
  const reason = new Error('too slow')
  aborter.abort(reason)
  t.is(await t.throwsAsync(sent), reason)
  const next = a.send('the next')
  t.true((await b.recvBytes()).equals(patterned(overfull)))
  t.is(await b.recv(), 'the next')
  await next
})

test('a send that is aborted when none of it has left is not sent', async t => {
  const [a, b] = openPipe(t)
  const first = a.sendBytes(patterned(overfull))
  t.true(await isPending(first))
  const unsent = a.bufferedAmount
  const aborter = new AbortController()
  const withdrawn = [
    a.send('withdrawn', { signal: aborter.signal }),
    a.sendBytes(patterned(200_000), { signal: aborter.signal }),
  ]
  const last = a.send('last')
  const reason = new Error('withdrawn')
  aborter.abort(reason)
  for (const send of withdrawn) t.is(await t.throwsAsync(send), reason)
  t.true(a.bufferedAmount < unsent + 200_000)
  t.true((await b.recvBytes()).equals(patterned(overfull)))
  t.is(await b.recv(), 'last')
  await Promise.all([first, last])
})

test('an abort after the end changes nothing', async t => {
  const [a, b] = openPipe(t)
  const aborter = new AbortController()
  await a.send('one', { signal: aborter.signal })
  t.is(await b.recv({ signal: aborter.signal }), 'one')
  aborter.abort()
  await a.send('two')
  t.is(await b.recv(), 'two')
})

test('a signal keeps no listeners of operations that are over', async t => {
  const [a, b] = openPipe(t)
  const { signal } = new AbortController()
  for (let i = 0; i < 20; i++) {
    await a.send(i, { signal })
    await b.poll({ signal })
    await b.recv({ signal })
    await t.throwsAsync(b.recv({ signal, timeout: 1 }), timedOut)
    t.is(await b.poll({ signal, timeout: 1 }), false)
  }
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('of a timeout and a signal the earlier one counts', async t => {
  const [, b] = openPipe(t)
  const aborter = new AbortController()
  await t.throwsAsync(b.recv({ timeout: 10, signal: aborter.signal }), timedOut)
  const received = b.recv({ timeout: 60_000, signal: aborter.signal })
  aborter.abort(new Error('first'))
  await t.throwsAsync(received, { message: 'first' })
})
