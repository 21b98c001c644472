import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import {
  type BoundAddress,
  Client,
  type ClientOptions,
  type Connection,
  type HandshakeError,
  type Listener,
  type ListenerOptions,
  wait,
  waitSync,
} from 'carom'
import { closed, timedOut } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { anyPort, closing, everyPlace, listen, listeningForms, socketPath, startFar } from './helpers/listeners.mjs'
import { openPipe } from './helpers/pipes.mjs'
import { fixture, start } from './helpers/processes.mjs'
import { startProgram } from './helpers/programs.mjs'

const authkey = 'sehr geheimer Schlüssel'
const wrongKey = 'quite another secret'
const authentication = { name: 'AuthenticationError', code: 'ERR_CAROM_AUTH' }

interface Told {
  error: HandshakeError
  address: BoundAddress | undefined
}

/** A listener with a key that notes the peers that failed, and an accept that keeps it going. */
function listenTelling(
  t: ExecutionContext,
  address: ReturnType<(typeof everyPlace)[string]>,
  options: ListenerOptions = {},
): { listener: Listener; told: Told[]; next: () => Promise<Told> } {
  const told: Told[] = []
  let waiting: (() => void) | undefined
  const listener = listen(t, address, {
    authkey,
    onAuthenticationFailed: (error, address) => {
      told.push({ error, address })
      waiting?.()
    },
    ...options,
  })
  let seen = 0
  const next = async () => {
    while (told.length === seen) await new Promise<void>(resolve => (waiting = resolve))
    return told[seen++]!
  }
  return { listener, told, next }
}

/** Both are through and talk to each other. */
async function isThrough(t: ExecutionContext, listener: Listener, options: ClientOptions): Promise<void> {
  const [client, accepted] = await Promise.all([
    Client(listener.address, options),
    listener.accept({ timeout: 60_000 }),
  ])
  closing(t, client)
  closing(t, accepted)
  await client.send('hello')
  t.is(await accepted.recv(), 'hello')
  await accepted.send('hello yourself')
  t.is(await client.recv(), 'hello yourself')
}

/** No text of it has a key, in whatever way it is shown. */
function keepsSecrets(t: ExecutionContext, error: unknown): void {
  const shown = [inspect(error, { depth: 9, showHidden: true }), String(error), (error as Error).stack ?? '']
  for (const text of shown)
    for (const secret of [authkey, wrongKey])
      for (const form of [secret, Buffer.from(secret).toString('hex'), inspect(Buffer.from(secret)).slice(8, 40)])
        t.false(text.includes(form), text)
}

test('a key is bytes or a string, which is UTF-8', async t => {
  const bytes = Buffer.from(authkey, 'utf8')
  const part = new Uint8Array([1, 2, ...bytes, 3]).subarray(2, bytes.length + 2)
  for (const one of [authkey, bytes, part])
    for (const other of [authkey, new Uint8Array(bytes)])
      await isThrough(t, listen(t, socketPath(t), { authkey: one }), { authkey: other })
  const { listener, next } = listenTelling(t, socketPath(t))
  const accepting = t.throwsAsync(listener.accept(), closed)
  await t.throwsAsync(Client(listener.address, { authkey: Buffer.from(authkey, 'latin1') }), authentication)
  t.like((await next()).error, authentication)
  await listener.close()
  await accepting
})

test('keys of every length, and of bytes that are no text', async t => {
  for (const key of ['x', '\0', new Uint8Array([0]), Buffer.alloc(1, 0xff), Buffer.alloc(1_000_000, 7), ' '])
    await isThrough(t, listen(t, socketPath(t), { authkey: key }), { authkey: key })
})

test('what becomes of the bytes of a key after the call does not matter', async t => {
  const [one, other] = [Buffer.from(authkey), Buffer.from(authkey)]
  const listener = listen(t, socketPath(t), { authkey: one })
  one.fill(0)
  const connecting = Client(listener.address, { authkey: other })
  other.fill(1)
  const [client] = await Promise.all([connecting, listener.accept().then(conn => closing(t, conn))])
  closing(t, client)
  await isThrough(t, listener, { authkey })
})

