import { connect } from 'node:net'
import test from 'ava'
import { type BoundAddress, Client, ClientSync, type Connection, Listener, wait, waitSync } from 'carom'
import { closed } from './helpers/expectations.mjs'
import { isPending, openPipe } from './helpers/pipes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { atMost, openListener, waitForms } from './helpers/waits.mjs'

const authkey = 'the right key'

for (const form of waitForms) {
  test(`${form.name}: a listener without a key is ready when a client has connected`, async t => {
    const listener = openListener(t)
    const [, idle] = openPipe(t)
    t.deepEqual(await form.wait([idle, listener], 10), [])
    const client = ClientSync<string>(listener.address)
    t.teardown(() => client.close())
    for (let i = 0; i < 3; i++) t.deepEqual(await form.wait([idle, listener]), [listener])
    t.deepEqual(await form.wait([listener, idle, listener], 0), [listener, listener])
    const conn = await listener.accept({ timeout: 0 })
    t.teardown(() => conn.close())
    t.deepEqual(await form.wait([idle, listener, conn], 0), [])
    await client.send('hello')
    t.deepEqual(await form.wait([idle, listener, conn]), [conn])
    t.is(await conn.recv(), 'hello')
  })

  test(`${form.name}: a listener with a key is ready when a client has proved it, and a wrong one does not count`, async t => {
    const failures: string[] = []
    const listener = openListener(t, { authkey, onAuthenticationFailed: error => failures.push(`${error.code}`) })
    const authkeys = ['wrong', 'wrong too']
    const stranger = await startWorker(t, 'wait-clients.mjs', { address: listener.address, authkeys })
    while (failures.length < 2) t.deepEqual(await form.wait([listener], 20), [])
    t.deepEqual(await stranger.report(), ['ERR_CAROM_AUTH', 'ERR_CAROM_AUTH'])
    t.deepEqual(failures, ['ERR_CAROM_AUTH', 'ERR_CAROM_AUTH'])

    const friend = await startWorker(t, 'wait-clients.mjs', { address: listener.address, authkeys: [authkey] })
    t.deepEqual(await form.wait([listener]), [listener])
    t.deepEqual(await form.wait([listener], 0), [listener])
    const conn = listener.acceptSync({ timeout: 0 })
    t.teardown(() => conn.close())
    t.deepEqual(await friend.report(), ['in'])
    t.is(await conn.recv(), 0)
    t.deepEqual(await form.wait([listener], 0), [])
  })

  test(`${form.name}: one that says nothing keeps nobody else from being told of`, async t => {
    const listener = openListener(t, { family: 'AF_INET', authkey })
    const { host, port } = listener.address as { host: string; port: number }
    const silent = connect(port, host)
    t.teardown(() => silent.destroy())
    await new Promise(resolve => silent.once('connect', resolve))
    t.deepEqual(await form.wait([listener], 20), [])
    await startWorker(t, 'wait-clients.mjs', { address: listener.address, authkeys: [authkey] })
    t.deepEqual(await form.wait([listener], atMost), [listener])
    const conn = await listener.accept()
    t.teardown(() => conn.close())
  })

  test(`${form.name}: a peer that is out of time is dropped during the wait`, async t => {
    const failures: string[] = []
    const listener = openListener(t, {
      family: 'AF_INET',
      authkey,
      handshakeTimeout: 50,
      onAuthenticationFailed: error => failures.push(`${error.code}`),
    })
    const { host, port } = listener.address as { host: string; port: number }
    const silent = connect(port, host)
    t.teardown(() => silent.destroy())
    await new Promise(resolve => silent.once('connect', resolve))
    t.deepEqual(await form.wait([listener], 300), [])
    t.deepEqual(failures, ['ERR_CAROM_TIMEOUT'])
  })

  test(`${form.name}: several clients one after the other, and several listeners`, async t => {
    const listeners = [openListener(t), openListener(t, { family: 'AF_INET' }), openListener(t)]
    t.deepEqual(await form.wait(listeners, 0), [])
    const clients: Connection[] = []
    for (let i = 0; i < 3; i++) clients.push(ClientSync(listeners[1].address), ClientSync(listeners[2].address))
    for (let i = 0; i < 3; i++) {
      t.deepEqual(await form.wait(listeners), [listeners[1], listeners[2]])
      clients.push(await listeners[1].accept(), listeners[2].acceptSync())
    }
    t.deepEqual(await form.wait(listeners, 0), [])
    for (const client of clients) await client.close()
  })

  test(`${form.name}: a listener that is closed at the start is an error`, async t => {
    const listener = openListener(t)
    const [, idle] = openPipe(t)
    t.deepEqual(await form.wait([idle, listener], 0), [])
    await listener.close()
    await t.throwsAsync(form.wait([idle, listener]), closed)
    await t.throwsAsync(form.wait([listener], 0), closed)
  })

  test(`${form.name}: an accept that is pending already gets the connection first`, async t => {
    const listener = openListener(t)
    const accepted = listener.accept()
    t.deepEqual(await form.wait([listener], 10), [])
    const clients = [ClientSync(listener.address)]
    t.deepEqual(await form.wait([listener], 20), [])
    const first = await accepted
    clients.push(ClientSync(listener.address))
    t.deepEqual(await form.wait([listener]), [listener])
    const second = await listener.accept()
    for (const conn of [...clients, first, second]) await conn.close()
  })

  test(`${form.name}: a wait that fails at its start leaves nobody waiting`, async t => {
    const listener = openListener(t, { authkey })
    const [a, b] = openPipe(t)
    b.closeSync()
    for (let i = 0; i < 3; i++) await t.throwsAsync(form.wait([listener, b]), closed)
    // Connections that nobody waits for stay with the system: no handshake is done.
    const client = Client(listener.address, { authkey, timeout: 200 })
    await t.throwsAsync(client, { code: 'ERR_CAROM_TIMEOUT' })
    await a.close()
  })
}

