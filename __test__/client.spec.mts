import { inspect } from 'node:util'
import test from 'ava'
import { Client, type ClientOptions, ClientSync, type Connection, Listener } from 'carom'
import { outOfRange, timedOut, wrongType, wrongValue } from './helpers/expectations.mjs'
import {
  anyPort,
  closing,
  everyPlace,
  foreignFamily,
  listen,
  listeningForms,
  localPlaces,
  socketPath,
  startFar,
} from './helpers/listeners.mjs'
import { patterned } from './helpers/pipes.mjs'

const badOptions: Record<keyof ClientOptions, [values: unknown[], expected: typeof outOfRange | typeof wrongType][]> = {
  family: [
    [['AF_BLUETOOTH', 'af_unix', '', 'AF_INET', 'AF_INET6', foreignFamily], wrongValue],
    [[null, 2, {}], wrongType],
  ],
  authkey: [
    [['', new Uint8Array(0)], wrongValue],
    [[null, 5, true, {}, [], new ArrayBuffer(4)], wrongType],
  ],
  legacyAuth: [[[null, 0, 1, 'yes', {}], wrongType]],
  handshakeTimeout: [
    [[Number.NaN], outOfRange],
    [['5', {}], wrongType],
  ],
  retryFor: [
    [[Number.NaN], outOfRange],
    [['5', null, {}, true], wrongType],
  ],
  timeout: [
    [[Number.NaN], outOfRange],
    [['5', null, {}, true], wrongType],
  ],
  signal: [[[null, 5, {}, new AbortController()], wrongType]],
  serializer: [[[null, 5, {}, 'json'], wrongType]],
  maxMessageLength: [
    [[-1, 1.5, Number.NaN], outOfRange],
    [['5', {}], wrongType],
  ],
  highWaterMark: [
    [[-1, 1.5, Number.NaN], outOfRange],
    [['5', {}], wrongType],
  ],
}

for (const form of listeningForms) {
  test(`${form.name}: wrong options are refused before anything is connected`, async t => {
    const listener = listen(t, socketPath(t))
    for (const [name, rows] of Object.entries(badOptions))
      for (const [values, expected] of rows)
        for (const value of values) {
          if (name === 'signal' && form.name === 'blocking') continue
          const error = await t.throwsAsync(
            form.connect(listener.address, { [name]: value } as ClientOptions),
            expected,
            `${name}: ${inspect(value)}`,
          )
          t.true(error?.message.includes(name), error?.message)
        }
    for (const options of [null, 5, 'x', true]) {
      await t.throwsAsync(form.connect(listener.address, options as never), wrongType)
      await t.throwsAsync(form.connect('/no such/path', options as never), wrongType)
    }
    // Nobody has connected.
    t.throws(() => listener.acceptSync({ timeout: 0 }), timedOut)
  })

  test(`${form.name}: without a limit, with one that is long enough, with one of 0 where nothing is to wait for`, async t => {
    for (const place of localPlaces) {
      const listener = listen(t, place(t))
      for (const timeout of [undefined, Number.POSITIVE_INFINITY, 2 ** 33, 60_000, 0, -1]) {
        const client = closing(t, await form.connect(listener.address, { timeout }))
        const accepted = closing(t, await form.accept(listener))
        await client.send({ timeout })
        t.deepEqual(await accepted.recv(), { timeout })
      }
    }
  })

  test(`${form.name}: a connection like any other`, async t => {
    for (const place of Object.values(everyPlace)) {
      const listener = listen(t, place(t))
      const client = closing(t, await form.connect(listener.address))
      const accepted = closing(t, await form.accept(listener))
      for (const [a, b] of [
        [client, accepted],
        [accepted, client],
      ] as [Connection, Connection][]) {
        t.true(a.readable && a.writable && !a.closed && a.fd >= 0)
        const bytes = patterned(300_000)
        const sent = a.sendBytes(bytes)
        t.true((await b.recvBytes()).equals(bytes))
        await sent
        a.sendSync(['blocking'])
        t.deepEqual(b.recvSync(), ['blocking'])
      }
      await client.close()
      await t.throwsAsync(accepted.recv(), { code: 'ERR_CAROM_EOF' })
    }
  })
}

test('new Client() and new ClientSync() show the call without new', t => {
  const listener = listen(t)
  for (const [make, call] of [
    [Client, /await Client\(/],
    [ClientSync, /[^w] ClientSync\(/],
  ] as const) {
    const Made = make as unknown as new (address: unknown) => unknown
    t.throws(() => new Made(listener.address), { instanceOf: TypeError, message: call })
    t.throws(() => new Made(listener.address), { message: /without new/ })
  }
  t.throws(() => listener.acceptSync({ timeout: 0 }), timedOut)
})

test('Client never throws synchronously', async t => {
  for (const args of [[], [null], [5], ['x', null], ['x', { timeout: Number.NaN }], ['x', { authkey: '' }], ['\0']]) {
    let promise: Promise<unknown> | undefined
    t.notThrows(() => {
      promise = (Client as (...args: unknown[]) => Promise<unknown>)(...args)
    })
    t.true(promise instanceof Promise)
    await t.throwsAsync(promise!, { any: true })
  }
})

test('a signal that is aborted connects nobody, and the reason is as it is', async t => {
  const listener = listen(t, anyPort)
  for (const reason of [new Error('no'), 'a string', 0]) {
    const error = await Client(listener.address, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)
    t.is(error, reason)
  }
  t.throws(() => listener.acceptSync({ timeout: 0 }), timedOut)
})

test('a signal that aborts afterwards changes nothing', async t => {
  const listener = listen(t, socketPath(t))
  const aborter = new AbortController()
  const client = closing(t, await Client(listener.address, { signal: aborter.signal, timeout: 50 }))
  const accepted = closing(t, await listener.accept({ signal: aborter.signal, timeout: 50 }))
  aborter.abort()
  await new Promise(resolve => setTimeout(resolve, 60))
  await client.send('on')
  t.is(await accepted.recv(), 'on')
})

test('a wrong value of an option of the other side is no business of a client', async t => {
  const listener = listen(t)
  closing(t, await Client(listener.address, { backlog: 'x', mode: -1 } as never))
  t.pass()
})

test('connecting in one thread, listening in another, a third one in between', async t => {
  const [one, two] = await Promise.all([startFar(t), startFar(t)])
  for (const place of [socketPath(t), anyPort]) {
    const options = { authkey: 'threads' }
    const address = await one.listen(place, options)
    const accepting = one.accept('blocking')
    t.deepEqual(await two.connect(address, options, 'blocking'), address)
    await two.send({ from: 'two' })
    t.deepEqual(await two.receive(), { from: 'two' })
    await two.close()
    await accepting
    await one.close()
  }
})

test('a listener dropped without close leaves its clients the end of the stream at the latest at exit', t => {
  // Only that nothing is thrown by dropping one: when the collector comes is its own business.
  void new Listener()
  t.pass()
})
