import test from 'ava'
import { Connection, Pipe, wait, waitSync } from 'carom'
import { closed, endOfStream, notReadable, tooLong, truncated, wouldBlock } from './helpers/expectations.mjs'
import { isPending, openOneWayPipe, openPipe, patterned } from './helpers/pipes.mjs'
import { fixture, start } from './helpers/processes.mjs'
import { startProgram, startWorker } from './helpers/programs.mjs'
import { frame, header, openRawPair } from './helpers/raw-peer.mjs'
import { atMost, waitForms } from './helpers/waits.mjs'

const overfull = 4 * 2 ** 20

for (const form of waitForms) {
  test(`${form.name}: a connection is ready when a whole message is there, not before`, async t => {
    const [conn, peer] = openRawPair(t)
    const bytes = frame(Buffer.from('whole'))
    for (const part of bytes.subarray(0, -1)) {
      await peer.write(Buffer.of(part))
      t.deepEqual(await form.wait([conn], 0), [])
    }
    t.deepEqual(await form.wait([conn], 20), [])
    await peer.write(bytes.subarray(-1))
    t.deepEqual(await form.wait([conn], atMost), [conn])
    t.is(conn.recvBytesSync({ timeout: 0 }).toString(), 'whole')
    t.deepEqual(await form.wait([conn], 0), [])
  })

  test(`${form.name}: a message of zero length is one`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(Buffer.alloc(0))
    t.deepEqual(await form.wait([b]), [b])
    t.is((await b.recvBytes()).length, 0)
    t.deepEqual(await form.wait([b], 0), [])
  })

  for (const size of [65_536, 2 ** 20, 9 * 2 ** 20]) {
    test(`${form.name}: a message of ${size} bytes, when it is whole`, async t => {
      const [conn, peer] = openRawPair(t)
      const [, idle] = openPipe(t)
      const message = patterned(size)
      const bytes = frame(message)
      const begun = peer.write(bytes.subarray(0, -1))
      while (await isPending(begun)) t.deepEqual(await form.wait([conn, idle], 1), [])
      t.deepEqual(await form.wait([conn, idle], 20), [])
      await peer.write(bytes.subarray(-1))
      t.deepEqual(await form.wait([conn, idle], atMost), [conn])
      t.deepEqual(await form.wait([conn, idle]), [conn])
      t.true(conn.recvBytesSync({ timeout: 0 }).equals(message))
      t.deepEqual(await form.wait([conn, idle], 0), [])
    })
  }

  test(`${form.name}: a large message into a buffer, after a wait that found half of it`, async t => {
    const [conn, peer] = openRawPair(t)
    const message = patterned(100_000)
    const bytes = frame(message)
    await peer.write(bytes.subarray(0, 90_000))
    t.deepEqual(await form.wait([conn], 10), [])
    const target = Buffer.alloc(message.length)
    const received = conn.recvBytesInto(target)
    t.deepEqual(await form.wait([conn], 10), [])
    await peer.write(bytes.subarray(90_000))
    t.is(await received, message.length)
    t.true(target.equals(message))
    t.deepEqual(await form.wait([conn], 0), [])
  })

  test(`${form.name}: the end of the stream is ready, again and again`, async t => {
    const [[a, b], [, idle]] = [openPipe(t), openPipe(t)]
    await a.close()
    t.deepEqual(await form.wait([idle, b]), [b])
    await t.throwsAsync(b.recv(), endOfStream)
    for (let i = 0; i < 3; i++) t.deepEqual(await form.wait([idle, b]), [b])
    t.throws(() => b.recvSync(), endOfStream)
    t.deepEqual(await form.wait([idle, b], 0), [b])
  })

  test(`${form.name}: messages before the end, and then the end`, async t => {
    const [a, b] = openPipe(t)
    await a.send(1)
    await a.send(2)
    await a.close()
    for (const message of [1, 2]) {
      t.deepEqual(await form.wait([b]), [b])
      t.is(b.recvSync(), message)
    }
    t.deepEqual(await form.wait([b]), [b])
    await t.throwsAsync(b.recv(), endOfStream)
  })

  test(`${form.name}: a stream that ends inside a message is ready, and the receive says so`, async t => {
    const [conn, peer] = openRawPair(t)
    await peer.write(frame(Buffer.from('cut off')).subarray(0, 7))
    t.deepEqual(await form.wait([conn], 10), [])
    peer.close()
    t.deepEqual(await form.wait([conn], atMost), [conn])
    t.deepEqual(await form.wait([conn], atMost), [conn])
    await t.throwsAsync(conn.recv(), truncated)
    t.deepEqual(await form.wait([conn], atMost), [conn])
  })

  test(`${form.name}: a large message that is cut off is ready, and the receive says so`, async t => {
    const [conn, peer] = openRawPair(t)
    await peer.write(Buffer.concat([header(2 ** 20), Buffer.alloc(10_000)]))
    t.deepEqual(await form.wait([conn], 10), [])
    peer.close()
    t.deepEqual(await form.wait([conn], atMost), [conn])
    await t.throwsAsync(conn.recv(), truncated)
  })

  test(`${form.name}: a reset is ready, and the receive says so`, async t => {
    const [conn, peer] = openRawPair(t)
    await conn.send('is never read to its end, which makes it a reset')
    t.is((await peer.read(1)).length, 1)
    peer.close()
    t.deepEqual(await form.wait([conn], atMost), [conn])
    await t.throwsAsync(conn.recv(), endOfStream)
    t.deepEqual(await form.wait([conn], atMost), [conn])
  })

  for (const [what, bytes, options] of [
    ['a bad header', Buffer.from([0xff, 0xff, 0xff, 0xfe, 1, 2, 3, 4]), {}],
    ['a header of more than 2^63', Buffer.alloc(12, 0xff), {}],
    ['a message that is too long', frame(Buffer.from('four')), { maxMessageLength: 3 }],
  ] as const) {
    test(`${form.name}: ${what} is ready; once the receive has said why, the connection is not readable`, async t => {
      const [conn, peer] = openRawPair(t, options)
      const [, idle] = openPipe(t)
      await peer.write(bytes)
      t.deepEqual(await form.wait([idle, conn], atMost), [conn])
      t.deepEqual(await form.wait([idle, conn], atMost), [conn])
      t.true(conn.readable)
      await t.throwsAsync(conn.recv(), tooLong)
      t.false(conn.readable)
      await t.throwsAsync(form.wait([idle, conn], atMost), notReadable)
      await t.throwsAsync(form.wait([conn, idle], 0), notReadable)
      t.deepEqual(await form.wait([idle], 0), [])
    })
  }

  test(`${form.name}: a message that is longer than a receive's limit stays ready`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(Buffer.alloc(100_000, 7))
    await t.throwsAsync(b.recvBytes(10), tooLong)
    t.deepEqual(await form.wait([b], atMost), [b])
    t.throws(() => b.recvBytesSync(10), tooLong)
    t.deepEqual(await form.wait([b], atMost), [b])
    t.is((await b.recvBytes()).length, 100_000)
  })

  /** Every way to take one message. */
  const takes: Record<string, (conn: Connection<string>) => unknown> = {
    recv: conn => conn.recv(),
    recvSync: conn => conn.recvSync(),
    recvBytes: conn => conn.recvBytes(),
    recvBytesSync: conn => conn.recvBytesSync(),
    recvBytesInto: conn => conn.recvBytesInto(Buffer.alloc(100)),
    recvBytesIntoSync: conn => conn.recvBytesIntoSync(Buffer.alloc(100)),
    'recv({ timeout: 0 })': conn => conn.recv({ timeout: 0 }),
    'recvSync({ timeout: 0 })': conn => conn.recvSync({ timeout: 0 }),
    messages: conn => conn.messages().next(),
    messagesSync: conn => conn.messagesSync().next(),
    bytes: conn => conn.bytes().next(),
    bytesSync: conn => conn.bytesSync().next(),
  }
  for (const [how, take] of Object.entries(takes)) {
    test(`${form.name}: of several messages in one batch, after one was taken by ${how}, the others are ready`, async t => {
      const [a, b] = openPipe<string>(t)
      const [c, d] = openPipe<string>(t)
      for (const waitsFirst of [true, false]) {
        for (const message of ['one', 'two', 'three']) a.sendSync(message)
        if (waitsFirst) t.deepEqual(await form.wait([d, b]), [b])
        await take(b)
        t.deepEqual(await form.wait([d, b]), [b])
        // Another connection takes the memory that the batch was received into.
        c.sendSync('other')
        t.deepEqual(await form.wait([d, b]), [d, b])
        t.is(await d.recv(), 'other')
        await take(b)
        t.deepEqual(await form.wait([d, b]), [b])
        await take(b)
        t.deepEqual(await form.wait([d, b], 0), [])
      }
    })
  }

  test(`${form.name}: a receive that is pending already gets the message first`, async t => {
    const [a, b] = openPipe(t)
    const received = b.recv()
    t.deepEqual(await form.wait([b], 10), [])
    a.sendSync('for the receive')
    t.deepEqual(await form.wait([b], 20), [])
    t.is(await received, 'for the receive')
    const again = b.recv()
    a.sendSync('for that one, too')
    // A list that was not waited on before is looked at as a whole.
    const [, idle] = openPipe(t)
    t.deepEqual(await form.wait([idle, b], 0), [])
    t.is(await again, 'for that one, too')
    t.deepEqual(await form.wait([b], 0), [])
    a.sendSync('for nobody yet')
    t.deepEqual(await form.wait([b], atMost), [b])
    t.is(await b.recv(), 'for nobody yet')
  })

  test(`${form.name}: after a pending receive has given up, its message is ready`, async t => {
    const [a, b] = openPipe(t)
    const aborter = new AbortController()
    const received = b.recv({ signal: aborter.signal })
    t.deepEqual(await form.wait([b], 5), [])
    aborter.abort(new Error('enough'))
    await t.throwsAsync(received, { message: 'enough' })
    await a.send('late')
    t.deepEqual(await form.wait([b], atMost), [b])
    await t.throwsAsync(Promise.all([b.recv(), b.recv({ timeout: 5 })]), { code: 'ERR_CAROM_TIMEOUT' })
    t.deepEqual(await form.wait([b], 0), [])
  })

  test(`${form.name}: a non-blocking end is waited for like any other`, async t => {
    const [conn, end] = openPipe(t, { rnonblock: true })
    t.throws(() => conn.recvSync(), wouldBlock)
    t.deepEqual(await form.wait([conn], 5), [])
    await startWorker(t, 'connection-later.mjs', { end, after: 50, messages: ['later'] })
    t.deepEqual(await form.wait([conn]), [conn])
    t.is(conn.recvSync(), 'later')
  })

  test(`${form.name}: an end that only receives`, async t => {
    const [reader, writer] = openOneWayPipe(t)
    t.deepEqual(await form.wait([reader], 5), [])
    await writer.send(1)
    t.deepEqual(await form.wait([reader]), [reader])
    t.is(await reader.recv(), 1)
    await writer.close()
    t.deepEqual(await form.wait([reader]), [reader])
    await t.throwsAsync(reader.recv(), endOfStream)
  })

  test(`${form.name}: what came along with what detach() gave is ready`, async t => {
    const [a, b] = openPipe(t)
    await a.send('one')
    await a.send('two')
    t.deepEqual(await form.wait([b]), [b])
    t.is(await b.recv(), 'one')
    const opened = Connection.from(b.detach())
    t.teardown(() => opened.close())
    t.deepEqual(await form.wait([opened], 0), [opened])
    t.is(await opened.recv(), 'two')
    t.deepEqual(await form.wait([opened], 0), [])
    await a.send('three')
    t.deepEqual(await form.wait([opened]), [opened])
    await t.throwsAsync(form.wait([b], 0), closed)
  })

  test(`${form.name}: one that has moved to a process is closed`, async t => {
    const [a, b] = openPipe(t)
    t.deepEqual(await form.wait([a, b], 0), [])
    start(t, { module: fixture('process-targets.mjs'), target: 'echo', args: [b], execArgv: [] })
    await t.throwsAsync(form.wait([a, b], 0), closed)
    await a.send('there and back')
    t.deepEqual(await form.wait([a]), [a])
    t.is(await a.recv(), 'there and back')
    await a.close()
  })

  test(`${form.name}: a connection that has the descriptor of one that was closed`, async t => {
    const idle = openPipe(t)[1]
    for (let i = 0; i < 10; i++) {
      const [a, b] = Pipe()
      t.deepEqual(await form.wait([idle, b], 0), [])
      a.sendSync(i)
      if (i % 2) t.deepEqual(await form.wait([idle, b]), [b])
      a.closeSync()
      b.closeSync()
    }
    t.deepEqual(await form.wait([idle], 0), [])
  })

  test(`${form.name}: a message that was absorbed while a send waited is ready`, async t => {
    const [a, b] = openPipe(t)
    t.deepEqual(await form.wait([b], 0), [])
    const sent = b.sendBytes(Buffer.alloc(overfull))
    t.true(await isPending(sent))
    await a.send('one')
    await a.send('two')
    t.deepEqual(await form.wait([b], atMost), [b])
    t.is((await a.recvBytes()).length, overfull)
    await sent
    t.deepEqual(await form.wait([b]), [b])
    t.is(b.recvSync(), 'one')
    t.deepEqual(await form.wait([b]), [b])
    t.is(await b.recv(), 'two')
    t.deepEqual(await form.wait([b], 0), [])
  })

  test(`${form.name}: unsent bytes go on being sent while it waits`, async t => {
    const [conn, end] = openPipe(t)
    const [, idle] = openPipe(t)
    // It answers when it has all of it, and only then.
    await startWorker(t, 'wait-answer-large.mjs', { end })
    const sent = conn.sendBytes(Buffer.alloc(overfull, 1))
    t.deepEqual(await form.wait([idle, conn], atMost), [conn])
    t.is(conn.recvSync(), overfull)
    await sent
  })

  test(`${form.name}: what was accepted in this tick leaves before it waits`, async t => {
    const [conn, end] = openPipe(t)
    await startWorker(t, 'connection-echo.mjs', { end, form: 'blocking' })
    for (let i = 0; i < 3; i++) {
      void conn.send(i)
      t.deepEqual(await form.wait([conn], atMost), [conn])
      t.is(conn.recvSync(), i)
    }
  })
}