for (const form of listeningForms) {
  for (const [name, place] of Object.entries(everyPlace)) {
    test(`${form.name}: ${name}: a wrong key is an error on the client, and the listener tells of it and goes on`, async t => {
      const far = await startFar(t)
      const { listener, next } = listenTelling(t, place(t))
      const accepting = listener.accept()
      for (let i = 0; i < 2; i++) {
        const error = await t.throwsAsync(far.connect(listener.address, { authkey: wrongKey }, form.name))
        t.like(error, { name: 'AuthenticationError', code: 'ERR_CAROM_AUTH' })
        const told = await next()
        t.like(told.error, authentication)
        keepsSecrets(t, error)
        keepsSecrets(t, told.error)
        if (typeof listener.address === 'string') t.is(told.address, undefined)
        else {
          t.is((told.address as { host: string }).host, listener.address.host)
          t.true((told.address as { port: number }).port > 0)
        }
      }
      t.is(listener.lastAccepted, undefined)
      const connecting = far.connect(listener.address, { authkey }, form.name)
      const accepted = closing(t, await accepting)
      await connecting
      const sending = far.send('the right one')
      t.is(await accepted.recv(), 'the right one')
      await sending
    })
  }

  test(`${form.name}: a blocking or async accept gives authenticated peers only, and tells of the others`, async t => {
    const far = await startFar(t)
    const { listener, told } = listenTelling(t, socketPath(t))
    const failing = [t.throwsAsync(far.connect(listener.address, { authkey: wrongKey }))]
    failing.push(t.throwsAsync(far.connect(listener.address, { authkey: wrongKey }, 'blocking')))
    const connecting = far.connect(listener.address, { authkey })
    const accepted = closing(t, await form.accept(listener))
    await Promise.all(failing)
    await connecting
    t.is(told.length, 2)
    for (const { error } of told) t.like(error, authentication)
    const sending = far.send('right')
    t.is((await form.name) === 'async' ? await accepted.recv() : accepted.recvSync(), 'right')
    await sending
  })

  test(`${form.name}: a client with a key and a listener without: the time limit, and the listener sees it go`, async t => {
    const listener = listen(t, socketPath(t))
    for (const limits of [{ handshakeTimeout: 30 }, { timeout: 30 }]) {
      const error = await t.throwsAsync(form.connect(listener.address, { authkey, ...limits }), timedOut)
      keepsSecrets(t, error)
      const accepted = closing(t, await form.accept(listener))
      await t.throwsAsync(accepted.recv(), { code: 'ERR_CAROM_EOF' })
    }
  })

  test(`${form.name}: legacyAuth on both sides, and on one`, async t => {
    const far = await startFar(t)
    for (const [ours, theirs] of [
      [true, true],
      [true, false],
      [false, true],
    ]) {
      const { listener, told } = listenTelling(t, socketPath(t), { legacyAuth: ours })
      const connecting = far.connect(listener.address, { authkey, legacyAuth: theirs }, form.name)
      const accepted = closing(t, await form.accept(listener))
      await connecting
      t.true(accepted.readable)
      if (form.name === 'async') {
        const accepting = t.throwsAsync(listener.accept(), closed)
        await t.throwsAsync(far.connect(listener.address, { authkey: wrongKey, legacyAuth: theirs }, form.name), {
          code: 'ERR_CAROM_AUTH',
        })
        await listener.close()
        await accepting
        t.is(told.length, 1)
      }
    }
  })
}

test('a client with a key and a listener without that says something: an authentication error', async t => {
  const listener = listen(t, socketPath(t))
  const accepting = listener.accept().then(accepted => closing(t, accepted).send('welcome'))
  const error = await t.throwsAsync(Client(listener.address, { authkey }), authentication)
  t.regex(error?.message ?? '', /listener.*no authkey/)
  t.false(error?.message.includes('welcome'))
  await accepting
})

