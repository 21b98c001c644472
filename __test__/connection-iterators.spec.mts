import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import test from 'ava'
import { serializers } from 'carom'
import { closed, endOfStream, notDecodable, timedOut, tooLong, truncated } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { openOneWayPipe, openPipe } from './helpers/pipes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { frame, openRawPair } from './helpers/raw-peer.mjs'

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const message of messages) all.push(message)
  return all
}

for (const form of forms) {
  test(`${form.name}: messages() gives every message up to the end`, async t => {
    const [a, b] = openPipe(t)
    for (const value of ['one', { two: 2 }, null, undefined, 0]) await a.send(value)
    await a.close()
    t.deepEqual(await collect(form.messages(b)), ['one', { two: 2 }, null, undefined, 0])
    await t.throwsAsync(form.recv(b), endOfStream)
  })

  test(`${form.name}: bytes() gives the bytes of every message up to the end`, async t => {
    const [a, b] = openPipe(t)
    for (const text of ['one', '', 'three']) await a.sendBytes(Buffer.from(text))
    await a.close()
    t.deepEqual(
      await collect(form.bytes(b)),
      ['one', '', 'three'].map(text => Buffer.from(text)),
    )
  })

  test(`${form.name}: the iterators wait for messages that come later`, async t => {
    const [conn, end] = openPipe(t)
    await startWorker(t, 'connection-later.mjs', { end, after: 50, messages: [1, 2, 3] })
    t.deepEqual(await collect(form.messages(conn)), [1, 2, 3])
  })

  test(`${form.name}: a one-way reader can be iterated`, async t => {
    const [reader, writer] = openOneWayPipe<number>(t)
    await writer.send(1)
    await writer.send(2)
    await writer.close()
    t.deepEqual(await collect(form.messages(reader)), [1, 2])
  })

  test(`${form.name}: leaving the loop leaves the connection open, and the next receive gets the next message`, async t => {
    const [a, b] = openPipe<number>(t)
    for (const value of [1, 2, 3, 4, 5]) await a.send(value)
    for await (const message of form.messages(b)) if (message === 2) break
    t.false(b.closed)
    t.is(await form.recv(b), 3)
    for await (const bytes of form.bytes(b)) {
      t.is(serializers.msgpack.decode(bytes), 4)
      break
    }
    await a.close()
    t.deepEqual(await collect(form.messages(b)), [5])
  })

  test(`${form.name}: an exception in the loop leaves the connection open`, async t => {
    const [a, b] = openPipe(t)
    await a.send(1)
    await a.send(2)
    const failure = new Error('in the loop')
    const loop = async () => {
      for await (const _ of form.messages(b)) throw failure
    }
    t.is(await t.throwsAsync(loop), failure)
    t.is(await form.recv(b), 2)
  })

  test(`${form.name}: closing this end inside the loop ends the loop`, async t => {
    const [a, b] = openPipe(t)
    for (const value of [1, 2, 3]) await a.send(value)
    const seen: unknown[] = []
    for await (const message of form.messages(b)) {
      seen.push(message)
      await form.close(b)
    }
    t.deepEqual(seen, [1])
    await t.throwsAsync(form.recv(b), closed)
  })

  test(`${form.name}: the iterators throw when the stream ended inside a message`, async t => {
    for (const iterate of [form.messages, form.bytes]) {
      const [conn, peer] = openRawPair(t, { serializer: serializers.json })
      await peer.write(Buffer.concat([frame(Buffer.from('"whole"')), frame(Buffer.from('"cut off"')).subarray(0, 8)]))
      peer.close()
      const seen: string[] = []
      const loop = async () => {
        for await (const message of iterate(conn)) seen.push(`${message}`)
      }
      await t.throwsAsync(loop, truncated)
      t.is(seen.length, 1)
      t.regex(seen[0], /whole/)
    }
  })

  test(`${form.name}: a message that cannot be read throws, and a new loop goes on after it`, async t => {
    const [a, b] = openPipe(t, { serializer: serializers.json })
    await a.send('before')
    await a.sendBytes(Buffer.from('no JSON'))
    await a.send('after')
    await a.close()
    const seen: unknown[] = []
    const loop = async () => {
      for await (const message of form.messages(b)) seen.push(message)
    }
    await t.throwsAsync(loop, notDecodable)
    await loop()
    t.deepEqual(seen, ['before', 'after'])
  })

  test(`${form.name}: bytes({ maxLength }) throws at a longer message, which stays`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(Buffer.from('abc'))
    await a.sendBytes(Buffer.from('abcd'))
    const seen: string[] = []
    const loop = async () => {
      for await (const bytes of form.bytes(b, { maxLength: 3 })) seen.push(bytes.toString())
    }
    await t.throwsAsync(loop, tooLong)
    t.deepEqual(seen, ['abc'])
    t.is((await form.recvBytes(b)).toString(), 'abcd')
  })

  test(`${form.name}: the timeout of an iterator is for each message`, async t => {
    const [a, b] = openPipe(t)
    await a.send('in time')
    const seen: unknown[] = []
    const loop = async () => {
      for await (const message of form.messages(b, { timeout: 100 })) seen.push(message)
    }
    await t.throwsAsync(loop, timedOut)
    t.deepEqual(seen, ['in time'])
    await a.send('late')
    t.is(await form.recv(b), 'late')
  })
}

