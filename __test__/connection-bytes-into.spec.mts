import test from 'ava'
import type { Bytes } from 'carom'
import { outOfRange, timedOut, tooShort, truncated, wrongType } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { isPending, openPipe, patterned } from './helpers/pipes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { frame, header, openRawPair } from './helpers/raw-peer.mjs'

const abc = Buffer.from('abc')

/** Twelve bytes in every kind of holder. */
const holders: Record<string, () => Bytes> = {
  'a Buffer': () => Buffer.alloc(12),
  'a Uint8Array that starts inside its memory': () => new Uint8Array(new ArrayBuffer(20), 4, 12),
  'a DataView': () => new DataView(new ArrayBuffer(20), 8, 12),
  'a Uint32Array': () => new Uint32Array(new ArrayBuffer(20), 4, 3),
  'an ArrayBuffer': () => new ArrayBuffer(12),
  'a SharedArrayBuffer': () => new SharedArrayBuffer(12),
  'a view of a SharedArrayBuffer': () => new Uint8Array(new SharedArrayBuffer(14), 1, 12),
}

function contents(bytes: Bytes): Buffer {
  return ArrayBuffer.isView(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.from(bytes)
}

for (const form of forms) {
  for (const [what, make] of Object.entries(holders)) {
    test(`${form.name}: recvBytesInto writes into ${what}`, async t => {
      const [a, b] = openPipe(t)
      for (let i = 0; i < 4; i++) await a.sendBytes(abc)
      const buf = make()
      t.is(await form.recvBytesInto(b, buf), 3)
      t.is(await form.recvBytesInto(b, buf, 5), 3)
      t.is(await form.recvBytesInto(b, buf, { offset: 9 }), 3)
      t.is(contents(buf).toString('latin1'), 'abc\0\0abc\0abc')
      if (ArrayBuffer.isView(buf)) {
        // What lies around the view is not touched.
        const all = Buffer.from(buf.buffer)
        t.true(all.subarray(0, buf.byteOffset).every(byte => byte === 0))
        t.true(all.subarray(buf.byteOffset + 12).every(byte => byte === 0))
      }
    })
  }

  test(`${form.name}: recvBytesInto leaves the rest of the buffer as it was`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(abc)
    const buf = Buffer.alloc(8, '-')
    t.is(await form.recvBytesInto(b, buf, 2), 3)
    t.is(buf.toString(), '--abc---')
  })

  test(`${form.name}: recvBytesInto takes a message that fits exactly, and an empty one at the end`, async t => {
    const [a, b] = openPipe(t)
    for (const text of ['0123456789', '9', '', '']) await a.sendBytes(Buffer.from(text))
    const buf = Buffer.alloc(10)
    t.is(await form.recvBytesInto(b, buf, 0), 10)
    t.is(buf.toString(), '0123456789')
    t.is(await form.recvBytesInto(b, buf, 9), 1)
    t.is(await form.recvBytesInto(b, buf, 10), 0)
    t.is(await form.recvBytesInto(b, Buffer.alloc(0)), 0)
    t.is(buf.toString(), '0123456789')
  })

  for (const offset of [11, -1, Number.NaN, 1.5, Number.POSITIVE_INFINITY, 2 ** 53]) {
    test(`${form.name}: recvBytesInto refuses offset ${offset} and takes nothing`, async t => {
      const [a, b] = openPipe(t)
      await a.sendBytes(abc)
      const buf = Buffer.alloc(10)
      await t.throwsAsync(form.recvBytesInto(b, buf, offset), outOfRange)
      await t.throwsAsync(form.recvBytesInto(b, buf, { offset }), outOfRange)
      t.deepEqual(buf, Buffer.alloc(10))
      t.is(await form.recvBytesInto(b, buf), 3)
    })
  }

  test(`${form.name}: recvBytesInto refuses what is no buffer and offsets that are no numbers, and takes nothing`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(abc)
    for (const wrong of ['text', 5, null, undefined, {}, [1, 2]]) {
      await t.throwsAsync(form.recvBytesInto(b, wrong as never), wrongType)
    }
    await t.throwsAsync(form.recvBytesInto(b, Buffer.alloc(9), '1' as never), wrongType)
    await t.throwsAsync(form.recvBytesInto(b, Buffer.alloc(9), { offset: 1n as never }), wrongType)
    t.deepEqual(await form.recvBytes(b), abc)
  })

  for (const size of [11, 70_000, 1_000_000]) {
    test(`${form.name}: a buffer too short for ${size} bytes loses nothing`, async t => {
      const [conn, end] = openPipe(t)
      await startWorker(t, 'connection-echo.mjs', { end, form: form.name })
      const message = patterned(size)
      for (const [buf, offset] of [
        [Buffer.alloc(10), 0],
        [Buffer.alloc(size), 1],
        [Buffer.alloc(0), 0],
      ] as const) {
        await form.sendBytes(conn, message)
        const error = await t.throwsAsync(form.recvBytesInto(conn, buf, offset), tooShort)
        t.true(Buffer.isBuffer(error.bytes))
        t.true(error.bytes.equals(message))
      }
      await form.send(conn, 'the next')
      t.is(await form.recv(conn), 'the next')
    })
  }

  test(`${form.name}: recvBytesInto takes 16 MiB`, async t => {
    const [conn, end] = openPipe(t)
    await startWorker(t, 'connection-echo.mjs', { end, form: form.name })
    const message = patterned(16 * 2 ** 20)
    const buf = Buffer.alloc(message.length + 2)
    await form.sendBytes(conn, message)
    t.is(await form.recvBytesInto(conn, buf, 1), message.length)
    t.true(buf.subarray(1, -1).equals(message))
    t.is(buf[0], 0)
    t.is(buf.at(-1), 0)
  })

  for (const size of [300, 300_000]) {
    test(`${form.name}: recvBytesInto that times out inside a message of ${size} bytes takes nothing of it`, async t => {
      const [conn, peer] = openRawPair(t)
      const message = patterned(size)
      const half = Math.min(size / 2, 60_000)
      await peer.write(header(size))
      await peer.write(message.subarray(0, half))
      await t.throwsAsync(form.recvBytesInto(conn, Buffer.alloc(size), { timeout: 20 }), timedOut)
      await t.throwsAsync(form.recvBytesInto(conn, Buffer.alloc(size), { timeout: 0 }), timedOut)
      const next = conn.recvBytes()
      await peer.write(message.subarray(half))
      t.true((await next).equals(message))
    })
  }
}

