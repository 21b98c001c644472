import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import test from 'ava'
import { Client, ClientSync, Listener, type ListenerOptions } from 'carom'
import { openDescriptors } from './helpers/descriptors.mjs'
import { closed, outOfRange, wrongType, wrongValue } from './helpers/expectations.mjs'
import {
  abstractName,
  anyPort,
  closing,
  connectedTo,
  everyPlace,
  foreignFamily,
  isThere,
  listen,
  listeningForms,
  localFamily,
  localPlaces,
  socketPath,
  temporaryDirectory,
} from './helpers/listeners.mjs'
import { onLinux, onWindows, testIf, testOnUnix } from './helpers/platform.mjs'

/** Of every option what it must not be; `undefined` is as if it were not given. */
const badOptions: Record<keyof ListenerOptions, [values: unknown[], expected: typeof outOfRange | typeof wrongType][]> =
  {
    family: [
      [['AF_BLUETOOTH', 'af_unix', '', foreignFamily], wrongValue],
      [[null, 2, {}], wrongType],
    ],
    backlog: [
      [[-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40], outOfRange],
      [['5', null, {}, true, 5n], wrongType],
    ],
    authkey: [
      [['', new Uint8Array(0), Buffer.alloc(0)], wrongValue],
      [[null, 5, true, {}, [], ['k'], new ArrayBuffer(4), Symbol('key')], wrongType],
    ],
    legacyAuth: [[[null, 0, 1, 'yes', {}], wrongType]],
    handshakeTimeout: [
      [[Number.NaN], outOfRange],
      [['5', {}, true], wrongType],
    ],
    maxPending: [
      [[0, -1, 1.5, Number.NaN], outOfRange],
      [['5', null, {}], wrongType],
    ],
    mode: [
      [[-1, 1.5, Number.NaN, 0o200000], outOfRange],
      [['600', null, {}], wrongType],
    ],
    replaceStale: [[[null, 0, 1, 'yes'], wrongType]],
    onAuthenticationFailed: [[[null, 5, 'log', {}], wrongType]],
    serializer: [[[null, 5, 'msgpack', {}, { encode: () => Buffer.alloc(0) }], wrongType]],
    maxMessageLength: [
      [[-1, 1.5, Number.NaN], outOfRange],
      [['5', {}], wrongType],
    ],
    highWaterMark: [
      [[-1, 1.5, Number.NaN], outOfRange],
      [['5', {}], wrongType],
    ],
  }

test('wrong options are refused before anything is bound', t => {
  const path = socketPath(t)
  const nowhere = join(dirname(path), 'no such directory', 'socket')
  const before = openDescriptors()
  for (const [name, rows] of Object.entries(badOptions))
    for (const [values, expected] of rows)
      for (const value of values) {
        const options = { [name]: value } as ListenerOptions
        t.throws(() => new Listener(path, options), expected, `${name}: ${inspect(value)}`)
        t.throws(() => new Listener(nowhere, options), expected, `${name}: ${inspect(value)}`)
        t.throws(() => new Listener(options), expected, `${name}: ${inspect(value)}`)
      }
  t.false(isThere(path))
  t.is(openDescriptors(), before)
})

test('the text of a refusal says which option it is, and never has the key', t => {
  for (const [name, rows] of Object.entries(badOptions))
    for (const [values] of rows) {
      const error = t.throws(() => new Listener({ [name]: values[0] } as ListenerOptions))
      t.true(error?.message.includes(name), error?.message)
    }
  const error = t.throws(() => new Listener({ authkey: ['hunter2'] as never }))
  t.false(inspect(error).includes('hunter2'))
})

test('what is no options object is refused', t => {
  const path = socketPath(t)
  for (const options of [null, 5, 'x', true, () => {}])
    t.throws(() => new Listener(path, options as never), wrongType, inspect(options))
  t.false(isThere(path))
})

