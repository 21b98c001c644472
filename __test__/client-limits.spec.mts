/** What stops a client, and that nothing of it stays. In turn, as all descriptors of the process are counted. */

import { once } from 'node:events'
import { createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { type Address, Client, type ClientOptions, ClientSync, Listener } from 'carom'
import { openDescriptors } from './helpers/descriptors.mjs'
import { timedOut } from './helpers/expectations.mjs'
import { anyPort, closing, everyPlace, listen, listeningForms, socketPath, startFar } from './helpers/listeners.mjs'
import { isPending } from './helpers/pipes.mjs'
import { onWindows, testOnUnix } from './helpers/platform.mjs'

const authkey = 'limits'

/** A TCP listener whose queue is full, so that connecting to it takes for ever. */
async function swallowing(t: ExecutionContext): Promise<Address> {
  const listener = listen(t, anyPort, { backlog: 0 })
  for (let i = 0; i < 10; i++) {
    try {
      closing(t, await Client(listener.address, { timeout: 100 }))
    } catch (error) {
      t.like(error, { code: 'ERR_CAROM_TIMEOUT' })
      return listener.address
    }
  }
  throw new Error('Its queue is never full')
}

/** Runs it once to warm up and then counts. What a peer has not read yet may keep a closed end for a moment. */
async function keepsDescriptors(t: ExecutionContext, round: () => Promise<void>): Promise<void> {
  await round()
  if (onWindows) return t.log('not counted: Windows tells no program how many handles it has')
  const settled = async () => {
    let last = openDescriptors()
    for (let same = 0; same < 5; same++) {
      await new Promise(resolve => setTimeout(resolve, 10))
      const now = openDescriptors()
      if (now !== last) same = 0
      last = now
    }
    return last
  }
  const before = await settled()
  for (let i = 0; i < 5; i++) await round()
  let after = openDescriptors()
  for (let i = 0; i < 100 && after > before; i++) after = await settled()
  t.true(after <= before, `${before} descriptors, then ${after}`)
}

for (const form of listeningForms) {
  test.serial(`${form.name}: a time that runs out while connecting`, async t => {
    const address = await swallowing(t)
    await keepsDescriptors(t, async () => {
      for (const timeout of [20, 0]) await t.throwsAsync(form.connect(address, { timeout }), timedOut)
    })
  })

  test.serial(`${form.name}: a time that runs out in the handshake, and handshakeTimeout`, async t => {
    for (const place of [everyPlace.path!, everyPlace.IPv4!]) {
      // Nobody accepts.
      const listener = listen(t, place(t), { authkey })
      await keepsDescriptors(t, async () => {
        for (const limits of [
          { timeout: 20 },
          { handshakeTimeout: 20 },
          { timeout: 60_000, handshakeTimeout: 20 },
          { timeout: 20, handshakeTimeout: 60_000 },
          { timeout: 0 },
        ] as ClientOptions[]) {
          const begin = performance.now()
          await t.throwsAsync(form.connect(listener.address, { authkey, ...limits }), timedOut)
          t.true(performance.now() - begin < 30_000)
        }
      })
    }
  })

  test.serial(`${form.name}: errors close what was opened`, async t => {
    const nobody = new Listener(anyPort)
    await nobody.close()
    await keepsDescriptors(t, async () => {
      await t.throwsAsync(form.connect(socketPath(t)), { code: 'ENOENT' })
      await t.throwsAsync(form.connect(nobody.address), { code: 'ECONNREFUSED' })
      await t.throwsAsync(form.connect(nobody.address, { retryFor: 20 }), { code: 'ECONNREFUSED' })
      await t.throwsAsync(form.connect(socketPath(t), { retryFor: 60_000, timeout: 20 }), timedOut)
    })
  })

  test.serial(`${form.name}: a full backlog keeps no descriptor`, async t => {
    const listener = listen(t, socketPath(t), { backlog: 0 })
    closing(t, ClientSync(listener.address))
    await keepsDescriptors(t, () =>
      t.throwsAsync(form.connect(listener.address, { timeout: 30 }), timedOut).then(() => {}),
    )
  })
}

for (const [what, options] of Object.entries({
  connecting: { place: swallowing, client: {} },
  'the handshake': { place: async (t: ExecutionContext) => listen(t, socketPath(t)).address, client: { authkey } },
  'the handshake over TCP': { place: async (t: ExecutionContext) => listen(t, anyPort).address, client: { authkey } },
  retrying: { place: async (t: ExecutionContext) => socketPath(t), client: { retryFor: Number.POSITIVE_INFINITY } },
})) {
  test.serial(`abort in ${what}: the reason as it is, and no descriptor stays`, async t => {
    const address = await options.place(t)
    await keepsDescriptors(t, async () => {
      for (const pause of [
        () => Promise.resolve(),
        () => new Promise(setImmediate),
        () => isPending(new Promise(() => {})),
      ]) {
        const aborter = new AbortController()
        const reason = new Error('enough')
        const connecting = Client(address, { ...options.client, signal: aborter.signal })
        const rejected = connecting.then(
          () => undefined,
          (error: unknown) => error,
        )
        await pause()
        aborter.abort(reason)
        t.is(await rejected, reason)
      }
    })
  })
}

test.serial('abort while a name is looked up', async t => {
  const aborter = new AbortController()
  const reason = new Error('no matter')
  const connecting = Client({ host: 'some-host.invalid', port: 5000 }, { signal: aborter.signal })
  aborter.abort(reason)
  t.is(await connecting.catch((error: unknown) => error), reason)
  await t.throwsAsync(Client({ host: 'other-host.invalid', port: 5000 }, { timeout: 0 }), timedOut)
})

test.serial('a listener that hangs up, or is another program, is an error and keeps nothing', async t => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.end(answer)
  })
  let answer = Buffer.alloc(0)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const connect = () => Client({ host: '127.0.0.1', port }, { authkey })
  for (const [bytes, code] of [
    ['', 'ERR_CAROM_EOF'],
    ['\0\0\0\x05ab', 'ERR_CAROM_TRUNCATED'],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'ERR_CAROM_AUTH'],
    ['\0\0\0\x05hello', 'ERR_CAROM_AUTH'],
  ] as const) {
    answer = Buffer.from(bytes, 'latin1')
    await t.throwsAsync(connect(), { code })
  }
  // The other program's own descriptors take a moment to go.
  const before = openDescriptors()
  for (let i = 0; i < 20; i++) await t.throwsAsync(connect(), { code: 'ERR_CAROM_AUTH' })
  for (let i = 0; i < 100 && openDescriptors() > before; i++) await new Promise(resolve => setTimeout(resolve, 10))
  t.true(openDescriptors() <= before)
})