for (const form of forms) {
  for (const [name, receive] of Object.entries<(conn: Connection) => Promise<unknown>>({
    recv: conn => form.recv(conn),
    recvBytes: conn => form.recvBytes(conn),
    'recvBytes with a limit': conn => form.recvBytes(conn, 4),
    recvBytesInto: conn => form.recvBytesInto(conn, Buffer.alloc(1_000)),
    'recvBytesInto of too little': conn => form.recvBytesInto(conn, Buffer.alloc(4)),
    messages: async conn => {
      for await (const _ of form.messages(conn)) return
    },
    bytes: async conn => {
      for await (const _ of form.bytes(conn)) return
    },
  })) {
    test(`${form.name}: a client without a key learns from its first receive that it needs one: ${name}`, async t => {
      const far = await startFar(t)
      const address = await far.listen(name.length % 2 ? socketPath(t) : anyPort, { authkey })
      const accepting = far.accept()
      const client = closing(t, await Client(address))
      const error = await t.throwsAsync(receive(client), authentication)
      t.regex(error?.message ?? '', /key/)
      t.false(error?.message.includes('CHALLENGE'))
      // Nor is it there as a message after that.
      await t.throwsAsync(form.recv(client, { timeout: 100 }))
      client.closeSync()
      const good = closing(t, await Client(address, { authkey }))
      good.closeSync()
      await accepting
      const [refusal] = await far.refusals()
      t.is(refusal?.code, 'ERR_CAROM_EOF')
    })
  }
}

test('a client without a key: poll and wait say ready, and the receive says why', async t => {
  const far = await startFar(t)
  const address = await far.listen(socketPath(t), { authkey })
  const accepting = far.accept()
  for (const ready of [
    async (conn: Connection) => t.true(await conn.poll(60_000)),
    async (conn: Connection) => t.true(conn.pollSync(60_000)),
    async (conn: Connection) => t.deepEqual(await wait([conn], 60_000), [conn]),
    async (conn: Connection) => t.deepEqual(waitSync([conn], 60_000), [conn]),
  ]) {
    const client = closing(t, await Client(address))
    await ready(client)
    await t.throwsAsync(client.recv(), authentication)
    client.closeSync()
  }
  closing(t, await Client(address, { authkey })).closeSync()
  await accepting
})

test('a client without a key may send first: the listener says nonsense', async t => {
  const { listener, next } = listenTelling(t, socketPath(t))
  const accepting = t.throwsAsync(listener.accept(), closed)
  const client = closing(t, await Client(listener.address))
  await client.send('an eager message')
  const { error } = await next()
  t.like(error, authentication)
  t.false(inspect(error).includes('eager'))
  await listener.close()
  await accepting
})

test('a message that merely begins like a challenge is a message', async t => {
  for (const form of listeningForms)
    for (const first of [
      '#CHALLENGE# accepted!',
      '#CHALLENGE#',
      '#CHALLENGE#{sha256',
      `#CHALLENGE#${'x'.repeat(300)}`,
    ]) {
      const listener = listen(t, socketPath(t))
      const client = closing(t, await form.connect(listener.address))
      const accepted = closing(t, await form.accept(listener))
      const real = `#CHALLENGE#{sha256}${'r'.repeat(40)}`
      await accepted.sendBytes(Buffer.from(first))
      // Only the first one could be the listener's.
      await accepted.sendBytes(Buffer.from(real))
      t.is((await client.recvBytes()).toString(), first)
      t.is((await client.recvBytes()).toString(), real)
      await client.sendBytes(Buffer.from(real))
      t.is((await accepted.recvBytes()).toString(), real)
    }
})

test('behind the handshake, what looks like a challenge is a message', async t => {
  const listener = listen(t, socketPath(t), { authkey })
  const [client, accepted] = await Promise.all([Client(listener.address, { authkey }), listener.accept()])
  closing(t, client)
  closing(t, accepted)
  const real = `#CHALLENGE#{sha256}${'r'.repeat(40)}`
  await accepted.sendBytes(Buffer.from(real))
  t.is((await client.recvBytes()).toString(), real)
  await client.sendBytes(Buffer.from(real))
  t.is((await accepted.recvBytes()).toString(), real)
})

test('handshakeTimeout of a listener: one that is silent is dropped, and others get through', async t => {
  const { listener, next } = listenTelling(t, socketPath(t), { handshakeTimeout: 200 })
  const silent = closing(t, await Client(listener.address))
  const accepting = listener.accept()
  const { error } = await next()
  t.like(error, { name: 'TimeoutError', code: 'ERR_CAROM_TIMEOUT' })
  t.true(await silent.poll(60_000))
  // On a machine that is busy, a good one may be too late, too.
  for (;;) {
    const client = await Client(listener.address, { authkey }).catch(() => undefined)
    if (client === undefined) continue
    closing(t, client)
    break
  }
  closing(t, await accepting)
})