test('a wait and several receives: the receives get the first messages, the wait is told of the next', async t => {
  const [a, b] = openPipe(t)
  const received = [b.recv(), b.recvBytes(), b.messages().next()]
  const waiting = wait([b])
  for (let i = 0; i < 3; i++) {
    t.true(await isPending(waiting))
    await a.send(i)
  }
  t.is(await received[0], 0)
  await Promise.all(received)
  t.true(await isPending(waiting))
  await a.send('next')
  t.deepEqual(await waiting, [b])
  t.is(await b.recv(), 'next')
})

test('a receive that begins during a wait comes first too', async t => {
  const [a, b] = openPipe(t)
  const waiting = wait([b])
  t.true(await isPending(waiting))
  const received = b.recv()
  a.sendSync('for the receive')
  t.is(await received, 'for the receive')
  t.true(await isPending(waiting))
  a.sendSync('for the wait')
  t.deepEqual(await waiting, [b])
})

test('a receive that gives up during a wait leaves it its message', async t => {
  const [a, b] = openPipe(t)
  const aborter = new AbortController()
  const received = [b.recv({ signal: aborter.signal }), b.recv({ timeout: 30 })]
  const waiting = wait([b])
  t.true(await isPending(waiting))
  aborter.abort(new Error('enough'))
  await t.throwsAsync(received[0], { message: 'enough' })
  await t.throwsAsync(received[1], { code: 'ERR_CAROM_TIMEOUT' })
  t.true(await isPending(waiting))
  await a.send('for the wait')
  t.deepEqual(await waiting, [b])
  t.is(await b.recv(), 'for the wait')
})

