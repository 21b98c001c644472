import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { type Connection, type Serializer, serializers } from 'carom'
import {
  endOfStream,
  notDecodable,
  notEncodable,
  notReadable,
  notWritable,
  tooLong,
  tooShort,
  truncated,
} from './helpers/expectations.mjs'
import { forms, receives } from './helpers/forms.mjs'
import { openOneWayPipe, openPipe } from './helpers/pipes.mjs'
import { testOnUnix } from './helpers/platform.mjs'
import { startProgram } from './helpers/programs.mjs'
import { frame, openRawPair } from './helpers/raw-peer.mjs'

/** What must show up in no error's text. */
const secret = 'hunter2secret'

/** An error as it is printed, without its stack's paths: its texts, those of its causes, and its visible fields. */
function printed(error: Error): string {
  const texts: string[] = []
  for (let e: unknown = error; e instanceof Error; e = e.cause)
    texts.push(e.message, inspect(e, { depth: 5, maxArrayLength: null }))
  return texts.join('\n')
}

function keepsSecret(t: ExecutionContext, error: Error | undefined): void {
  const text = printed(error as Error)
  for (const form of [secret, 'hunter', Buffer.from(secret).toString('hex'), '68 75 6e 74', '104, 117, 110, 116']) {
    t.false(text.includes(form), text)
  }
}

const failing = new Error('not with me')
const own: Serializer = {
  encode(value) {
    if (value === 'unencodable') throw failing
    return Buffer.from(`${value}`)
  },
  decode(bytes) {
    if (Buffer.from(bytes).toString() === 'undecodable') throw failing
    return Buffer.from(bytes).toString()
  },
}

const cyclic: unknown[] = []
cyclic.push(cyclic)

/** Values that no serializer of carom carries, and some that only msgpack and JSON refuse. */
const refused: Record<string, { value: unknown; by: ('msgpack' | 'json' | 'v8')[] }> = {
  'a function': { value: () => secret, by: ['msgpack', 'json', 'v8'] },
  'a symbol': { value: Symbol(secret), by: ['msgpack', 'json', 'v8'] },
  'a function deep inside': { value: { list: [{ [secret]: () => 1 }] }, by: ['msgpack', 'json', 'v8'] },
  'a promise': { value: Promise.resolve(1), by: ['msgpack', 'v8'] },
  'a WeakMap': { value: [new WeakMap()], by: ['msgpack', 'v8'] },
  'a SharedArrayBuffer': { value: { s: new SharedArrayBuffer(4) }, by: ['msgpack'] },
  'a cycle': { value: cyclic, by: ['msgpack', 'json'] },
  'a bigint': { value: 5n, by: ['json'] },
  NaN: { value: [Number.NaN], by: ['json'] },
  undefined: { value: { a: undefined }, by: ['json'] },
  'a Map': { value: new Map([[1, 2]]), by: ['json'] },
}

const overTcp = testOnUnix('a socket of node:net cannot be handed to a child')