for (const kind of ['messages', 'bytes'] as const) {
  test(`${kind}(): closing this end while the loop waits ends the loop`, async t => {
    const [a, b] = openPipe(t)
    await a.send('only')
    const all = collect<unknown>(b[kind]())
    await new Promise(resolve => setTimeout(resolve, 20))
    await b.close()
    t.is((await all).length, 1)
  })

  test(`${kind}(): an abort while the loop waits throws the reason and leaves the connection open`, async t => {
    const [a, b] = openPipe(t)
    const aborter = new AbortController()
    const next = b[kind]({ signal: aborter.signal }).next()
    const reason = new Error('stop')
    aborter.abort(reason)
    t.is(await t.throwsAsync(next), reason)
    await a.send('still there')
    t.is(await b.recv(), 'still there')
  })

  test(`${kind}(): next() called several times at once gives the messages in order`, async t => {
    const [a, b] = openPipe(t, { serializer: serializers.json })
    const messages = b[kind]()
    const nexts = Promise.all([messages.next(), messages.next(), messages.next()])
    await a.send(1)
    await a.send(2)
    await a.close()
    const [first, second, third] = await nexts
    t.deepEqual([`${first.value}`, `${second.value}`, third.done], ['1', '2', true])
    t.deepEqual(await messages.next(), { value: undefined, done: true })
  })

  test(`${kind}(): it is its own iterator, and return() ends it alone`, async t => {
    const [a, b] = openPipe(t)
    const messages = b[kind]()
    t.is(messages[Symbol.asyncIterator](), messages)
    t.deepEqual(await messages.return?.(), { value: undefined, done: true })
    await a.send('for the receive')
    t.deepEqual(await messages.next(), { value: undefined, done: true })
    t.is(await b.recv(), 'for the receive')
  })

  test(`${kind}Sync(): it is its own iterator, and return() ends it alone`, async t => {
    const [a, b] = openPipe(t)
    const messages = b[`${kind}Sync`]()
    t.is(messages[Symbol.iterator](), messages)
    t.deepEqual(messages.return?.(), { value: undefined, done: true })
    await a.send('for the receive')
    t.deepEqual(messages.next(), { value: undefined, done: true })
    t.is(b.recvSync(), 'for the receive')
  })
}

test('for await over a connection is messages()', async t => {
  const [a, b] = openPipe<number>(t)
  await a.send(1)
  await a.send(2)
  await a.close()
  t.deepEqual(await collect(b), [1, 2])
})

test('an iterator takes no message before it is asked', async t => {
  const [a, b] = openPipe<number>(t)
  const messages = b.messages()
  for (const value of [1, 2, 3, 4]) await a.send(value)
  t.is(b.recvSync(), 1)
  t.deepEqual(await messages.next(), { value: 2, done: false })
  // Nothing is pending between two messages: the blocking form would be ERR_CAROM_BUSY.
  t.is(b.recvSync(), 3)
  t.deepEqual(await messages.next(), { value: 4, done: false })
})

test('bytes() is a source for stream.pipeline', async t => {
  const [a, b] = openPipe(t)
  for (const text of ['one ', 'two ', 'three']) await a.sendBytes(Buffer.from(text))
  await a.close()
  const written: Buffer[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written.push(chunk)
      done()
    },
  })
  await pipeline(b.bytes(), sink)
  t.is(Buffer.concat(written).toString(), 'one two three')
})

test('two loops over one connection share its messages', async t => {
  const [a, b] = openPipe<number>(t)
  const loops = Promise.all([collect(b), collect(b)])
  for (let i = 0; i < 100; i++) await a.send(i)
  await a.close()
  const [first, second] = await loops
  t.deepEqual(
    [...first, ...second].sort((x, y) => x - y),
    Array.from({ length: 100 }, (_, i) => i),
  )
})
