import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { type Address, Client, Listener } from 'carom'
import { wrongValue } from './helpers/expectations.mjs'
import {
  abstractName,
  anyPort,
  closing,
  connectedTo,
  listen,
  listeningForms,
  localPlaces,
  socketPath,
  startFar,
  temporaryDirectory,
} from './helpers/listeners.mjs'
import { onLinux, onWindows, testIf, testOnUnix, underWine } from './helpers/platform.mjs'

const authkey = 'own key'

type Host = { host: string; port: number }

/** The error is the system's, in every member as Node has it. */
function isSystemError(t: ExecutionContext, error: unknown, code: string, syscall: string, where: object): void {
  const { errno, message, ...rest } = error as NodeJS.ErrnoException
  const [name] = getSystemErrorMap().get(errno ?? 0) ?? []
  t.is(name, code)
  t.true(message.startsWith(`${code}: `) && message.includes(`, ${syscall}`), message)
  t.true(error instanceof Error)
  t.deepEqual({ ...rest } as object, { code, syscall, ...where })
}

const testOnLinux = testIf(onLinux, 'Linux alone has abstract names')

const thrownBy = (t: ExecutionContext, address: Address): unknown => t.throws(() => new Listener(address))

testIf(!underWine, 'Wine lets others listen at the name of a pipe')('a path that is taken', t => {
  for (const place of localPlaces) {
    const path = place(t)
    listen(t, path)
    isSystemError(t, thrownBy(t, path), 'EADDRINUSE', 'listen', { path })
  }
})

test('a port that is taken', t => {
  for (const host of ['127.0.0.1', '::1']) {
    const { port } = listen(t, { host, port: 0 }).address as Host
    isSystemError(t, thrownBy(t, { host, port }), 'EADDRINUSE', 'listen', { address: host, port })
    isSystemError(t, thrownBy(t, [host, port]), 'EADDRINUSE', 'listen', { address: host, port })
  }
})

test('an address that this machine has not', t => {
  isSystemError(t, thrownBy(t, { host: '192.0.2.123', port: 5000 }), 'EADDRNOTAVAIL', 'listen', {
    address: '192.0.2.123',
    port: 5000,
  })
})

testOnUnix('a pipe is in no directory')('a directory that is not there, a file in the place of one', t => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'not there', 'socket')
  isSystemError(t, thrownBy(t, path), 'ENOENT', 'listen', { path })
  const file = join(directory, 'file')
  writeFileSync(file, '')
  isSystemError(t, thrownBy(t, join(file, 'socket')), 'ENOTDIR', 'listen', { path: join(file, 'socket') })
  isSystemError(t, thrownBy(t, file), 'EADDRINUSE', 'listen', { path: file })
  t.is(readFileSync(file, 'utf8'), '')
})