for (const form of forms) {
  for (const [how, receive] of Object.entries(receives(form))) {
    test(`${form.name}: ${how} at the end of the stream is an EOFError, each time`, async t => {
      const [a, b] = openPipe(t)
      await a.close()
      for (let i = 0; i < 3; i++) await t.throwsAsync(receive(b), endOfStream)
      t.false(b.closed)
    })

    test(`${form.name}: ${how} of a stream that ended inside a message is an EOFError of its own code, each time`, async t => {
      const [conn, peer] = openRawPair(t)
      await peer.write(frame(Buffer.from(secret)).subarray(0, 12))
      peer.close()
      for (let i = 0; i < 3; i++) keepsSecret(t, await t.throwsAsync(receive(conn), truncated))
      t.false(conn.closed)
    })

    test(`${form.name}: ${how} on a write-only end is refused`, async t => {
      const [reader, writer] = openOneWayPipe(t)
      await t.throwsAsync(receive(writer as Connection), notReadable)
      await form.send(writer, 'unharmed')
      t.is(await reader.recv(), 'unharmed')
    })

    testOnUnix('pipes are never reset there')(
      `${form.name}: ${how} after a reset on a Unix socket is the end of the stream, the reset its cause`,
      async t => {
        const [conn, peer] = openRawPair(t)
        await form.sendBytes(conn, Buffer.from('never read'))
        await peer.write(frame(Buffer.from('before the reset')))
        peer.close()
        t.is((await form.recvBytes(conn)).toString(), 'before the reset')
        const error = await t.throwsAsync(receive(conn), endOfStream)
        t.is((error.cause as NodeJS.ErrnoException | undefined)?.code, 'ECONNRESET')
        for (let i = 0; i < 2; i++) await t.throwsAsync(receive(conn), endOfStream)
      },
    )
  }

  test(`${form.name}: a reset inside a message is a truncated stream`, async t => {
    const [conn, peer] = openRawPair(t)
    await form.sendBytes(conn, Buffer.from('never read'))
    await peer.write(frame(Buffer.from('cut off')).subarray(0, 6))
    peer.close()
    for (let i = 0; i < 2; i++) await t.throwsAsync(form.recv(conn), truncated)
  })

  test(`${form.name}: poll and the iterators on a write-only end are refused`, async t => {
    const [, writer] = openOneWayPipe(t)
    const end = writer as Connection
    await t.throwsAsync(form.poll(end), notReadable)
    for (const iterate of [form.messages, form.bytes]) {
      const loop = async () => {
        for await (const _ of iterate(end)) t.fail()
      }
      await t.throwsAsync(loop, notReadable)
    }
  })

  test(`${form.name}: a send on a read-only end is refused`, async t => {
    const [reader, writer] = openOneWayPipe(t)
    const end = reader as Connection
    await t.throwsAsync(form.send(end, 1), notWritable)
    await t.throwsAsync(form.sendBytes(end, Buffer.of(1)), notWritable)
    t.is(end.bufferedAmount, 0)
    await writer.send('unharmed')
    t.is(await form.recv(reader), 'unharmed')
  })

  for (const name of ['msgpack', 'json', 'v8'] as const) {
    for (const [what, { value, by }] of Object.entries(refused)) {
      if (!by.includes(name)) continue
      test(`${form.name}: ${what} is refused by ${name}, and harms nothing`, async t => {
        const [a, b] = openPipe(t, { serializer: serializers[name] })
        const before = a.send('before')
        const error = await t.throwsAsync(form.send(a, value), notEncodable)
        t.is(error.bytes, undefined)
        keepsSecret(t, error)
        await before
        await form.send(a, 'after')
        t.is(await b.recv(), 'before')
        t.is(await b.recv(), 'after')
        t.false(await b.poll())
      })
    }

    test(`${form.name}: a message that ${name} cannot read is consumed alone, with its bytes in the error`, async t => {
      const [a, b] = openPipe(t, { serializer: serializers[name] })
      // 0xc1 is what msgpack never uses; none of the three reads it.
      const unreadable = Buffer.concat([Buffer.of(0xc1), Buffer.from(secret)])
      await a.sendBytes(unreadable)
      await a.send('after')
      const error = await t.throwsAsync(form.recv(b), notDecodable)
      t.deepEqual(error.bytes, unreadable)
      keepsSecret(t, error)
      t.is(await form.recv(b), 'after')
    })

    test(`${form.name}: an empty message is nothing that ${name} can read`, async t => {
      const [a, b] = openPipe(t, { serializer: serializers[name] })
      await a.sendBytes(Buffer.alloc(0))
      await a.send('after')
      const error = await t.throwsAsync(form.recv(b), notDecodable)
      t.is(error.bytes?.length, 0)
      t.is(await form.recv(b), 'after')
    })
  }

  test(`${form.name}: JSON that is none is quoted by no error`, async t => {
    const [a, b] = openPipe(t, { serializer: serializers.json })
    for (const text of [secret, `{"${secret}": ${secret}}`, `{"a": "${secret}`, `["${secret}",]`]) {
      await a.sendBytes(Buffer.from(text))
      keepsSecret(t, await t.throwsAsync(form.recv(b), notDecodable))
    }
  })

  test(`${form.name}: what a serializer of one's own throws is the cause`, async t => {
    const [a, b] = openPipe(t, { serializer: own })
    await form.send(a, 'before')
    t.is((await t.throwsAsync(form.send(a, 'unencodable'), notEncodable)).cause, failing)
    await a.sendBytes(Buffer.from('undecodable'))
    await form.send(a, 'after')
    t.is(await form.recv(b), 'before')
    const error = await t.throwsAsync(form.recv(b), notDecodable)
    t.is(error.cause, failing)
    t.is(error.bytes?.toString(), 'undecodable')
    t.is(await form.recv(b), 'after')
  })

  test(`${form.name}: a serializer that encodes to no bytes is an encoding that failed`, async t => {
    const encode = (value: unknown) => (value === 'fine' ? Buffer.from('fine') : 'text') as Uint8Array
    const [a, b] = openPipe(t, { serializer: { encode, decode: bytes => Buffer.from(bytes).toString() } })
    await t.throwsAsync(form.send(a, 'wrong'), notEncodable)
    await form.send(a, 'fine')
    t.is(await b.recv(), 'fine')
  })

  test(`${form.name}: the error about a message that is too long or a buffer that is too short does not quote it`, async t => {
    const [a, b] = openPipe(t)
    await a.sendBytes(Buffer.from(secret))
    keepsSecret(t, await t.throwsAsync(form.recvBytes(b, 5), tooLong))
    const error = await t.throwsAsync(form.recvBytesInto(b, Buffer.alloc(5)), tooShort)
    t.is(error.bytes.toString(), secret)
    keepsSecret(t, error)
  })

  test(`${form.name}: a message too long for the connection is not quoted either`, async t => {
    const [a, b] = openPipe(t, { maxMessageLength: 5 })
    await a.sendBytes(Buffer.from(secret))
    keepsSecret(t, await t.throwsAsync(form.recv(b), tooLong))
  })

  overTcp(`${form.name}: a reset on TCP at a message boundary is ECONNRESET, each time`, async t => {
    const { child, peer } = await startOverTcp(t, form.name)
    peer.write(frame(serializers.msgpack.encode('whole')))
    t.is(await child.report(), 'whole')
    peer.resetAndDestroy()
    for (let i = 0; i < 2; i++) t.is((await child.report<{ code: string }>()).code, 'ECONNRESET')
  })

  overTcp(`${form.name}: a reset on TCP inside a message is a truncated stream, each time`, async t => {
    const { child, peer } = await startOverTcp(t, form.name)
    const whole = frame(serializers.msgpack.encode('whole'))
    peer.write(Buffer.concat([whole, frame(Buffer.from('cut off')).subarray(0, 7)]))
    t.is(await child.report(), 'whole')
    peer.resetAndDestroy()
    for (let i = 0; i < 2; i++) t.is((await child.report<{ code: string }>()).code, 'ERR_CAROM_TRUNCATED')
  })

  overTcp(`${form.name}: the end of a TCP stream is the end of the stream`, async t => {
    const { child, peer } = await startOverTcp(t, form.name)
    peer.end(frame(serializers.msgpack.encode('whole')))
    t.is(await child.report(), 'whole')
    for (let i = 0; i < 2; i++) t.is((await child.report<{ code: string }>()).code, 'ERR_CAROM_EOF')
  })
}