test('a receive that refuses a message for its length leaves it to the wait', async t => {
  const [a, b] = openPipe(t)
  const refused = t.throwsAsync(b.recvBytes(3), tooLong)
  const waiting = wait([b])
  await a.sendBytes(Buffer.from('four'))
  await refused
  t.deepEqual(await waiting, [b])
  t.is((await b.recvBytes()).length, 4)
})

test('polls and waits at once are all told of the same message', async t => {
  const [a, b] = openPipe(t)
  const polls = [b.poll(Number.POSITIVE_INFINITY), b.poll(atMost)]
  const waits = [wait([b]), wait([b], atMost)]
  t.deepEqual(waitSync([b], 5), [])
  await a.send('for one receive')
  t.deepEqual(await Promise.all(polls), [true, true])
  t.deepEqual(await Promise.all(waits), [[b], [b]])
  t.is(await b.recv(), 'for one receive')
})

test('pollSync and waitSync during a wait take nothing from it', async t => {
  const [a, b] = openPipe(t)
  const waiting = wait([b])
  t.false(b.pollSync(5))
  t.deepEqual(waitSync([b], 5), [])
  a.sendSync('one')
  t.true(b.pollSync(atMost))
  t.deepEqual(waitSync([b]), [b])
  t.deepEqual(await waiting, [b])
})

