import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { endOfStream, tooLong, truncated } from './helpers/expectations.mjs'
import { forms, receives } from './helpers/forms.mjs'
import { closing, listen } from './helpers/listeners.mjs'
import { patterned } from './helpers/pipes.mjs'
import { startProgram, startWorker } from './helpers/programs.mjs'
import { frame, header, longHeader, openRawPair } from './helpers/raw-peer.mjs'

interface Vectors {
  frames: { name: string; payload: string; wire: string }[]
  headers: { length: number; header: string }[]
  invalidHeaders: string[]
}

/** Recorded from CPython. */
const vectors: Vectors = JSON.parse(readFileSync(new URL('fixtures/vectors.json', import.meta.url), 'utf8'))
const hex = (text: string) => Buffer.from(text, 'hex')

for (const form of forms) {
  for (const { name, payload, wire } of vectors.frames) {
    test(`${form.name}: the frame "${name}" is sent as CPython sends it`, async t => {
      const [conn, peer] = openRawPair(t)
      await form.sendBytes(conn, hex(payload))
      t.deepEqual(await peer.read(wire.length / 2), hex(wire))
      conn.closeSync()
      t.is((await peer.readToEnd()).length, 0)
    })

    test(`${form.name}: the frame "${name}" is received from CPython's bytes`, async t => {
      const [conn, peer] = openRawPair(t)
      await peer.write(hex(wire))
      t.deepEqual(await form.recvBytes(conn), hex(payload))
    })
  }

  for (const vector of vectors.headers.filter(({ length }) => length <= 65_536)) {
    test(`${form.name}: a message of ${vector.length} bytes is sent with CPython's header`, async t => {
      const [conn, peer] = openRawPair(t)
      const message = patterned(vector.length)
      await form.sendBytes(conn, message)
      t.deepEqual(await peer.read(4), hex(vector.header))
      t.true((await peer.read(vector.length)).equals(message))
    })
  }

  for (const vector of vectors.headers.filter(({ length }) => length > 100)) {
    test(`${form.name}: the header of ${vector.length} bytes is read as that length`, async t => {
      const [conn, peer] = openRawPair(t, { maxMessageLength: 100 })
      await peer.write(hex(vector.header))
      const error = await t.throwsAsync(form.recvBytes(conn), tooLong)
      t.is(error.length, vector.length)
    })
  }

  for (const bytes of vectors.invalidHeaders) {
    test(`${form.name}: the bad header ${bytes} ends receiving for good`, async t => {
      const [conn, peer] = openRawPair(t)
      await peer.write(Buffer.concat([frame(Buffer.from('before')), hex(bytes), frame(Buffer.from('never seen'))]))
      t.is((await form.recvBytes(conn)).toString(), 'before')
      for (let i = 0; i < 2; i++) {
        for (const receive of Object.values(receives(form))) await t.throwsAsync(receive(conn), tooLong)
        t.false(conn.readable)
      }
      t.true(conn.writable)
      await form.sendBytes(conn, Buffer.from('still sends'))
      t.deepEqual(await peer.read(15), frame(Buffer.from('still sends')))
    })
  }

  test(`${form.name}: a header of 2^62 bytes is a message that is too long`, async t => {
    const [conn, peer] = openRawPair(t)
    await peer.write(longHeader(2n ** 62n))
    const error = await t.throwsAsync(form.recvBytes(conn), tooLong)
    t.is(error.length, 2 ** 62)
    t.false(conn.readable)
  })

  test(`${form.name}: the long header may state a short length, as with CPython`, async t => {
    const [conn, peer] = openRawPair(t)
    for (const payload of [Buffer.alloc(0), Buffer.from('hello'), patterned(65_536)]) {
      await peer.write(Buffer.concat([longHeader(payload.length), payload]))
      t.true((await form.recvBytes(conn)).equals(payload))
    }
  })

  test(`${form.name}: a header may come byte by byte, in both of its forms`, async t => {
    const [conn, peer] = openRawPair(t)
    for (const bytes of [header(3), longHeader(3)]) {
      for (const part of Buffer.concat([bytes, Buffer.from('ab')])) {
        await peer.write(Buffer.of(part))
        t.false(await form.poll(conn))
      }
      await peer.write(Buffer.from('c'))
      t.is((await form.recvBytes(conn)).toString(), 'abc')
    }
  })

  for (const size of [0, 1, 1_000, 65_535, 65_536, 500_000]) {
    test(`${form.name}: a message of ${size} bytes may come in a hundred pieces`, async t => {
      const listener = listen(t)
      const bytes = Buffer.concat([frame(patterned(size)), frame(Buffer.from('the next'))])
      const { address } = listener
      await startWorker(t, 'connection-raw-writer.mjs', { address, pieces: cut(bytes, 100), pause: 1 })
      const conn = closing(t, await listener.accept())
      t.true((await form.recvBytes(conn)).equals(patterned(size)))
      t.is((await form.recvBytes(conn)).toString(), 'the next')
    })
  }

  test(`${form.name}: a hundred messages may come in one piece`, async t => {
    const [conn, peer] = openRawPair(t)
    const messages = Array.from({ length: 100 }, (_, i) => patterned(i * 5, i))
    await peer.write(Buffer.concat(messages.map(frame)))
    for (const message of messages) t.deepEqual(await form.recvBytes(conn), message)
    t.false(await form.poll(conn))
  })

  test(`${form.name}: the end before a header is the end of the stream`, async t => {
    const [conn, peer] = openRawPair(t)
    await peer.close()
    for (const receive of Object.values(receives(form))) await t.throwsAsync(receive(conn), endOfStream)
  })

  for (const [where, bytes] of Object.entries({
    'inside a header': frame(Buffer.from('abc')).subarray(0, 1),
    'one byte before the end of a header': frame(Buffer.from('abc')).subarray(0, 3),
    'inside a long header': longHeader(3).subarray(0, 7),
    'between the two parts of a long header': longHeader(3).subarray(0, 4),
    'after a header': header(3),
    'after a long header': longHeader(3),
    'inside a message': frame(Buffer.from('abc')).subarray(0, 5),
    'one byte before the end of a message': frame(Buffer.from('abc')).subarray(0, -1),
    'inside a large message': frame(patterned(100_000)).subarray(0, 50_000),
  })) {
    test(`${form.name}: the end ${where} is a truncated stream`, async t => {
      const [conn, peer] = openRawPair(t)
      await peer.write(frame(Buffer.from('whole')))
      await peer.write(bytes)
      await peer.close()
      t.is((await form.recvBytes(conn)).toString(), 'whole')
      for (const receive of Object.values(receives(form))) await t.throwsAsync(receive(conn), truncated)
      t.true(await form.poll(conn))
    })
  }

  test(`${form.name}: the end after the header of an empty message is the end of the stream`, async t => {
    const [conn, peer] = openRawPair(t)
    await peer.write(header(0))
    await peer.close()
    t.is((await form.recvBytes(conn)).length, 0)
    await t.throwsAsync(form.recvBytes(conn), endOfStream)
  })

  test(`${form.name}: a header costs no memory`, async t => {
    const [end, peer] = openRawPair(t)
    await peer.write(Buffer.concat([header(2 ** 30), patterned(1_000)]))
    const child = startProgram(t, 'connection-announced.mjs', { end, args: [form.name] })
    const { code, grown } = await child.report<{ code: string; grown: number }>()
    t.is(code, 'ERR_CAROM_TIMEOUT')
    t.true(grown < 100 * 2 ** 20, `memory grew by ${grown} bytes`)
  })
}

