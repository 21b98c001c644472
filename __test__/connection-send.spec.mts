import { setTimeout } from 'node:timers/promises'
import { getSystemErrorName } from 'node:util'
import test from 'ava'
import { type Bytes, type Connection, Pipe, serializers } from 'carom'
import { closed, endOfStream, outOfRange, wrongType } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { openPipe, patterned } from './helpers/pipes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { frame, openRawPair } from './helpers/raw-peer.mjs'

const sizes = { '0 bytes': 0, '1 byte': 1, '65,535 bytes': 65_535, '65,536 bytes': 65_536, '16 MiB': 16 * 2 ** 20 }
const big = 16 * 2 ** 20

const ten = Buffer.from('0123456789')

/** Offset and size, and what of `ten` they stand for. */
const ranges: [offset: number | undefined, size: number | undefined, expected: string][] = [
  [undefined, undefined, '0123456789'],
  [0, undefined, '0123456789'],
  [0, 10, '0123456789'],
  [undefined, 4, '0123'],
  [3, undefined, '3456789'],
  [3, 4, '3456'],
  [0, 0, ''],
  [9, 1, '9'],
  [10, undefined, ''],
  [10, 0, ''],
]

const rangesOutside: [offset: number | undefined, size: number | undefined][] = [
  [11, undefined],
  [-1, undefined],
  [0, 11],
  [5, 6],
  [10, 1],
  [0, -1],
  [Number.NaN, undefined],
  [0, Number.NaN],
  [1.5, undefined],
  [0, 1.5],
  [Number.POSITIVE_INFINITY, undefined],
  [0, Number.POSITIVE_INFINITY],
  [2 ** 53, undefined],
]

const numbers = Float64Array.of(1.5, -2.5, 1e300)
const shared = new SharedArrayBuffer(6)
new Uint8Array(shared).set([9, 8, 7, 6, 5, 4])
const within = new Uint8Array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0]).buffer

/** Everything that holds bytes, and the bytes that it holds. */
const holders: Record<string, [Bytes, Uint8Array]> = {
  'a Buffer': [ten, ten],
  'a Uint8Array that starts inside its memory': [new Uint8Array(within, 2, 8), Buffer.from([1, 2, 3, 4, 5, 6, 7, 8])],
  'a DataView': [new DataView(within, 3, 2), Buffer.from([2, 3])],
  'a Uint16Array': [new Uint16Array(within, 2, 3), Buffer.from([1, 2, 3, 4, 5, 6])],
  'a Float64Array': [numbers, new Uint8Array(numbers.buffer)],
  'a BigInt64Array': [new BigInt64Array(numbers.buffer), new Uint8Array(numbers.buffer)],
  'an ArrayBuffer': [within, new Uint8Array(within)],
  'a SharedArrayBuffer': [shared, Buffer.from([9, 8, 7, 6, 5, 4])],
  'a view of a SharedArrayBuffer': [new Uint8Array(shared, 1, 2), Buffer.from([8, 7])],
  'an empty ArrayBuffer': [new ArrayBuffer(0), Buffer.alloc(0)],
}

