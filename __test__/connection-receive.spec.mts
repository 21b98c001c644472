import test from 'ava'
import { serializers } from 'carom'
import { busy, outOfRange, tooLong, wrongType } from './helpers/expectations.mjs'
import { forms, receives } from './helpers/forms.mjs'
import { openPipe, patterned } from './helpers/pipes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { openRawPair } from './helpers/raw-peer.mjs'

for (const form of forms) {
  test(`${form.name}: messages arrive one by one, in order`, async t => {
    const [a, b] = openPipe(t)
    for (let i = 0; i < 100; i++) await a.send({ i })
    for (let i = 0; i < 100; i++) t.deepEqual(await form.recv(b), { i })
  })

  test(`${form.name}: messages of zero length are messages`, async t => {
    const [a, b] = openPipe(t)
    for (const text of ['', 'x', '', '']) await a.sendBytes(Buffer.from(text))
    for (const text of ['', 'x', '', '']) t.deepEqual(await form.recvBytes(b), Buffer.from(text))
  })

  test(`${form.name}: recv and recvBytes take turns on one stream`, async t => {
    const [a, b] = openPipe(t, { serializer: serializers.json })
    await a.send({ n: 1 })
    await a.send({ n: 2 })
    await a.sendBytes(Buffer.from('{"n":3}'))
    t.deepEqual(await form.recv(b), { n: 1 })
    t.is((await form.recvBytes(b)).toString(), '{"n":2}')
    t.deepEqual(await form.recv(b), { n: 3 })
  })

  test(`${form.name}: a receive waits for a message that comes later`, async t => {
    const [conn, end] = openPipe(t)
    await startWorker(t, 'connection-later.mjs', { end, after: 50, messages: ['later'] })
    t.is(await form.recv(conn), 'later')
  })

  test(`${form.name}: recvBytes gives Buffers that are never written again`, async t => {
    const [conn, end] = openPipe(t)
    await startWorker(t, 'connection-echo.mjs', { end, form: form.name })
    const kept: Buffer[] = []
    const lengths = Array.from({ length: 300 }, (_, i) => (i % 50 === 0 ? 150_000 + i : i * 7))
    for (const [i, length] of lengths.entries()) {
      await form.sendBytes(conn, patterned(length, i))
      const message = await form.recvBytes(conn)
      t.true(Buffer.isBuffer(message))
      kept.push(message)
    }
    for (const [i, message] of kept.entries()) t.true(message.equals(patterned(lengths[i], i)))
  })

  test(`${form.name}: messages of one batch are kept apart`, async t => {
    const [a, b] = openPipe(t)
    await Promise.all(Array.from({ length: 50 }, (_, i) => a.sendBytes(patterned(i * 10, i))))
    const kept = []
    for (let i = 0; i < 50; i++) kept.push(await form.recvBytes(b))
    await a.sendBytes(Buffer.alloc(50_000, 0xee))
    await form.recvBytes(b)
    for (const [i, message] of kept.entries()) t.deepEqual(message, patterned(i * 10, i))
  })

  test(`${form.name}: a message longer than maxLength stays, and a larger limit takes it`, async t => {
    const [a, b] = openPipe(t)
    for (const size of [11, 100_000]) {
      const message = patterned(size)
      await a.sendBytes(message)
      await a.sendBytes(Buffer.from('the next'))
      for (const limit of [10, 0, { maxLength: 10 }, size - 1]) {
        const error = await t.throwsAsync(form.recvBytes(b, limit), tooLong)
        t.is(error.length, size)
      }
      t.true(b.readable)
      t.true(await form.poll(b))
      t.true((await form.recvBytes(b, { maxLength: size })).equals(message))
      t.is((await form.recvBytes(b, 8)).toString(), 'the next')
    }
  })

  test(`${form.name}: a message too long for recvBytes can be taken by recv and by recvBytesInto`, async t => {
    const [a, b] = openPipe<string>(t)
    await a.send('taken by recv')
    await t.throwsAsync(form.recvBytes(b, 3), tooLong)
    t.is(await form.recv(b), 'taken by recv')
    await a.sendBytes(Buffer.from('into'))
    await t.throwsAsync(form.recvBytes(b, 3), tooLong)
    const buf = Buffer.alloc(4)
    t.is(await form.recvBytesInto(b, buf), 4)
    t.is(buf.toString(), 'into')
  })

  test(`${form.name}: maxLength may be exactly the length, zero for an empty message, or undefined`, async t => {
    const [a, b] = openPipe(t)
    for (const text of ['', '', 'ten bytes!', 'ten bytes!', 'unlimited', 'unlimited'])
      await a.sendBytes(Buffer.from(text))
    t.is((await form.recvBytes(b, 0)).length, 0)
    t.is((await form.recvBytes(b, { maxLength: 0 })).length, 0)
    t.is((await form.recvBytes(b, 10)).toString(), 'ten bytes!')
    t.is((await form.recvBytes(b, { maxLength: 10 })).toString(), 'ten bytes!')
    t.is((await form.recvBytes(b, undefined)).toString(), 'unlimited')
    t.is((await form.recvBytes(b, { maxLength: undefined })).toString(), 'unlimited')
  })

  test(`${form.name}: recvBytes refuses a maxLength that is no length, and takes nothing`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(Buffer.from('still here'))
    for (const maxLength of [-1, Number.NaN, 1.5]) {
      await t.throwsAsync(form.recvBytes(b, maxLength), outOfRange)
      await t.throwsAsync(form.recvBytes(b, { maxLength }), outOfRange)
    }
    for (const maxLength of ['5', 5n, true]) {
      await t.throwsAsync(form.recvBytes(b, maxLength as never), wrongType)
      await t.throwsAsync(form.recvBytes(b, { maxLength: maxLength as never }), wrongType)
    }
    t.is((await form.recvBytes(b)).toString(), 'still here')
  })

  test(`${form.name}: a message of exactly maxMessageLength is taken`, async t => {
    const [a, b] = openPipe(t, { maxMessageLength: 1_000 })
    await a.sendBytes(patterned(1_000))
    t.deepEqual(await form.recvBytes(b), patterned(1_000))
  })

  for (const [how, receive] of Object.entries(receives(form))) {
    test(`${form.name}: ${how} of a message longer than maxMessageLength ends receiving for good`, async t => {
      const [a, b] = openPipe(t, { maxMessageLength: 10 })
      await a.send('fits')
      await a.sendBytes(Buffer.alloc(11))
      await a.send('never seen')
      await receive(b)
      for (let i = 0; i < 2; i++) {
        const error = await t.throwsAsync(receive(b), tooLong)
        t.is(error.length, 11)
        t.false(b.readable)
      }
      for (const other of Object.values(receives(form))) await t.throwsAsync(other(b), tooLong)
      t.true(b.writable)
      t.false(b.closed)
      await form.send(b, 'heard')
      t.is(await a.recv(), 'heard')
    })
  }
}