test('what is no address is refused', t => {
  for (const address of [null, 5, true, Symbol('x'), 1n]) t.throws(() => new Listener(address as never), wrongType)
  for (const address of ['', 'with a \0 inside', '\0', ['localhost'], onWindows ? '/tmp/x' : '\\\\.\\pipe\\x'])
    t.throws(() => new Listener(address as never), wrongValue, inspect(address))
  for (const port of [-1, 65_536, 1.5, Number.NaN])
    t.throws(() => new Listener({ host: '127.0.0.1', port }), outOfRange, String(port))
  t.throws(() => new Listener({ port: 0 } as never), wrongType)
  t.throws(() => new Listener({} as never, {}), wrongType)
})

testOnUnix('the names of pipes have a limit of their own, see address')(
  'a path beyond the limit is refused with the limit in the text',
  t => {
    const limit = process.platform === 'linux' ? 107 : 103
    const directory = temporaryDirectory(t)
    const fits = join(directory, 'x'.repeat(limit - directory.length - 1))
    t.is(listen(t, fits).address, fits)
    t.throws(() => new Listener(`${fits}x`), { ...outOfRange, message: new RegExp(`\\b${limit}\\b`) })
    t.throws(() => new Listener(`${fits.slice(0, -1)}é`), { ...outOfRange, message: new RegExp(`\\b${limit}\\b`) })
    t.false(existsSync(`${fits}x`))
  },
)

test('a family that does not fit the address is refused with nothing made', t => {
  const path = socketPath(t)
  for (const family of ['AF_INET', 'AF_INET6'] as const) t.throws(() => new Listener(path, { family }), wrongValue)
  t.throws(() => new Listener(anyPort, { family: localFamily }), wrongValue)
  t.throws(() => new Listener(anyPort, { family: 'AF_INET6' }), wrongValue)
  t.throws(() => new Listener({ host: '::1', port: 0 }, { family: 'AF_INET' }), wrongValue)
  t.false(isThere(path))
})

test('mode and replaceStale are for socket files', t => {
  for (const address of [anyPort, { host: '::1', port: 0 }, '\0carom-test-mode'])
    for (const options of [{ mode: 0o600 }, { replaceStale: true }])
      t.throws(() => new Listener(address, options), wrongValue, inspect([address, options]))
})

test('a Listener needs new', t => {
  t.throws(() => (Listener as unknown as () => void)(), { instanceOf: TypeError })
})

for (const [name, place] of Object.entries(everyPlace)) {
  test(`${name}: it listens when the constructor returns, and its address can be given to a client as it is`, async t => {
    const address = place(t)
    const listener = listen(t, address)
    if (typeof address === 'string') t.is(listener.address, address)
    else {
      const { host, port } = listener.address as { host: string; port: number }
      t.is(host, (address as { host: string }).host)
      t.true(Number.isInteger(port) && port > 0)
    }
    const client = closing(t, ClientSync(listener.address))
    const other = closing(t, await Client(listener.address))
    const [first, second] = [closing(t, listener.acceptSync()), closing(t, await listener.accept())]
    client.sendSync('one')
    await other.send('two')
    t.is(first.recvSync(), 'one')
    t.is(await second.recv(), 'two')
  })
}

test('the address of a host may be an array', async t => {
  const listener = listen(t, ['127.0.0.1', 0])
  const { host, port } = listener.address as { host: string; port: number }
  t.is(host, '127.0.0.1')
  const client = closing(t, await Client([host, port]))
  t.deepEqual(client.remoteAddress, { host, port })
})

test('the members of a listener, open and closed', async t => {
  for (const [place, family] of [
    ...localPlaces.map(place => [place, localFamily] as const),
    [everyPlace.IPv4, 'AF_INET'],
    [everyPlace.IPv6, 'AF_INET6'],
  ] as const) {
    const listener = listen(t, place(t))
    const { address } = listener
    t.is(listener.family, family)
    t.false(listener.closed)
    t.true(listener.fd >= 0)
    t.is(listener.lastAccepted, undefined)
    t.is(listener.ref(), listener)
    t.is(listener.unref(), listener)
    await listener.close()
    t.true(listener.closed)
    t.is(listener.fd, -1)
    t.deepEqual(listener.address, address)
    t.is(listener.family, family)
    t.is(listener.ref(), listener)
    t.is(listener.unref(), listener)
  }
})