test('a wait is not told of a message that is taken in the same tick; it is of the next one', async t => {
  const [a, b] = openPipe(t)
  const waiting = wait([b])
  t.true(await isPending(waiting))
  for (let i = 0; i < 3; i++) {
    a.sendSync(i)
    t.is(b.recvSync(), i)
  }
  t.true(await isPending(waiting))
  a.sendSync('stays')
  t.deepEqual(await waiting, [b])
})

/** Every way in which a connection can be closed while it is waited on. */
const closings: Record<string, (conn: Connection) => unknown> = {
  close: conn => conn.close(),
  closeSync: conn => conn.closeSync(),
  dispose: conn => conn[Symbol.dispose](),
  asyncDispose: conn => conn[Symbol.asyncDispose](),
  detach: conn => Connection.from(conn.detach()).closeSync(),
}
for (const [how, close] of Object.entries(closings)) {
  test(`closed by ${how} during the wait, it counts as ready, beside others that are idle`, async t => {
    const [[, b], [c, d]] = [openPipe(t), openPipe(t)]
    const waits = [wait([d, b]), wait([b, b]), wait([b], atMost)]
    t.true(await isPending(Promise.race(waits)))
    await close(b)
    t.deepEqual(await Promise.all(waits), [[b], [b, b], [b]])
    await t.throwsAsync(wait([d, b]), closed)
    t.deepEqual(await wait([d], 0), [])
    await c.send(1)
    t.deepEqual(await wait([d]), [d])
  })
}