test('a message of 2 GiB is announced with the long header', async t => {
  const [conn, peer] = openRawPair(t)
  // Memory that is never touched costs none; the peer takes the beginning only, and then hangs up.
  const sent = t.throwsAsync<NodeJS.ErrnoException>(conn.sendBytes(new Uint8Array(2 ** 31)))
  t.deepEqual(await peer.read(12), hex('ffffffff0000000080000000'))
  t.deepEqual(await peer.read(5), Buffer.alloc(5))
  await peer.close()
  t.regex((await sent).code ?? '', /^(EPIPE|ECONNRESET)$/)
})

test('any messages in any pieces arrive as they were sent', async t => {
  const [conn, peer] = openRawPair(t)
  const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 })
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 })
  const receivers = fc.array(fc.boolean(), { minLength: 20, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(payloads, cuts, receivers, async (messages, places, blocking) => {
      const stream = Buffer.concat(messages.map(frame))
      const borders = places.map(place => Math.floor(place * stream.length)).sort((a, b) => a - b)
      const writing = (async () => {
        let from = 0
        for (const to of [...borders, stream.length]) {
          await peer.write(stream.subarray(from, to))
          from = to
        }
      })()
      for (const [i, message] of messages.entries()) {
        if (blocking[i]) await writing
        const received = blocking[i] ? conn.recvBytesSync({ timeout: 60_000 }) : await conn.recvBytes()
        if (!received.equals(message)) return false
      }
      await writing
      return !conn.pollSync()
    }),
    { numRuns: 200 },
  )
  t.pass()
})

test('any messages leave as the frames that CPython would send', async t => {
  const [conn, peer] = openRawPair(t)
  const message = fc.record({ bytes: fc.uint8Array({ maxLength: 2_000 }), blocking: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), async messages => {
      const sent: Promise<void>[] = []
      for (const { bytes, blocking } of messages) {
        if (blocking) conn.sendBytesSync(bytes)
        else sent.push(conn.sendBytes(bytes))
      }
      const expected = Buffer.concat(messages.map(({ bytes }) => frame(bytes)))
      const actual = await peer.read(expected.length)
      await Promise.all(sent)
      return actual.equals(expected)
    }),
    { numRuns: 200 },
  )
  t.pass()
})

/** Some of the pieces are empty when there are fewer bytes. */
function cut(bytes: Buffer, pieces: number): Buffer[] {
  const border = (i: number) => Math.floor((i * bytes.length) / pieces)
  return Array.from({ length: pieces }, (_, i) => bytes.subarray(border(i), border(i + 1)))
}