test('concurrent recvBytesInto fill their buffers in turn', async t => {
  const [a, b] = openPipe(t)
  const bufs = Array.from({ length: 20 }, () => Buffer.alloc(100_000))
  const received = bufs.map(buf => b.recvBytesInto(buf))
  const lengths = bufs.map((_, i) => (i % 3 === 0 ? 100_000 : i))
  for (const [i, length] of lengths.entries()) await a.sendBytes(patterned(length, i))
  t.deepEqual(await Promise.all(received), lengths)
  for (const [i, buf] of bufs.entries()) t.true(buf.subarray(0, lengths[i]).equals(patterned(lengths[i], i)))
})

test('an aborted recvBytesInto leaves the whole message to the next receive', async t => {
  const [conn, peer] = openRawPair(t)
  const message = patterned(200_000)
  const aborter = new AbortController()
  const aborted = conn.recvBytesInto(Buffer.alloc(200_000), { signal: aborter.signal })
  await peer.write(frame(message).subarray(0, 50_000))
  await new Promise(resolve => setTimeout(resolve, 20))
  aborter.abort(new Error('no longer wanted'))
  await t.throwsAsync(aborted, { message: 'no longer wanted' })
  const next = conn.recvBytes()
  await peer.write(frame(message).subarray(50_000))
  t.true((await next).equals(message))
})

for (const end of ['arrives', 'is given up'] as const) {
  test(`a message of which the rest ${end} after its buffer was transferred away: the stream ends inside it`, async t => {
    const [conn, peer] = openRawPair(t)
    const message = patterned(200_000)
    const aborter = new AbortController()
    const buf = Buffer.alloc(200_000)
    const received = conn.recvBytesInto(buf, { signal: aborter.signal })
    await peer.write(frame(message).subarray(0, 50_000))
    t.true(await isPending(received))
    structuredClone(buf.buffer, { transfer: [buf.buffer] })
    if (end === 'is given up') aborter.abort(new Error('given up'))
    else await peer.write(frame(message).subarray(50_000))
    await t.throwsAsync(received, end === 'is given up' ? { message: 'given up' } : truncated)
    await t.throwsAsync(conn.recvBytes(), truncated)
    await conn.send('the other way is unharmed')
  })
}