for (const form of forms) {
  for (const [name, size] of Object.entries(sizes)) {
    test(`${form.name}: a message of ${name} goes and comes back unchanged`, async t => {
      const [conn, end] = openPipe(t)
      await startWorker(t, 'connection-echo.mjs', { end, form: form.name })
      const message = patterned(size)
      await form.sendBytes(conn, message)
      const echo = await form.recvBytes(conn)
      t.is(echo.length, size)
      t.true(echo.equals(message))
    })
  }

  test(`${form.name}: 16 MiB both ways at once do not deadlock`, async t => {
    const [conn, end] = openPipe(t)
    const [ours, theirs] = [patterned(big, 1), patterned(big, 2)]
    const peer = await startWorker(t, 'connection-both-ways.mjs', { end, form: form.name, send: theirs, expect: ours })
    const sent = conn.sendBytes(ours)
    const received = await form.recvBytes(conn)
    await sent
    t.true(received.equals(theirs))
    t.true(await peer.report())
  })

  for (const [offset, size, expected] of ranges) {
    test(`${form.name}: sendBytes sends the part at offset ${offset}, size ${size}`, async t => {
      const [a, b] = openPipe(t)
      await form.sendBytes(a, ten, offset, size)
      await form.sendBytes(a, ten, { offset, size })
      t.is((await b.recvBytes()).toString(), expected)
      t.is((await b.recvBytes()).toString(), expected)
    })
  }

  for (const [offset, size] of rangesOutside) {
    test(`${form.name}: sendBytes refuses offset ${offset}, size ${size} and sends nothing`, async t => {
      const [a, b] = openPipe(t)
      await t.throwsAsync(form.sendBytes(a, ten, offset, size), outOfRange)
      await t.throwsAsync(form.sendBytes(a, ten, { offset, size }), outOfRange)
      await form.send(a, 'the next')
      t.is(await b.recv(), 'the next')
    })
  }

  test(`${form.name}: sendBytes refuses offsets and sizes that are no numbers`, async t => {
    const [a, b] = openPipe(t)
    await t.throwsAsync(form.sendBytes(a, ten, '1' as never), wrongType)
    await t.throwsAsync(form.sendBytes(a, ten, 0, '1' as never), wrongType)
    await t.throwsAsync(form.sendBytes(a, ten, { offset: '1' as never }), wrongType)
    await t.throwsAsync(form.sendBytes(a, ten, { size: 1n as never }), wrongType)
    await form.send(a, 'the next')
    t.is(await b.recv(), 'the next')
  })

  for (const [what, [holder, bytes]] of Object.entries(holders)) {
    test(`${form.name}: sendBytes takes ${what}`, async t => {
      const [a, b] = openPipe(t)
      await form.sendBytes(a, holder)
      t.deepEqual(await b.recvBytes(), Buffer.from(bytes))
    })
  }

  test(`${form.name}: offset and size count bytes, not elements`, async t => {
    const [a, b] = openPipe(t)
    const bytes = Buffer.from(numbers.buffer)
    await form.sendBytes(a, numbers, 8)
    t.deepEqual(await b.recvBytes(), bytes.subarray(8))
    await form.sendBytes(a, numbers, 3, 4)
    t.deepEqual(await b.recvBytes(), bytes.subarray(3, 7))
    await form.sendBytes(a, numbers, 24)
    t.is((await b.recvBytes()).length, 0)
    await t.throwsAsync(form.sendBytes(a, numbers, 25), outOfRange)
  })

  for (const wrong of ['text', 5, null, undefined, {}, [1, 2], { length: 3 }]) {
    test(`${form.name}: sendBytes refuses ${JSON.stringify(wrong)}`, async t => {
      const [a, b] = openPipe(t)
      await t.throwsAsync(form.sendBytes(a, wrong as never), wrongType)
      await form.send(a, 'the next')
      t.is(await b.recv(), 'the next')
    })
  }

  test(`${form.name}: a buffer may be written again after each send`, async t => {
    const [conn, end] = openPipe(t)
    const peer = await startWorker(t, 'connection-collect.mjs', { end, pause: 1 })
    const lengths = [1_000, 40_000, 65_537, 300_000]
    for (const length of lengths) {
      const buf = Buffer.alloc(length)
      for (let i = 0; i < 20; i++) {
        buf.fill(i)
        await form.sendBytes(conn, buf)
        buf.fill(0xff)
      }
    }
    await form.close(conn)
    // What the collector reports of a message: its length, and the one value of all of its bytes.
    const expected = lengths.flatMap(length => Array.from({ length: 20 }, (_, i) => [length, i]))
    t.deepEqual(await peer.report(), expected)
  })

  test(`${form.name}: 10,000 messages arrive in order while the peer receives`, async t => {
    const [conn, end] = openPipe(t)
    const peer = await startWorker(t, 'connection-collect.mjs', { end, objects: true })
    for (let i = 0; i < 10_000; i++) await form.send(conn, i)
    await form.close(conn)
    t.deepEqual(
      await peer.report(),
      Array.from({ length: 10_000 }, (_, i) => i),
    )
  })

  test(`${form.name}: a send leaves after the 10,000 that were not awaited`, async t => {
    const [conn, end] = openPipe(t)
    const peer = await startWorker(t, 'connection-collect.mjs', { end, objects: true })
    const sends = Array.from({ length: 10_000 }, (_, i) => conn.send(i))
    await form.send(conn, 'last')
    await Promise.all(sends)
    await form.close(conn)
    t.deepEqual(await peer.report(), [...Array.from({ length: 10_000 }, (_, i) => i), 'last'])
  })

  test(`${form.name}: the other end being gone is EPIPE, and what it had sent is still received`, async t => {
    const [a, b] = openPipe(t)
    await b.send('parting words')
    await b.close()
    const error = await t.throwsAsync<NodeJS.ErrnoException>(
      async () => {
        // A send resolves when there is room, which can be before the kernel refuses: one of the next ones tells.
        for (let i = 0; i < 10; i++) await form.send(a, i)
      },
      { code: 'EPIPE' },
    )
    t.is(getSystemErrorName(error.errno as number), 'EPIPE')
    t.is(typeof error.syscall, 'string')
    await t.throwsAsync(form.send(a, 'again'), { code: 'EPIPE' })
    t.is(await form.recv(a), 'parting words')
    await t.throwsAsync(form.recv(a), endOfStream)
  })

  test(`${form.name}: large and small messages keep their order`, async t => {
    const [conn, end] = openPipe(t)
    const peer = await startWorker(t, 'connection-collect.mjs', { end })
    const lengths = [1, 200_000, 0, 65_535, 3, 65_536, 70_000, 10, 1_000_000, 2]
    for (const [i, length] of lengths.entries()) await form.sendBytes(conn, Buffer.alloc(length, i))
    await form.close(conn)
    t.deepEqual(
      await peer.report(),
      lengths.map((length, i) => [length, length === 0 ? null : i]),
    )
  })
}