test('a listener in several waits, over the same list and others, while accepts come and go', async t => {
  const listener = openListener(t, { authkey })
  const [, idle] = openPipe(t)
  const waits = [wait([listener]), wait([listener]), wait([idle, listener])]
  t.true(await isPending(Promise.race(waits)))
  const client = await Client(listener.address, { authkey })
  t.deepEqual(await Promise.all(waits), [[listener], [listener], [listener]])
  const accepted = await listener.accept()
  const again = wait([listener, idle])
  const next = listener.accept()
  t.true(await isPending(Promise.race([again, next])))
  const second = await Client(listener.address, { authkey })
  const acceptedToo = await next
  t.true(await isPending(again))
  const third = await Client(listener.address, { authkey })
  t.deepEqual(await again, [listener])
  const acceptedAtLast = await listener.accept({ timeout: 0 })
  for (const conn of [client, accepted, second, acceptedToo, third, acceptedAtLast]) await conn.close()
})

test('an accept that gives up leaves its client to the wait', async t => {
  const listener = openListener(t)
  const aborter = new AbortController()
  const accepted = t.throwsAsync(listener.accept({ signal: aborter.signal }), { message: 'enough' })
  const waiting = wait([listener])
  t.true(await isPending(waiting))
  aborter.abort(new Error('enough'))
  await accepted
  const client = ClientSync(listener.address)
  t.deepEqual(await waiting, [listener])
  const conn = await listener.accept()
  await Promise.all([client.close(), conn.close()])
})

test('a client that is ready stays ready for whoever accepts later, and after another wait was given up', async t => {
  const listener = openListener(t, { authkey })
  const waiting = wait([listener])
  const client = await Client(listener.address, { authkey })
  t.deepEqual(await waiting, [listener])
  t.deepEqual(await wait([listener], 0), [listener])
  const aborted = wait([listener], { signal: AbortSignal.abort(new Error('no')) })
  await t.throwsAsync(aborted, { message: 'no' })
  const conn = listener.acceptSync({ timeout: 0 })
  await Promise.all([client.close(), conn.close()])
})

for (const how of ['close', 'closeSync', 'dispose'] as const) {
  test(`a listener that is closed by ${how} during the wait counts as ready`, async t => {
    const listener = new Listener()
    const [, idle] = openPipe(t)
    const waits = [wait([idle, listener]), wait([listener], atMost)]
    t.true(await isPending(Promise.race(waits)))
    if (how === 'dispose') listener[Symbol.dispose]()
    else await listener[how]()
    t.deepEqual(await Promise.all(waits), [[listener], [listener]])
    await t.throwsAsync(wait([listener]), closed)
  })
}

test('handshakes of several peers go on side by side in a waitSync, while no event loop turns', async t => {
  const worker = await startWorker(t, 'wait-blocking-listener.mjs', { count: 4, authkey })
  const address = await worker.report<BoundAddress>()
  const authkeys = ['wrong', authkey, authkey, 'wrong', authkey, authkey]
  const clients = await startWorker(t, 'wait-clients.mjs', { address, authkeys })
  t.deepEqual(await clients.report(), ['ERR_CAROM_AUTH', 'in', 'in', 'ERR_CAROM_AUTH', 'in', 'in'])
  t.deepEqual(await worker.report(), { received: [1, 2, 4, 5], failures: 2, rest: 0 })
})

test('a callback of the listener may wait itself, over the same list', async t => {
  const [a, b] = openPipe(t)
  const found: unknown[] = []
  const listener: Listener = openListener(t, {
    authkey,
    onAuthenticationFailed: () => found.push(waitSync([listener, b], 0), waitSync([b], 0)),
  })
  for (const form of waitForms) {
    const strangers = await startWorker(t, 'wait-clients.mjs', { address: listener.address, authkeys: ['wrong'] })
    t.deepEqual(await form.wait([listener, b], 300), [])
    t.deepEqual(await strangers.report(), ['ERR_CAROM_AUTH'])
    await a.send(1)
    t.deepEqual(await form.wait([listener, b]), [b])
    await b.recv()
  }
  t.deepEqual(found, [[], [], [], []])
})

for (const form of waitForms) {
  test(`${form.name}: a callback that waits over the same list takes nothing from the wait`, async t => {
    const [a, b] = openPipe(t)
    const found: unknown[] = []
    const listener: Listener = openListener(t, {
      authkey,
      onAuthenticationFailed: () => {
        a.sendSync('while it is looked at')
        found.push(waitSync([listener, b], atMost))
      },
    })
    const list = [listener, b]
    t.deepEqual(await form.wait(list, 0), [])
    const strangers = await startWorker(t, 'wait-clients.mjs', { address: listener.address, authkeys: ['wrong'] })
    t.deepEqual(await form.wait(list, atMost), [b])
    t.deepEqual(found, [[b]])
    t.deepEqual(await strangers.report(), ['ERR_CAROM_AUTH'])
    t.is(b.recvSync({ timeout: 0 }), 'while it is looked at')
    t.deepEqual(await form.wait(list, 0), [])
  })
}