test('the async forms never throw synchronously', async t => {
  const [conn] = openPipe(t)
  const [reader, writer] = openOneWayPipe(t) as [Connection, Connection]
  const [gone] = openPipe(t)
  gone.closeSync()
  const misuses: Promise<unknown>[] = []
  t.notThrows(() => {
    misuses.push(
      conn.send(() => {}),
      conn.sendBytes('text' as never),
      conn.sendBytes(Buffer.alloc(1), 2),
      conn.recv({ timeout: Number.NaN }),
      conn.recv(5 as never),
      conn.recvBytes(-1),
      conn.recvBytesInto(null as never),
      conn.poll('x' as never),
      conn.close({ timeout: Number.NaN }),
      reader.send(1),
      writer.recv(),
      writer.poll(),
      gone.send(1),
      gone.recv(),
      gone.poll(),
    )
  })
  for (const misuse of misuses) await t.throwsAsync<Error>(misuse)
})

/** A child process whose connection is one end of a TCP connection, and the other end of it. */
async function startOverTcp(t: ExecutionContext, form: string) {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  const [peer] = (await accepted) as [Socket]
  await once(socket, 'connect')
  t.teardown(() => peer.destroy())
  const child = startProgram(t, 'connection-receive.mjs', { socket, args: [form] })
  t.is(await child.report(), 'ready')
  return { child, peer }
}