test('the handshake does not depend on how long messages may be', async t => {
  const far = await startFar(t)
  const limits = { authkey, maxMessageLength: 5, highWaterMark: 0 }
  for (const form of listeningForms) {
    const listener = listen(t, socketPath(t), limits)
    const connecting = far.connect(listener.address, limits, form.name)
    const [accepted] = await Promise.all([form.accept(listener, { timeout: 10_000 }), connecting])
    closing(t, accepted)
    const sending = far.send(1)
    t.is(await accepted.recv(), 1)
    await sending
    const more = far.send('more than five')
    await t.throwsAsync(accepted.recv(), { code: 'ERR_CAROM_MESSAGE_TOO_LONG' })
    await more
  }
})

test('a peer that hangs up is an EOFError', async t => {
  const { listener, next } = listenTelling(t, anyPort)
  const accepting = t.throwsAsync(listener.accept(), closed)
  const client = await Client(listener.address)
  await client.poll(60_000)
  await t.throwsAsync(client.recv(), authentication)
  const port = (client as unknown as { remoteAddress: { port: number } }).remoteAddress.port
  await client.close()
  const { error, address } = await next()
  t.like(error, { name: 'EOFError', code: 'ERR_CAROM_EOF' })
  t.is((address as { host: string }).host, '127.0.0.1')
  t.not((address as { port: number }).port, port)
  await listener.close()
  await accepting
})

test('maxPending: the oldest makes room for a newcomer', async t => {
  const { listener, told, next } = listenTelling(t, socketPath(t), { maxPending: 2 })
  const accepting = listener.accept()
  const silent: Connection[] = []
  for (let i = 0; i < 3; i++) {
    silent.push(closing(t, await Client(listener.address)))
    await silent[i]!.poll(60_000)
  }
  t.like((await next()).error, { name: 'TimeoutError', code: 'ERR_CAROM_TIMEOUT' })
  const connecting = Client(listener.address, { authkey })
  closing(t, await accepting)
  closing(t, await connecting)
  t.is(told.length, 2)
  await t.throwsAsync(silent[0]!.recv(), authentication)
})

test('without the callback the first failure is a process warning, and one only', async t => {
  const events = await startProgram(t, 'listener-callback.mjs', { args: ['missing'], stderr: 'ignore' }).report<
    string[]
  >()
  const warnings = events.filter(event => event.startsWith('warning: true '))
  t.is(warnings.length, 1, events.join())
  t.false(/right|wrong/.test(warnings[0]!), warnings[0])
  t.is(events.filter(event => event === 'ERR_CAROM_AUTH').length, 3)
  t.true(events.includes('after that'))
})

test('a callback that throws is an uncaught exception, and accepting goes on', async t => {
  const events = await startProgram(t, 'listener-callback.mjs', { args: ['throws'] }).report<string[]>()
  t.is(events.filter(event => event === 'uncaught: thrown by the callback').length, 3, events.join())
  t.is(events.filter(event => event === 'ERR_CAROM_AUTH').length, 3)
  t.true(events.includes('after that'))
  t.false(events.some(event => event.startsWith('warning')))
})

for (const name of ['connectAndSend', 'connectAndSendSync'])
  test(`clients in other processes: ${name}`, async t => {
    const listener = listen(t, name.endsWith('Sync') ? anyPort : undefined, { authkey })
    const children = [1, 2].map(i =>
      start(t, {
        module: fixture('listener-processes.mjs'),
        target: name,
        args: [listener.address, { authkey }, i],
        execArgv: [],
      }),
    )
    const received: unknown[] = []
    for await (const accepted of listener) {
      received.push(await accepted.recv())
      await accepted.send('thanks')
      if (received.length === children.length) break
    }
    t.deepEqual(received.sort(), [1, 2])
    for (const child of children) t.is(await child.join(), 0)
  })

for (const name of ['listenAndEcho', 'listenAndEchoSync'])
  test(`a listener in another process: ${name}`, async t => {
    for (const form of listeningForms) {
      const [ours, theirs] = openPipe<BoundAddress>(t)
      const child = start(t, {
        module: fixture('listener-processes.mjs'),
        target: name,
        args: [theirs, { authkey, family: 'AF_INET' }],
        execArgv: [],
      })
      const address = await ours.recv()
      const client = closing(t, await form.connect(address, { authkey }))
      client.sendSync(['echo'])
      t.deepEqual(client.recvSync(), ['echo'])
      await client.close()
      t.is(await child.join(), 0)
    }
  })