test('closed with unsent bytes during the wait, it counts as ready at once', async t => {
  const [a, b] = openPipe(t)
  const waiting = wait([b])
  const sent = b.sendBytes(Buffer.alloc(overfull))
  t.true(await isPending(waiting))
  const closing = b.close()
  t.deepEqual(await waiting, [b])
  t.is((await a.recvBytes()).length, overfull)
  await Promise.all([sent, closing])
})

test('moved to a process during the wait, it counts as ready', async t => {
  const [a, b] = openPipe(t)
  const waiting = wait([b])
  t.true(await isPending(waiting))
  start(t, { module: fixture('process-targets.mjs'), target: 'echo', args: [b], execArgv: [] })
  t.deepEqual(await waiting, [b])
  await a.send(1)
  t.is(await a.recv(), 1)
  await a.close()
})

test('a bad header during the wait makes it ready', async t => {
  const [conn, peer] = openRawPair(t)
  const waiting = wait([conn])
  t.true(await isPending(waiting))
  await peer.write(Buffer.from([0xff, 0xff, 0xff, 0xfe]))
  t.deepEqual(await waiting, [conn])
  await t.throwsAsync(conn.recv(), tooLong)
})

test('a message that is there when a send begins to wait is told to a wait that is pending', async t => {
  const [a, b] = openPipe(t)
  const waiting = wait([b])
  // In one tick: the message arrives, and then the send finds no room.
  a.sendSync('one')
  const sent = b.sendBytes(Buffer.alloc(overfull))
  t.deepEqual(await waiting, [b])
  t.is(await b.recv(), 'one')
  t.is((await a.recvBytes()).length, overfull)
  await sent
})

test('a message that a blocking send has absorbed is told to a wait that is pending', async t => {
  const [conn, end] = openPipe(t)
  const waiting = wait([conn])
  t.true(await isPending(waiting))
  // It sends one message before it takes the large one.
  await startWorker(t, 'wait-answer-large.mjs', { end, first: 'one' })
  conn.sendBytesSync(Buffer.alloc(overfull))
  t.deepEqual(await waiting, [conn])
  t.is(await conn.recv(), 'one')
  t.is(await conn.recv(), overfull)
})

test('messages that arrive while sends wait are told one after the other', async t => {
  const [a, b] = openPipe<number, Uint8Array>(t)
  const sent = a.sendBytes(Buffer.alloc(overfull))
  for (let i = 0; i < 5; i++) {
    const waiting = wait([a])
    t.true(await isPending(waiting))
    await b.send(i)
    t.deepEqual(await waiting, [a])
    t.is(await a.recv(), i)
  }
  t.is((await b.recvBytes()).length, overfull)
  await sent
})

test('a peer that sends without end does not keep others from being told', async t => {
  const [conn, end] = openPipe(t)
  const [c, d] = openPipe(t)
  startProgram(t, 'connection-flood.mjs', { end, execArgv: ['--expose-gc'], stderr: 'ignore' })
  t.deepEqual(await wait([conn], atMost), [conn])
  const waiting = wait([d])
  const receiving = (async () => {
    for await (const _ of conn.bytes()) if (d.pollSync()) return
  })()
  await new Promise(resolve => setTimeout(resolve, 10))
  await c.send('me too')
  t.deepEqual(await waiting, [d])
  await receiving
  conn.closeSync()
})

