import { type ChannelListener, channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { Client, ClientSync, Connection, Listener, Pipe, Process, type ReadableConnection, wait } from 'carom'
import { localFamily, socketPath } from './helpers/listeners.mjs'
import { startProgram, startWorker } from './helpers/programs.mjs'

const names = [
  'carom:connection:open',
  'carom:connection:close',
  'carom:listener:listen',
  'carom:listener:accept',
  'carom:listener:authentication-failed',
  'carom:listener:close',
  'carom:process:start',
  'carom:process:exit',
] as const
const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

const module = new URL('fixtures/process-targets.mjs', import.meta.url)
const authkey = 'a key that nobody is told of'

interface Seen {
  /** `carom:` left out. */
  name: string
  message: Record<string, unknown>
}

/** All that is published from now on until the test is done. */
function record(t: ExecutionContext): Seen[] {
  const seen: Seen[] = []
  const channels = [...names, ...events.map(event => `tracing:carom:client:connect:${event}`)]
  for (const name of channels) {
    const listener: ChannelListener = message => {
      // A tracing message is the same object each time: what it has by now.
      seen.push({ name: name.replace('carom:', ''), message: { ...(message as object) } })
    }
    subscribe(name, listener)
    t.teardown(() => unsubscribe(name, listener))
  }
  return seen
}

const named = (seen: Seen[]) => seen.map(({ name }) => name)

// One after the other, as all of them are told of what any of them does.

test.serial('a pipe: its ends are opened, and closed once each', async t => {
  const seen = record(t)
  const [a, b] = Pipe()
  t.deepEqual(seen, [
    { name: 'connection:open', message: { connection: a } },
    { name: 'connection:open', message: { connection: b } },
  ])
  seen.length = 0
  for (let i = 0; i < 10; i++) {
    await a.send(i)
    a.sendSync(i)
    await wait([b])
    await b.recv()
    b.recvSync()
  }
  t.deepEqual(seen, [])
  await a.close()
  await a.close()
  a.closeSync()
  a[Symbol.dispose]()
  b.closeSync()
  b.closeSync()
  await b.close()
  t.deepEqual(seen, [
    { name: 'connection:close', message: { connection: a } },
    { name: 'connection:close', message: { connection: b } },
  ])
})

test.serial('a one-way pipe', async t => {
  const seen = record(t)
  const [reader, writer] = Pipe({ duplex: false })
  reader.closeSync()
  writer.closeSync()
  t.deepEqual(named(seen), ['connection:open', 'connection:open', 'connection:close', 'connection:close'])
})

test.serial('a connection that is still sending when it is closed is closed once', async t => {
  const seen = record(t)
  const ways: ((conn: Connection) => unknown)[] = [
    conn => conn.closeSync({ timeout: 0 }),
    conn => conn.close({ timeout: 0 }),
    conn => [conn.close(), conn.closeSync({ timeout: 0 })],
    conn => [conn.close(), conn[Symbol.dispose](), conn.close({ timeout: 1 })],
  ]
  for (const way of ways) {
    const [a, b] = Pipe()
    const sent = a.sendBytes(Buffer.alloc(2 ** 22)).catch(() => {})
    const closing = a.close().catch(() => {})
    try {
      const results = way(a)
      await Promise.allSettled([results].flat())
    } catch {
      // Not all was sent.
    }
    b.closeSync()
    await Promise.all([sent, closing])
    t.deepEqual(named(seen), ['connection:open', 'connection:open', 'connection:close', 'connection:close'])
    seen.length = 0
  }
})

test.serial('detach() closes, Connection.from opens', async t => {
  const [a, b] = Pipe()
  const seen = record(t)
  const detached = b.detach()
  t.deepEqual(seen, [{ name: 'connection:close', message: { connection: b } }])
  const conn = Connection.from(detached)
  t.deepEqual(seen.slice(1), [{ name: 'connection:open', message: { connection: conn } }])
  t.throws(() => Connection.from(detached))
  t.throws(() => Connection.from(-1))
  t.is(seen.length, 2)
  conn.closeSync()
  a.closeSync()
})

test.serial('the end of the stream is no close', async t => {
  const [a, b] = Pipe()
  const seen = record(t)
  a.closeSync()
  await t.throwsAsync(b.recv(), { code: 'ERR_CAROM_EOF' })
  t.deepEqual(seen, [{ name: 'connection:close', message: { connection: a } }])
  b.closeSync()
})

for (const form of ['async', 'blocking'] as const) {
  test.serial(`${form}: a listener and a client`, async t => {
    const seen = record(t)
    const listener = new Listener()
    t.deepEqual(seen, [{ name: 'listener:listen', message: { listener } }])
    seen.length = 0
    const context = { address: listener.address, family: listener.family }
    const connected = form === 'async' ? Client(listener.address) : ClientSync(listener.address)
    const client = await connected
    const tracing = seen.splice(0)
    const opened = tracing.findIndex(({ name }) => name === 'connection:open')
    t.deepEqual(tracing.splice(opened, 1), [{ name: 'connection:open', message: { connection: client } }])
    const expected: Seen[] = [
      { name: 'tracing:client:connect:start', message: context },
      { name: 'tracing:client:connect:end', message: form === 'async' ? context : { ...context, result: client } },
    ]
    if (form === 'async') {
      for (const event of ['asyncStart', 'asyncEnd'])
        expected.push({ name: `tracing:client:connect:${event}`, message: { ...context, result: client } })
    }
    t.deepEqual(tracing, expected)

    const conn = form === 'async' ? await listener.accept() : listener.acceptSync()
    t.deepEqual(seen, [
      { name: 'connection:open', message: { connection: conn } },
      { name: 'listener:accept', message: { listener, connection: conn } },
    ])
    seen.length = 0
    await client.send(1)
    t.is(await conn.recv(), 1)
    t.deepEqual(seen, [])
    conn.closeSync()
    client.closeSync()
    for (let i = 0; i < 3; i++) listener.closeSync()
    await listener.close()
    listener[Symbol.dispose]()
    t.deepEqual(seen, [
      { name: 'connection:close', message: { connection: conn } },
      { name: 'connection:close', message: { connection: client } },
      { name: 'listener:close', message: { listener } },
    ])
  })

  test.serial(`${form}: a client that cannot connect`, async t => {
    const seen = record(t)
    const address = socketPath(t)
    const attempt = async () => (form === 'async' ? Client(address) : ClientSync(address))
    const error = await t.throwsAsync(attempt(), { code: 'ENOENT' })
    const context = { address, family: localFamily }
    const failed = { ...context, error }
    const tracing = (event: string, message: object) => ({ name: `tracing:client:connect:${event}`, message })
    t.deepEqual(
      seen,
      form === 'async'
        ? [
            tracing('start', context),
            tracing('end', context),
            tracing('error', failed),
            tracing('asyncStart', failed),
            tracing('asyncEnd', failed),
          ]
        : [tracing('start', context), tracing('error', failed), tracing('end', failed)],
    )
  })

  test.serial(`${form}: a call that is refused for its arguments is not traced`, async t => {
    const seen = record(t)
    const attempt = async (...args: unknown[]) =>
      form === 'async' ? Client(...(args as [string])) : ClientSync(...(args as [string]))
    await t.throwsAsync(attempt(7))
    await t.throwsAsync(attempt('/nowhere', { timeout: Number.NaN }))
    await t.throwsAsync(attempt('/nowhere', { authkey: '' }))
    t.deepEqual(seen, [])
  })
}

test.serial('TCP addresses, and one that the listener does not bind', async t => {
  const seen = record(t)
  const listener = new Listener({ family: 'AF_INET' })
  const { port } = listener.address as { port: number }
  const client = await Client(['127.0.0.1', port])
  const { message } = seen.find(({ name }) => name === 'tracing:client:connect:start') as Seen
  t.deepEqual(message, { address: { host: '127.0.0.1', port }, family: 'AF_INET' })
  seen.length = 0
  t.throws(() => new Listener(['127.0.0.1', port]), { code: 'EADDRINUSE' })
  t.deepEqual(seen, [])
  client.closeSync()
  listener.closeSync()
})

test.serial('a wrong key: told once, and nowhere is a key', async t => {
  const told: unknown[] = []
  const seen = record(t)
  const listener = new Listener({ authkey, onAuthenticationFailed: (...args) => told.push(...args) })
  const accepting = listener.accept()
  const wrong = 'another key that nobody is told of'
  await t.throwsAsync(Client(listener.address, { authkey: wrong }), { code: 'ERR_CAROM_AUTH' })
  const client = await Client(listener.address, { authkey })
  const conn = await accepting
  const failures = seen.filter(({ name }) => name === 'listener:authentication-failed')
  t.is(failures.length, 1)
  const { message } = failures[0]
  t.deepEqual(Object.keys(message).toSorted(), ['address', 'error', 'listener'])
  t.is(message.listener, listener)
  t.is(message.error, told[0])
  t.is(message.address, told[1])
  t.is((message.error as NodeJS.ErrnoException).code, 'ERR_CAROM_AUTH')
  t.is(named(seen).filter(name => name === 'listener:accept').length, 1)
  // The peer that was refused was no connection.
  t.is(named(seen).filter(name => name === 'connection:open').length, 2)
  const text = inspect(seen, { depth: 12, showHidden: true, getters: true })
  for (const secret of [authkey, wrong]) {
    t.false(text.includes(secret))
    t.false(text.includes(Buffer.from(secret).toString('hex')))
    t.false(text.includes(inspect(Buffer.from(secret)).slice(8, 40)))
  }
  for (const conn of [client]) conn.closeSync()
  conn.closeSync()
  listener.closeSync()
})

test.serial('a peer that hangs up in its handshake', async t => {
  const seen = record(t)
  const listener = new Listener({ authkey, onAuthenticationFailed: () => {} })
  const waiting = wait([listener], 60_000)
  const aborter = new AbortController()
  const client = Client(listener.address, { authkey: 'x', signal: aborter.signal })
  await client.catch(() => {})
  const failures = () => seen.filter(({ name }) => name === 'listener:authentication-failed')
  while (failures().length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  listener.closeSync()
  t.deepEqual(await waiting, [listener])
  t.is(failures().length, 1)
  t.deepEqual(
    named(seen).filter(name => name.startsWith('connection')),
    [],
  )
})

test.serial('a process: its start and its end, and the connections that move, but none of its own', async t => {
  const [a, b] = Pipe()
  const seen = record(t)
  const child = new Process({ module, target: 'exitWith', args: [3], execArgv: [] })
  t.deepEqual(seen, [])
  child.start()
  t.deepEqual(seen, [{ name: 'process:start', message: { process: child } }])
  t.is(await child.join(), 3)
  await child.join()
  child.joinSync()
  child.kill()
  t.deepEqual(seen.slice(1), [{ name: 'process:exit', message: { process: child } }])
  seen.length = 0

  const daemon = new Process({ module, target: 'echo', args: [b], execArgv: [], daemon: true }).start()
  t.deepEqual(seen, [
    { name: 'connection:close', message: { connection: b } },
    { name: 'process:start', message: { process: daemon } },
  ])
  a.closeSync()
  t.is(daemon.joinSync(), 0)
  t.deepEqual(named(seen.slice(2)), ['connection:close', 'process:exit'])
  t.deepEqual(seen.at(-1)?.message, { process: daemon })
  await daemon.join()
  await new Promise(resolve => setTimeout(resolve, 20))
  t.is(seen.length, 4)
})

test.serial('a process that is waited for is told of once', async t => {
  const seen = record(t)
  const child = new Process({ module, target: 'nothing', execArgv: [] }).start()
  t.deepEqual(await wait([child]), [child])
  await child.join()
  await new Promise(resolve => setTimeout(resolve, 20))
  t.deepEqual(named(seen), ['process:start', 'process:exit'])
})

test.serial('a process that cannot start is not told of', t => {
  const seen = record(t)
  const child = new Process({ module, target: 'nothing', cwd: '/there is no such directory' })
  t.throws(() => child.start(), { code: 'ENOENT' })
  t.throws(() => new Process({ module, target: 'printLength', args: [() => {}] }).start(), { any: true })
  t.deepEqual(seen, [])
})

test.serial('subscribers come and go; one event of the tracing is enough', async t => {
  const listener = new Listener()
  let ended = 0
  const tracing = tracingChannel('carom:client:connect')
  const subscribers = { asyncEnd: () => ended++ }
  const none = () => {}
  const all = { start: none, end: none, asyncStart: none, asyncEnd: none, error: none }
  tracing.subscribe({ ...all, ...subscribers })
  const clients = [await Client(listener.address)]
  t.is(ended, 1)
  tracing.unsubscribe({ ...all, ...subscribers })
  clients.push(await Client(listener.address))
  t.is(ended, 1)
  const { asyncEnd } = subscribers
  subscribe('tracing:carom:client:connect:asyncEnd', asyncEnd)
  clients.push(await Client(listener.address))
  t.is(ended, 2)
  unsubscribe('tracing:carom:client:connect:asyncEnd', asyncEnd)
  for (const client of clients) client.closeSync()
  listener.closeSync()
  for (const name of names) t.false(channel(name).hasSubscribers, name)
})

test.serial('a subscriber may use what it is told of', async t => {
  const closeIt: ChannelListener = message => {
    void (message as { connection: ReadableConnection }).connection.close()
  }
  subscribe('carom:connection:open', closeIt)
  const [a, b] = Pipe()
  unsubscribe('carom:connection:open', closeIt)
  t.deepEqual([a.closed, b.closed], [true, true])

  const closed: boolean[] = []
  const look: ChannelListener = message => {
    const { connection } = message as { connection: ReadableConnection }
    closed.push(connection.closed)
    connection.closeSync()
  }
  subscribe('carom:connection:close', look)
  const [c, d] = Pipe()
  await c.close()
  d.closeSync()
  unsubscribe('carom:connection:close', look)
  t.deepEqual(closed, [true, true])
})

test.serial('subscribers that throw harm nothing', async t => {
  const program = startProgram(t, 'wait-diagnostics-throwing.mjs')
  t.deepEqual(await program.report(), {
    received: [1, 2, 3],
    refused: 'ERR_CAROM_AUTH',
    next: 'ERR_CAROM_CLOSED',
    exitCode: 4,
    thrown: true,
  })
  t.is(await program.exit, 0)
})

test.serial('in a worker thread only what happens there is told', async t => {
  const seen = record(t)
  const [conn, end] = Pipe()
  await startWorker(t, 'connection-later.mjs', { end, after: 0, messages: ['one'] })
  t.is(await conn.recv(), 'one')
  t.deepEqual(named(seen), ['connection:open', 'connection:open', 'connection:close'])
  conn.closeSync()
})