for (const form of listeningForms) {
  testOnUnix('there are no socket files')(`${form.name}: a client's errors are the system's: files`, async t => {
    const directory = temporaryDirectory(t)
    const file = join(directory, 'file')
    writeFileSync(file, '')
    isSystemError(t, await t.throwsAsync(form.connect(file)), 'ECONNREFUSED', 'connect', { path: file })
    mkdirSync(join(directory, 'directory'))
    isSystemError(t, await t.throwsAsync(form.connect(join(directory, 'directory'))), 'ECONNREFUSED', 'connect', {
      path: join(directory, 'directory'),
    })
  })

  test(`${form.name}: a client's errors are the system's`, async t => {
    const path = socketPath(t)
    isSystemError(t, await t.throwsAsync(form.connect(path)), 'ENOENT', 'connect', { path })
    if (onLinux) {
      const name = abstractName()
      isSystemError(t, await t.throwsAsync(form.connect(name)), 'ECONNREFUSED', 'connect', { path: name })
    }
    for (const host of ['127.0.0.1', '::1']) {
      const listener = new Listener({ host, port: 0 })
      const { port } = listener.address as Host
      await listener.close()
      isSystemError(t, await t.throwsAsync(form.connect({ host, port })), 'ECONNREFUSED', 'connect', {
        address: host,
        port,
      })
    }
  })

  test(`${form.name}: names are looked up`, async t => {
    const listener = listen(t, { host: 'localhost', port: 0 })
    const { host, port } = listener.address as Host
    t.is(host, '127.0.0.1')
    t.is(listener.family, 'AF_INET')
    for (const address of [listener.address, { host: 'localhost', port }, ['localhost', port] as const]) {
      const client = closing(t, await form.connect(address))
      closing(t, await listener.accept())
      t.deepEqual(client.remoteAddress, { host, port })
    }
  })

  test(`${form.name}: a name that nobody knows`, async t => {
    const host = 'no-such-host.invalid'
    const error = await t.throwsAsync(form.connect({ host, port: 5000 }))
    t.regex((error as NodeJS.ErrnoException).code ?? '', /^(ENOTFOUND|EAI_AGAIN)$/)
    t.is((error as NodeJS.ErrnoException).syscall, 'getaddrinfo')
    t.true(error?.message.includes(host))
  })

  testOnLinux(
    `${form.name}: names in the abstract namespace are used at their exact length, whatever their bytes`,
    async t => {
      const base = abstractName()
      const names = [base, `${base}x`, `${base}\0`, `${base}\0\0`, `${base}é😀`, `${base}\n "`]
      const listeners = names.map(name => listen(t, name))
      for (const [i, listener] of listeners.entries()) {
        t.is(listener.address, names[i])
        const client = closing(t, await form.connect(listener.address))
        t.is(client.remoteAddress, names[i])
        const accepted = closing(t, await form.accept(listener))
        await client.send(i)
        t.is(await accepted.recv(), i)
      }
      await t.throwsAsync(form.connect(`${base}\0\0\0`), { code: 'ECONNREFUSED' })
      await t.throwsAsync(form.connect(base.slice(0, -1)), { code: 'ECONNREFUSED' })
    },
  )

  test(`${form.name}: a client needs an address, with a port`, async t => {
    for (const address of [undefined, null, {}, { host: 'localhost' }])
      await t.throwsAsync(form.connect(address as never), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' })
    await t.throwsAsync(form.connect({ host: '127.0.0.1', port: 0 }), { instanceOf: RangeError })
    await t.throwsAsync(form.connect('/tmp/x', { family: 'AF_INET' }), wrongValue)
    await t.throwsAsync(form.connect('/tmp/x', { family: 'AF_PIPE' }), wrongValue)
  })

  for (const [what, address] of Object.entries({
    path: socketPath,
    ...(!onWindows && { 'relative path': (t: ExecutionContext) => relative(process.cwd(), socketPath(t)) }),
    ...(onLinux && { 'abstract name': abstractName }),
    '127.0.0.1': () => anyPort,
    '::1': () => ({ host: '::1', port: 0 }),
    'all interfaces': () => ({ host: '0.0.0.0', port: 0 }),
    'all interfaces of IPv6': () => ({ host: '::', port: 0 }),
    localhost: () => ({ host: 'localhost', port: 0 }),
  })) {
    test(`${form.name}: with a key, a client and its own process's listener: ${what}`, async t => {
      if (form.name === 'async') {
        const listener = listen(t, address(t), { authkey })
        const [client, accepted] = await connectedTo(t, listener, { authkey })
        await client.send(what)
        t.is(await accepted.recv(), what)
      } else {
        const far = await startFar(t)
        const bound = await far.listen(address(t), { authkey })
        const accepting = far.accept('blocking')
        const client = closing(t, await form.connect(bound, { authkey }))
        client.sendSync(what)
        t.is(client.recvSync(), what)
        client.closeSync()
        await accepting
      }
    })
  }
}

test('one listener at all interfaces, each of its own addresses, with a key', async t => {
  for (const [host, others] of [
    // Windows connects nobody to all interfaces.
    ['0.0.0.0', ['127.0.0.1', '127.0.0.2', 'localhost', ...(onWindows ? [] : ['0.0.0.0'])]],
    ['::', ['::1', '127.0.0.1', ...(onWindows ? [] : ['::'])]],
  ] as const) {
    const listener = listen(t, { host, port: 0 }, { authkey })
    const { port } = listener.address as Host
    t.is((listener.address as Host).host, host)
    for (const other of others) {
      const [client, accepted] = await Promise.all([
        Client({ host: other, port }, { authkey }),
        listener.accept({ timeout: 30_000 }),
      ])
      closing(t, client)
      closing(t, accepted)
      await client.send(other)
      t.is(await accepted.recv(), other)
    }
  }
})

test('a host that is written in another way, with a key', async t => {
  for (const [host, others] of [
    ['127.0.0.1', ['::ffff:127.0.0.1', '::ffff:7f00:1']],
    ['::1', ['0:0:0:0:0:0:0:1', '::0001']],
    ['0:0:0:0:0:0:0:1', ['::1']],
  ] as const) {
    const listener = listen(t, { host, port: 0 }, { authkey })
    const { port } = listener.address as Host
    for (const other of others) {
      const [client, accepted] = await Promise.all([
        Client({ host: other, port }, { authkey }),
        listener.accept({ timeout: 30_000 }),
      ])
      closing(t, accepted)
      await closing(t, client).send(other)
      t.is(await accepted.recv(), other)
    }
  }
})

testOnUnix('there are no socket files')('a path that another name leads to, with a key', async t => {
  const { symlinkSync } = await import('node:fs')
  const path = socketPath(t)
  const listener = listen(t, path, { authkey })
  symlinkSync(path, `${path}.link`)
  for (const other of [`${path}.link`, relative(process.cwd(), path), `${path}/../socket`.replace('/socket/..', '')]) {
    const [client, accepted] = await Promise.all([Client(other, { authkey }), listener.accept()])
    closing(t, accepted)
    t.is(closing(t, client).remoteAddress, other)
  }
})

testIf(onWindows, 'there are no names of pipes')('the name of a pipe in capitals, with a key', async t => {
  const listener = listen(t, socketPath(t), { authkey })
  const name = (listener.address as string).toUpperCase()
  const [client, accepted] = await Promise.all([Client(name, { authkey }), listener.accept()])
  closing(t, accepted)
  t.is(closing(t, client).remoteAddress, name)
})

test('a family for a name', async t => {
  const listener = listen(t, { host: 'localhost', port: 0 }, { family: 'AF_INET' })
  t.is(listener.family, 'AF_INET')
  const { port } = listener.address as Host
  closing(t, await Client({ host: 'localhost', port }, { family: 'AF_INET' }))
})

test('a name that nobody knows cannot be listened at', t => {
  const error = t.throws(() => new Listener({ host: 'no-such-host.invalid', port: 0 })) as NodeJS.ErrnoException
  t.regex(error.code ?? '', /^(ENOTFOUND|EAI_AGAIN)$/)
  t.is(error.syscall, 'getaddrinfo')
})

testOnLinux('the kernel has an abstract name at its exact length', t => {
  const name = abstractName()
  listen(t, name)
  const line = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .find(line => line.includes(name.slice(1)))
  t.true(line?.endsWith(` @${name.slice(1)}`), line)
  t.false(existsSync(name.slice(1)))
})

testOnLinux('the longest abstract name', async t => {
  const name = `\0${'n'.repeat(100 - String(process.pid).length)}${process.pid}${'x'.repeat(7)}`
  t.is(name.length, 108)
  await connectedTo(t, listen(t, name))
  t.throws(() => new Listener(`${name}x`), { instanceOf: RangeError, message: /107/ })
})

test('a path with bytes beyond ASCII, spaces and the like', async t => {
  const path = onWindows ? `${socketPath(t)}Zoë 😀 'x'` : join(temporaryDirectory(t), 'Zoë 😀\n"x"')
  const listener = listen(t, path)
  if (!onWindows) t.true(existsSync(path))
  const [client] = await connectedTo(t, listener)
  t.is(client.remoteAddress, path)
})

test('a port of an earlier listener whose connections are still remembered can be had again', async t => {
  const listener = listen(t, anyPort)
  const [client, accepted] = await connectedTo(t, listener)
  await accepted.close()
  await t.throwsAsync(client.recv(), { code: 'ERR_CAROM_EOF' })
  await listener.close()
  t.deepEqual(listen(t, listener.address).address, listener.address)
})

test('a client connects to what node:net listens at, and node:net to a listener', async t => {
  const path = socketPath(t)
  const server = createServer(socket => socket.end(Buffer.from('\0\0\0\x01x')))
  server.listen(path)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const client = closing(t, await Client(path))
  t.is((await client.recvBytes()).toString(), 'x')
  if (!onWindows) t.throws(() => new Listener(path, { replaceStale: true }), { code: 'EADDRINUSE' })
})
