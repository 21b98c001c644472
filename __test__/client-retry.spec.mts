import { writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { type Address, Client, type Connection, Listener } from 'carom'
import { timedOut } from './helpers/expectations.mjs'
import {
  abstractName,
  anyPort,
  closing,
  everyPlace,
  listen,
  listeningForms,
  localPlaces,
  socketPath,
  startFar,
} from './helpers/listeners.mjs'
import { isPending } from './helpers/pipes.mjs'
import { onLinux, onWindows, testIf, testOnUnix } from './helpers/platform.mjs'
import { startProgram } from './helpers/programs.mjs'

async function vacantPort(): Promise<Address> {
  const listener = new Listener(anyPort)
  await listener.close()
  return listener.address
}

async function staleFile(t: ExecutionContext): Promise<Address> {
  const path = socketPath(t)
  const program = startProgram(t, 'listener-life.mjs', { args: ['serve', JSON.stringify(path), '{}'] })
  await program.report()
  program.child.kill('SIGKILL')
  await program.exit
  return path
}

/** An address at which nobody listens, but somebody could. */
const vacant = [
  ['no file yet (ENOENT)', socketPath, test],
  ['a stale file (ECONNREFUSED)', staleFile, testOnUnix('a pipe goes with its listener')],
  ['an abstract name (ECONNREFUSED)', abstractName, testIf(onLinux, 'Linux alone has abstract names')],
  ['a port (ECONNREFUSED)', vacantPort, test],
] as const

for (const [what, place, declare] of vacant) {
  const hasFile = (address: Address) => !onWindows && typeof address === 'string' && !address.startsWith('\0')

  declare(`async: retryFor waits for a listener that comes later: ${what}`, async t => {
    const address = await place(t)
    const connecting = Client(address, { retryFor: 60_000 })
    t.true(await isPending(connecting))
    const listener = listen(t, address, hasFile(address) ? { replaceStale: true } : {})
    const client = closing(t, await connecting)
    // With replaceStale somebody has looked whether it is stale.
    const accepted = closing(t, await listener.accept())
    await client.send('at last')
    t.is(await accepted.recv(), 'at last')
  })

  declare(`blocking: retryFor waits for a listener that comes later: ${what}`, async t => {
    const far = await startFar(t)
    const address = await place(t)
    const connecting = far.connect(address, { retryFor: 60_000, authkey: 'k' }, 'blocking')
    t.true(await isPending(connecting))
    const listener = listen(t, address, { authkey: 'k', ...(hasFile(address) && { replaceStale: true }) })
    const accepted = closing(t, await listener.accept())
    t.deepEqual(await connecting, listener.address)
    const sending = far.send('at last')
    t.is(await accepted.recv(), 'at last')
    await sending
  })
}

for (const form of listeningForms) {
  test(`${form.name}: retryFor ends with the error of the last attempt, in its time`, async t => {
    for (const [address, code] of [
      [socketPath(t), 'ENOENT'],
      ...(onLinux ? [[abstractName(), 'ECONNREFUSED'] as const] : []),
    ] as const) {
      const begin = performance.now()
      await t.throwsAsync(form.connect(address, { retryFor: 100 }), { code })
      t.true(performance.now() - begin >= 95)
      await t.throwsAsync(form.connect(address, { retryFor: 100, timeout: 60_000 }), { code })
    }
  })

  test(`${form.name}: without retryFor nobody tries again`, async t => {
    const path = socketPath(t)
    for (const retryFor of [undefined, 0, -1]) {
      const begin = performance.now()
      await t.throwsAsync(form.connect(path, { retryFor }), { code: 'ENOENT' })
      await t.throwsAsync(form.connect(path, { retryFor, timeout: 60_000 }), { code: 'ENOENT' })
      t.true(performance.now() - begin < 30_000)
    }
  })

  test(`${form.name}: timeout bounds the retries`, async t => {
    for (const address of [...localPlaces.map(place => place(t)), await vacantPort()])
      for (const retryFor of [60_000, Number.POSITIVE_INFINITY]) {
        const begin = performance.now()
        await t.throwsAsync(form.connect(address, { retryFor, timeout: 40 }), timedOut)
        const took = performance.now() - begin
        t.true(took >= 39 && took < 30_000, `${took} ms`)
      }
  })

  test(`${form.name}: a limit of 0 does not wait for a listener`, async t => {
    const begin = performance.now()
    const error = await t.throwsAsync(form.connect(socketPath(t), { retryFor: 60_000, timeout: 0 }))
    t.true(['ENOENT', 'ERR_CAROM_TIMEOUT'].includes((error as NodeJS.ErrnoException).code ?? ''))
    t.true(performance.now() - begin < 30_000)
  })

  testOnUnix('the name of a pipe can always come')(
    `${form.name}: what will not be better later is not tried again`,
    async t => {
      const path = socketPath(t)
      writeFileSync(path, '')
      const begin = performance.now()
      await t.throwsAsync(form.connect(`${path}/socket`, { retryFor: 60_000 }), { code: 'ENOTDIR' })
      t.true(performance.now() - begin < 30_000)
    },
  )

  test(`${form.name}: a full backlog is tried again until the limit, without retryFor`, async t => {
    for (const place of localPlaces) {
      const listener = listen(t, place(t), { backlog: 1 })
      const waiting: Connection[] = []
      for (;;) {
        try {
          waiting.push(closing(t, await form.connect(listener.address, { timeout: 30 })))
          t.true(waiting.length < 10, 'The backlog does not end')
        } catch (error) {
          t.like(error, { name: 'TimeoutError', code: 'ERR_CAROM_TIMEOUT' })
          break
        }
      }
      // Linux takes one more than it is told.
      t.true(waiting.length === 1 || waiting.length === 2, String(waiting.length))
      const far = await startFar(t)
      const connecting = far.connect(listener.address, {}, form.name)
      t.true(await isPending(connecting))
      for (const [i, client] of waiting.entries()) {
        await client.send(i)
        t.is(await closing(t, await listener.accept()).recv(), i)
      }
      await connecting
      const sending = far.send('beyond')
      t.is(await closing(t, await listener.accept()).recv(), 'beyond')
      await sending
    }
  })
}

test('an aborted client stops its retries, with the reason as it is', async t => {
  const path = socketPath(t)
  const aborter = new AbortController()
  const connecting = Client(path, { retryFor: Number.POSITIVE_INFINITY, signal: aborter.signal })
  t.true(await isPending(connecting))
  const reason = { just: 'an object' }
  aborter.abort(reason)
  t.is(await connecting.catch((error: unknown) => error), reason)
  const listener = listen(t, path)
  await t.throwsAsync(listener.accept({ timeout: 100 }), timedOut)
})

test('a client pushed back by a full backlog can be aborted', async t => {
  const listener = listen(t, socketPath(t), { backlog: 0 })
  const first = closing(t, await Client(listener.address))
  const aborter = new AbortController()
  const connecting = Client(listener.address, { signal: aborter.signal })
  t.true(await isPending(connecting))
  aborter.abort('stop')
  t.is(await connecting.catch((error: unknown) => error), 'stop')
  t.false(first.closed)
  closing(t, await listener.accept())
  await t.throwsAsync(listener.accept({ timeout: 100 }), timedOut)
})

for (const [name, place, declare] of [
  ['path', everyPlace.path!, testOnUnix('of a pipe at most 16 clients wait')],
  ['IPv4', everyPlace.IPv4!, test],
] as const) {
  declare(`${name}: the default backlog takes 500 clients before anybody accepts`, async t => {
    const listener = listen(t, place(t))
    const clients = await Promise.all(Array.from({ length: 500 }, () => Client(listener.address, { timeout: 30_000 })))
    for (const client of clients) closing(t, client)
    for (let i = 0; i < 500; i++) closing(t, listener.acceptSync({ timeout: 30_000 }))
    await t.throwsAsync(listener.accept({ timeout: 0 }), timedOut)
  })
}

test('many clients retry at once and all get through', async t => {
  const path = socketPath(t)
  const connecting = Array.from({ length: 50 }, () => Client(path, { retryFor: 60_000 }))
  t.true(await isPending(Promise.race(connecting)))
  const listener = listen(t, path)
  const accepting = connecting.map(() => listener.accept())
  for (const conn of await Promise.all([...connecting, ...accepting])) closing(t, conn)
  t.pass()
})