testOnUnix('Windows tells no program how many handles it has', test.serial)(
  'closing gives back every descriptor',
  async t => {
    const places = [
      socketPath(t),
      ...Object.values(everyPlace)
        .slice(1)
        .map(place => place(t)),
    ]
    await keepsDescriptors(t, async () => {
      for (const place of places)
        for (const options of [{}, { authkey }]) {
          const listener = new Listener(place, options)
          const accepting = [listener.accept(), listener.accept()]
          const clients = [await Client(listener.address, options), await Client(listener.address, options)]
          const accepted = await Promise.all(accepting)
          // One that is never accepted, and one in its handshake.
          const more = await Client(listener.address)
          await listener.accept({ timeout: 0 }).then(
            conn => conn.close(),
            () => {},
          )
          await listener.close()
          for (const conn of [...clients, ...accepted, more]) await conn.close()
        }
    })
  },
)

/** Far above the 100 ms of the contract, for machines that are busy with other tests. */
const soon = 2_000

for (const form of listeningForms)
  for (const [what, options] of Object.entries({
    connecting: { place: swallowing, client: {} },
    'the handshake': { place: async (t: ExecutionContext) => listen(t, socketPath(t)).address, client: { authkey } },
    retrying: { place: async (t: ExecutionContext) => socketPath(t), client: { retryFor: Number.POSITIVE_INFINITY } },
    'front of a full backlog': {
      place: async (t: ExecutionContext) => {
        const { address } = listen(t, socketPath(t), { backlog: 0 })
        closing(t, ClientSync(address))
        return address
      },
      client: {},
    },
  })) {
    test.serial(`${form.name}: terminate() ends a worker that is in ${what}`, async t => {
      const address = await options.place(t)
      const before = openDescriptors()
      const far = await startFar(t)
      const connecting = far.connect(address, options.client, form.name)
      t.true(await isPending(connecting))
      const begin = performance.now()
      await far.worker.terminate()
      const took = performance.now() - begin
      t.true(took < soon, `${took} ms`)
      await t.throwsAsync(connecting)
      t.true(openDescriptors() <= before)
    })
  }

for (const form of listeningForms)
  test.serial(`${form.name}: terminate() ends a worker that accepts, with a peer in its handshake`, async t => {
    const far = await startFar(t)
    const path = await far.listen(socketPath(t), { authkey })
    const accepting = far.accept(form.name)
    const client = closing(t, await Client(path))
    t.true(await client.poll(60_000))
    const begin = performance.now()
    await far.worker.terminate()
    const took = performance.now() - begin
    t.true(took < soon, `${took} ms`)
    await t.throwsAsync(accepting)
    await t.throwsAsync(client.recv(), { code: 'ERR_CAROM_AUTH' })
    await t.throwsAsync(Client(path), { code: 'ENOENT' })
  })