test('a large message that comes piece by piece wakes nobody before it is whole, and others meanwhile', async t => {
  const [conn, peer] = openRawPair(t)
  const [c, d] = openPipe(t)
  const message = patterned(2 ** 21)
  const bytes = frame(message)
  const waiting = wait([conn])
  for (let i = 0; i < bytes.length - 1; i += 2 ** 18) {
    await peer.write(bytes.subarray(i, Math.min(i + 2 ** 18, bytes.length - 1)))
    await c.send(i)
    t.deepEqual(await wait([conn, d]), [d])
    t.is(await d.recv(), i)
  }
  t.true(await isPending(waiting))
  await peer.write(bytes.subarray(-1))
  t.deepEqual(await waiting, [conn])
  t.true((await conn.recvBytes()).equals(message))
})

test('a serializer that waits, blocking, while news are told costs nobody their news', async t => {
  const [x, y] = openPipe<string>(t)
  let seen: unknown[] = []
  const serializer = {
    encode: (value: unknown) => Buffer.from(String(value)),
    decode: (bytes: Uint8Array) => {
      seen = [...waitSync([y], 0), ...waitSync([y], 5), ...waitSync(ends, 0)]
      return String.fromCharCode(...bytes)
    },
  }
  const pipes = Array.from({ length: 10 }, () => openPipe<string>(t, { serializer }))
  const ends = pipes.map(([, b]) => b)
  for (let round = 0; round < 3; round++) {
    const received = ends.map(end => end.recv())
    const waiting = wait([y])
    t.true(await isPending(Promise.race([...received, waiting])))
    for (const [a] of pipes) a.sendSync(`message ${round}`)
    x.sendSync('for the wait')
    t.deepEqual(
      await Promise.all(received),
      ends.map(() => `message ${round}`),
    )
    t.deepEqual(await waiting, [y])
    t.true(seen.includes(y))
    t.is(y.recvSync(), 'for the wait')
  }
})

const blockingForms: Record<string, (conn: Connection<string>) => unknown> = {
  recvSync: conn => conn.recvSync({ timeout: atMost }),
  pollSync: conn => conn.pollSync(atMost) && conn.recvSync(),
  waitSync: conn => waitSync([conn], atMost).length > 0 && conn.recvSync(),
}
for (const [how, take] of Object.entries(blockingForms)) {
  test(`a serializer that blocks in ${how} gets what was told of, and not handed on yet`, async t => {
    const [x, y] = openPipe<string>(t)
    const took: unknown[] = []
    let isAsked = false
    const serializer = {
      encode: (value: unknown) => Buffer.from(String(value)),
      decode: (bytes: Uint8Array) => {
        // What it blocks in has the others decoded, too.
        if (!isAsked) {
          isAsked = true
          took.push(take(y))
        }
        return Buffer.from(bytes).toString()
      },
    }
    const pipes = Array.from({ length: 10 }, () => openPipe<string>(t, { serializer }))
    // Its news are told, and none are there yet.
    t.deepEqual(waitSync([y], 0), [])
    const received = pipes.map(([, b]) => b.recv())
    t.true(await isPending(Promise.race(received)))
    for (const [a] of pipes) a.sendSync('first')
    x.sendSync('last')
    const begin = performance.now()
    t.deepEqual(
      await Promise.all(received),
      pipes.map(() => 'first'),
    )
    t.deepEqual(took, ['last'])
    t.true(performance.now() - begin < atMost / 2)
  })
}

test("a receive gets a message that another one's wait was told of", async t => {
  const [a, b] = openPipe(t)
  const [, idle] = openPipe(t)
  for (let i = 0; i < 3; i++) {
    t.deepEqual(waitSync([b], 0), [])
    a.sendSync(i)
    t.deepEqual(waitSync([idle], 0), [])
    let result: unknown
    const received = b.recv().then(message => {
      result = message
    })
    await Promise.race([received, new Promise(resolve => setTimeout(resolve, atMost / 3))])
    t.is(result, i)
    t.deepEqual(waitSync([b], 0), [])
    a.sendSync('again')
    t.deepEqual(waitSync([b], 0), [b])
    t.is(b.recvSync(), 'again')
  }
})