test('the value is serialised before send returns', async t => {
  const [a, b] = openPipe(t)
  const value = { list: [1] }
  const sent = a.send(value)
  value.list.push(2)
  await sent
  t.deepEqual(await b.recv(), { list: [1] })
})

test('sends of both kinds that are not awaited leave in the order of their calls', async t => {
  const [a, b] = openPipe(t)
  const sent = Promise.all([
    a.send(1),
    a.sendBytes(Buffer.alloc(100_000, 2)),
    a.send(3),
    a.sendBytes(Buffer.of(4)),
    a.send(5),
  ])
  t.is(await b.recv(), 1)
  t.deepEqual(await b.recvBytes(), Buffer.alloc(100_000, 2))
  t.is(await b.recv(), 3)
  t.deepEqual(await b.recvBytes(), Buffer.of(4))
  t.is(await b.recv(), 5)
  await sent
})

test('a blocking send first sends what async sends have queued', async t => {
  const [conn, peer] = openRawPair(t)
  const queued = conn.sendBytes(Buffer.from('first'))
  conn.sendBytesSync(Buffer.from('second'))
  t.is(conn.bufferedAmount, 0)
  const expected = Buffer.concat([frame(Buffer.from('first')), frame(Buffer.from('second'))])
  t.deepEqual(await peer.read(expected.length), expected)
  await queued
})

test('a blocking send of 16 MiB ends while the peer sends as much', async t => {
  const [conn, end] = openPipe(t)
  const [ours, theirs] = [patterned(big, 1), patterned(big, 2)]
  const peer = await startWorker(t, 'connection-both-ways.mjs', { end, form: 'async', send: theirs, expect: ours })
  conn.sendBytesSync(ours)
  t.true(conn.recvBytesSync().equals(theirs))
  t.true(await peer.report())
})

test('blocking sends of 16 MiB at both ends end', async t => {
  const [conn, end] = openPipe(t)
  const [ours, theirs] = [patterned(big, 1), patterned(big, 2)]
  const peer = await startWorker(t, 'connection-both-ways.mjs', { end, form: 'send first', send: theirs, expect: ours })
  conn.sendBytesSync(ours)
  t.true(conn.recvBytesSync().equals(theirs))
  t.true(await peer.report())
})

test('what async sends have queued leaves before a blocking receive waits', async t => {
  const [conn, end] = openPipe(t)
  await startWorker(t, 'connection-echo.mjs', { end, form: 'blocking' })
  const queued = conn.send('question')
  t.is(conn.recvSync({ timeout: 30_000 }), 'question')
  await queued
})

for (const form of forms) {
  for (const [name, serializer] of Object.entries(serializers)) {
    test(`${form.name}: ${name}: what a getter sends while its value is being sent arrives whole`, async t => {
      const [conn, end] = openPipe(t, { serializer })
      const peer = await startWorker(t, 'connection-collect.mjs', { end })
      let inner: Promise<void> | undefined
      const value = {
        get field() {
          inner ??= conn.sendBytes(Buffer.alloc(big, 7))
          return 1
        },
      }
      await form.send(conn, value)
      await inner
      await form.close(conn)
      t.deepEqual(await peer.report(), [
        [big, 7],
        [serializer.encode({ field: 1 }).byteLength, 'mixed'],
      ])
    })

    test(`${form.name}: ${name}: a getter that closes the connection is a ClosedError, and nothing is sent`, async t => {
      const [conn, peer] = openPipe(t, { serializer })
      let next: Connection[] | undefined
      const value = {
        get field() {
          if (next === undefined) {
            conn.closeSync()
            // These could take the places of the others.
            peer.closeSync()
            next = Pipe({ serializer })
          }
          return 1
        },
      }
      await t.throwsAsync(form.send(conn, value), closed)
      const others = next ?? []
      t.deepEqual(
        others.map(other => other.pollSync()),
        [false, false],
      )
      for (const other of others) other.closeSync()
    })
  }
}

test('a message and 16 MiB both ways do not deadlock when the message alone is received at first', async t => {
  const ends = openPipe(t)
  const receive = async (conn: Connection, when: Promise<unknown>) => {
    const sent = [conn.send('small'), conn.sendBytes(Buffer.alloc(big))]
    await when
    t.is(await conn.recv(), 'small')
    await Promise.all(sent)
    t.is((await conn.recvBytes()).length, big)
  }
  const whens = [Promise.resolve(), setTimeout(20)]
  for (const when of whens) await Promise.all(ends.map(end => receive(end, when)))
})