testOnUnix('it is the name of a pipe there')(
  'without an address it is a fresh short path in a private directory that goes away with it',
  async t => {
    const listeners = [listen(t), listen(t, undefined, { backlog: 5 }), closing(t, new Listener({ backlog: 5 }))]
    listeners.push(listen(t, undefined, { family: 'AF_UNIX' }), closing(t, new Listener({})))
    const addresses = listeners.map(({ address }) => address as string)
    t.is(new Set(addresses).size, addresses.length)
    for (const address of addresses) {
      t.true(address.length < 60, address)
      const directory = statSync(dirname(address))
      t.is(directory.mode & 0o777, 0o700)
      t.is(directory.uid, process.getuid?.() ?? -1)
      t.true(statSync(address).isSocket())
    }
    const [client, accepted] = await connectedTo(t, listeners[0]!)
    await client.send('hello')
    t.is(await accepted.recv(), 'hello')
    for (const listener of listeners) await listener.close()
    for (const address of addresses) t.false(existsSync(dirname(address)))
  },
)

testIf(onWindows, 'it is a path here')('without an address it is a fresh name of a pipe', async t => {
  const listeners = [listen(t), listen(t, undefined, { family: 'AF_PIPE' }), closing(t, new Listener({ backlog: 5 }))]
  const addresses = listeners.map(({ address }) => address as string)
  t.is(new Set(addresses).size, addresses.length)
  for (const address of addresses) t.regex(address, /^\\\\\.\\pipe\\carom-[0-9a-f]{32}$/)
  const [client, accepted] = await connectedTo(t, listeners[0]!)
  await client.send('hello')
  t.is(await accepted.recv(), 'hello')
  await Promise.all([client.close(), accepted.close()])
  for (const listener of listeners) await listener.close()
  for (const address of addresses) t.false(isThere(address))
})

test('a family alone is this machine alone, at a port of its own', t => {
  for (const [family, host] of [
    ['AF_INET', '127.0.0.1'],
    ['AF_INET6', '::1'],
  ] as const)
    for (const listener of [closing(t, new Listener({ family })), listen(t, undefined, { family })]) {
      const address = listener.address as { host: string; port: number }
      t.is(listener.family, family)
      t.is(address.host, host)
      t.true(address.port > 0)
    }
})

test('addresses of both ends', async t => {
  const path = socketPath(t)
  const local = listen(t, path)
  const [client, accepted] = await connectedTo(t, local)
  t.is(client.remoteAddress, path)
  t.is(accepted.remoteAddress, undefined)
  t.is(local.lastAccepted, undefined)

  for (const host of ['127.0.0.1', '::1']) {
    const listener = listen(t, { host, port: 0 })
    const ports = new Set<number>()
    for (let i = 0; i < 2; i++) {
      const [client, accepted] = await connectedTo(t, listener)
      t.deepEqual(client.remoteAddress, listener.address)
      t.deepEqual(listener.lastAccepted, accepted.remoteAddress)
      const peer = accepted.remoteAddress as { host: string; port: number }
      t.is(peer.host, host)
      ports.add(peer.port)
    }
    t.is(ports.size, 2)
    const last = listener.lastAccepted
    await listener.close()
    t.deepEqual(listener.lastAccepted, last)
  }
})

test('an address that is handed out is not what the listener goes by', async t => {
  const listener = listen(t, anyPort)
  const given = listener.address as { host: string; port: number }
  const { port } = given
  try {
    given.port = 1
  } catch {
    // Frozen is as good.
  }
  const client = closing(t, await Client({ host: '127.0.0.1', port }))
  const accepted = closing(t, await listener.accept())
  await client.send(1)
  t.is(await accepted.recv(), 1)
})