test('concurrent receives are served first come, first served', async t => {
  const [a, b] = openPipe<number>(t)
  const received = Array.from({ length: 100 }, () => b.recv())
  for (let i = 0; i < 100; i++) await a.send(i)
  t.deepEqual(
    await Promise.all(received),
    Array.from({ length: 100 }, (_, i) => i),
  )
})

test('concurrent receives of different kinds each get the message of their turn', async t => {
  const [a, b] = openPipe(t, { serializer: serializers.json })
  const buf = Buffer.alloc(10)
  const received = Promise.all([b.recv(), b.recvBytes(), b.recvBytesInto(buf), b.recv(), b.recvBytes()])
  for (const value of [1, 2, 3, 4, 5]) await a.send(value)
  t.deepEqual(await received, [1, Buffer.from('2'), 1, 4, Buffer.from('5')])
  t.is(buf.toString('latin1', 0, 1), '3')
})

test('concurrent receives settle in their order, also those that fail', async t => {
  const [a, b] = openPipe(t, { serializer: serializers.json })
  const settled: string[] = []
  const note = (name: string) => (outcome: unknown) =>
    settled.push(`${name}: ${outcome instanceof Error ? (outcome as NodeJS.ErrnoException).code : outcome}`)
  const all = [b.recv(), b.recv(), b.recvBytesInto(Buffer.alloc(1)), b.recv(), b.recv()].map((receive, i) =>
    receive.then(note(`${i}`), note(`${i}`)),
  )
  await a.send('zero')
  await a.sendBytes(Buffer.from('{'))
  await a.sendBytes(Buffer.from('long'))
  await a.send('three')
  await a.close()
  await Promise.all(all)
  t.deepEqual(settled, [
    '0: zero',
    '1: ERR_CAROM_DECODE',
    '2: ERR_CAROM_BUFFER_TOO_SHORT',
    '3: three',
    '4: ERR_CAROM_EOF',
  ])
})

test('of concurrent receives only the one whose maxLength is too small fails, and the next gets the message', async t => {
  const [a, b] = openPipe(t)
  const short = b.recvBytes(3)
  const long = b.recvBytes(100)
  await a.sendBytes(Buffer.from('five!'))
  await t.throwsAsync(short, tooLong)
  t.is((await long).toString(), 'five!')
})

test('a blocking receive while an async one is pending is ERR_CAROM_BUSY and changes nothing', async t => {
  const [conn, peer] = openRawPair<string>(t)
  const pending = conn.recv()
  t.throws(() => conn.recvSync(), busy)
  t.throws(() => conn.recvSync({ timeout: 0 }), busy)
  t.throws(() => conn.recvBytesSync(), busy)
  t.throws(() => conn.recvBytesIntoSync(Buffer.alloc(9)), busy)
  t.throws(() => conn.messagesSync().next(), busy)
  t.false(conn.pollSync())
  const packed = serializers.msgpack.encode('for the pending one')
  await peer.write(Buffer.from([0, 0, 0, packed.length, ...packed]))
  t.is(await pending, 'for the pending one')
  await peer.write(Buffer.from([0, 0, 0, packed.length, ...packed]))
  t.is(conn.recvSync(), 'for the pending one')
})

test('a message arrives after many event loop turns without anybody asking, and stays until it is asked for', async t => {
  const [a, b] = openPipe(t)
  await a.send('patient')
  await new Promise(resolve => setTimeout(resolve, 20))
  t.is(await b.recv(), 'patient')
})