/** What can become of a buffer while it is being sent, against the contract. */
const losses: Record<string, (buf: Buffer<ArrayBuffer>) => void> = {
  'is transferred away': ({ buffer }) => structuredClone(buffer, { transfer: [buffer] }),
  shrinks: ({ buffer }) => (buffer as unknown as { resize(length: number): void }).resize(1_000),
}

function resizable(size: number): Buffer<ArrayBuffer> {
  const options = { maxByteLength: size }
  // @ts-expect-error the second argument is newer than the types
  return Buffer.from(new ArrayBuffer(size, options))
}

for (const [how, lose] of Object.entries(losses)) {
  test(`a buffer that ${how} in mid-message fails its send and the later ones, and the peer sees no whole message`, async t => {
    const [a, b] = openPipe(t)
    const buf = resizable(4 * 2 ** 20)
    const sent = a.sendBytes(buf)
    const queued = a.sendBytes(Buffer.alloc(100_000))
    await b.poll(20)
    lose(buf)
    const received = b.recvBytes()
    await t.throwsAsync(sent, { code: 'EINVAL' })
    await t.throwsAsync(queued, { code: 'EINVAL' })
    await t.throwsAsync(a.send('later'), { code: 'EINVAL' })
    t.throws(() => a.sendSync('later'), { code: 'EINVAL' })
    t.is(a.bufferedAmount, 0)
    await a.close()
    await t.throwsAsync(received, truncated)
  })

  test(`a buffer that ${how} while its send is withdrawn in mid-message fails the later ones`, async t => {
    const [a, b] = openPipe(t)
    const buf = resizable(4 * 2 ** 20)
    const controller = new AbortController()
    const sent = a.sendBytes(buf, { signal: controller.signal })
    await b.poll(20)
    lose(buf)
    controller.abort(new Error('withdrawn'))
    await t.throwsAsync(sent, { message: 'withdrawn' })
    await t.throwsAsync(a.send('later'), { code: 'EINVAL' })
  })

  test(`a buffer that ${how} before any of it has left fails its send alone`, async t => {
    const [a, b] = openPipe(t)
    const first = a.sendBytes(Buffer.alloc(2 ** 20))
    const buf = resizable(2 ** 20)
    const second = a.sendBytes(buf)
    const third = a.sendBytes(Buffer.alloc(2 ** 20))
    lose(buf)
    const received = [b.recvBytes(), b.recvBytes()]
    await t.throwsAsync(second, { code: 'ERR_INVALID_ARG_VALUE' })
    await Promise.all([first, third])
    t.deepEqual(
      (await Promise.all(received)).map(bytes => bytes.length),
      [2 ** 20, 2 ** 20],
    )
  })
}