for (const form of listeningForms) {
  test(`${form.name}: close is idempotent and frees the address`, async t => {
    for (const place of Object.values(everyPlace)) {
      const listener = listen(t, place(t))
      await form.close(listener)
      await form.close(listener)
      await t.throwsAsync(form.accept(listener), closed)
      await t.throwsAsync(form.accept(listener, { timeout: 0 }), closed)
      const again = listen(t, listener.address)
      t.deepEqual(again.address, listener.address)
      const client = closing(t, await form.connect(listener.address))
      t.true(client.writable)
    }
  })

  test(`${form.name}: nobody can connect to one that is closed`, async t => {
    for (const [place, code] of [
      [socketPath, 'ENOENT'],
      ...(onLinux ? [[abstractName, 'ECONNREFUSED'] as const] : []),
      [everyPlace.IPv4, 'ECONNREFUSED'],
      [everyPlace.IPv6, 'ECONNREFUSED'],
    ] as const) {
      const listener = listen(t, place(t))
      await form.close(listener)
      await t.throwsAsync(form.connect(listener.address), { code })
    }
  })

  test(`${form.name}: accepted connections live on after close`, async t => {
    for (const place of Object.values(everyPlace)) {
      const listener = listen(t, place(t))
      const [client, accepted] = await connectedTo(t, listener)
      await form.close(listener)
      await client.send('still')
      t.is(await accepted.recv(), 'still')
      await accepted.send('here')
      t.is(await client.recv(), 'here')
    }
  })

  test(`${form.name}: a client that nobody has accepted sees the end when the listener closes`, async t => {
    for (const options of [undefined, { timeout: 0 }]) {
      const listener = listen(t, socketPath(t))
      const client = closing(t, await form.connect(listener.address, options))
      await form.close(listener)
      await t.throwsAsync(client.recv(), { code: 'ERR_CAROM_EOF' })
    }
  })
}

test('dispose closes, at once and awaited', async t => {
  let path = socketPath(t)
  {
    using listener = new Listener(path)
    t.true(isThere(path))
    t.false(listener.closed)
  }
  t.false(isThere(path))
  path = socketPath(t)
  let inside: Listener
  {
    await using listener = new Listener(path)
    inside = listener
    t.true(isThere(path))
  }
  t.true(inside.closed)
  t.false(isThere(path))
})

test('the options of connections hold at both ends', async t => {
  const serializer = {
    encode: (value: unknown) => Buffer.from(`listener:${String(value)}`),
    decode: (bytes: Uint8Array) => `${Buffer.from(bytes)}!`,
  }
  const listener = listen(t, socketPath(t), { serializer, maxMessageLength: 100, highWaterMark: 10 })
  const theirs = { encode: (value: unknown) => Buffer.from(String(value)), decode: () => 'client' }
  const clientOptions = { serializer: theirs, maxMessageLength: 50, highWaterMark: 2 ** 30 }
  for (const form of listeningForms) {
    const client = closing(t, await form.connect(listener.address, clientOptions))
    const accepted = closing(t, await form.accept(listener))
    await client.send('x')
    t.is(await accepted.recv(), 'x!')
    await accepted.send('y')
    t.is((await client.recvBytes()).toString(), 'listener:y')
    await accepted.send('y')
    t.is(await client.recv(), 'client')

    // What the kernel does not take is accepted up to the mark only.
    await client.sendBytes(Buffer.alloc(8 * 2 ** 20))
    t.true(client.bufferedAmount > 2 ** 20)
    await t.throwsAsync(accepted.sendBytes(Buffer.alloc(8 * 2 ** 20), { timeout: 20 }), { code: 'ERR_CAROM_TIMEOUT' })

    await t.throwsAsync(accepted.recv(), { code: 'ERR_CAROM_MESSAGE_TOO_LONG' })
    t.false(accepted.readable)
    await t.throwsAsync(client.recv(), { code: 'ERR_CAROM_MESSAGE_TOO_LONG' })
    t.false(client.readable)
    client.close({ timeout: 0 }).catch(() => {})
    accepted.close({ timeout: 0 }).catch(() => {})
  }
})
