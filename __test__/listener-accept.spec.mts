import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import { Client, ClientSync, type Connection, type Listener } from 'carom'
import { busy, closed, outOfRange, timedOut, wrongType } from './helpers/expectations.mjs'
import {
  anyPort,
  closing,
  connectedTo,
  everyPlace,
  listen,
  listeningForms,
  socketPath,
  startFar,
} from './helpers/listeners.mjs'
import { isPending, patterned } from './helpers/pipes.mjs'
import { fixture, start } from './helpers/processes.mjs'

const authkey = 'correct horse'
/** Clients that nobody has accepted: of a Windows pipe no more than 16 can be connected. */
const COUNT = 16

for (const form of listeningForms) {
  test(`${form.name}: accept refuses wrong options, and nothing has been accepted`, async t => {
    const listener = listen(t, socketPath(t))
    const client = closing(t, await Client(listener.address))
    await t.throwsAsync(form.accept(listener, { timeout: Number.NaN }), outOfRange)
    for (const options of [null, 5, 'x', { timeout: '5' }, { timeout: null }])
      await t.throwsAsync(form.accept(listener, options as never), wrongType)
    const accepted = closing(t, await form.accept(listener))
    await client.send(1)
    t.is(await accepted.recv(), 1)
  })

  test(`${form.name}: accept with a time that runs out`, async t => {
    for (const options of [undefined, { authkey }])
      for (const place of [everyPlace.path, everyPlace.IPv4]) {
        const listener = listen(t, place(t), options)
        for (const timeout of [20, 0, -1, Number.NEGATIVE_INFINITY]) {
          const begin = performance.now()
          await t.throwsAsync(form.accept(listener, { timeout }), timedOut)
          t.true(performance.now() - begin >= Math.max(timeout, 0) - 1)
        }
        t.false(listener.closed)
      }
  })

  test(`${form.name}: a time of 0 gives a client that is there`, async t => {
    for (const place of Object.values(everyPlace)) {
      const listener = listen(t, place(t))
      const clients = [closing(t, await Client(listener.address)), closing(t, ClientSync(listener.address))]
      for (const [i, client] of clients.entries()) {
        const accepted = closing(t, await form.accept(listener, { timeout: 0 }))
        await client.send(i)
        t.is(await accepted.recv(), i)
      }
      await t.throwsAsync(form.accept(listener, { timeout: 0 }), timedOut)
    }
  })

  test(`${form.name}: a time of 0, tried again and again, gives a client with the key`, async t => {
    const listener = listen(t, anyPort, { authkey })
    const connecting = Client(listener.address, { authkey })
    let accepted: Connection | undefined
    while (accepted === undefined) {
      try {
        accepted = closing(t, await form.accept(listener, { timeout: 0 }))
      } catch (error) {
        t.is((error as NodeJS.ErrnoException).code, 'ERR_CAROM_TIMEOUT')
        await new Promise(resolve => setTimeout(resolve, 2))
      }
    }
    const client = closing(t, await connecting)
    await accepted.send('through')
    t.is(await client.recv(), 'through')
  })

  test(`${form.name}: a time that is long enough, beyond the longest timer too`, async t => {
    const listener = listen(t, socketPath(t))
    for (const timeout of [10_000, 2 ** 33, Number.POSITIVE_INFINITY, undefined]) {
      const client = closing(t, await Client(listener.address, { timeout }))
      const accepted = closing(t, await form.accept(listener, { timeout }))
      await client.close()
      await t.throwsAsync(accepted.recv(), { code: 'ERR_CAROM_EOF' })
    }
  })

  test(`${form.name}: clients are accepted in the order in which they came`, async t => {
    for (const place of [everyPlace.path, everyPlace.IPv4]) {
      const listener = listen(t, place(t))
      for (let i = 0; i < COUNT; i++) {
        const client = closing(t, await Client(listener.address))
        await client.send(i)
      }
      for (let i = 0; i < COUNT; i++) {
        const accepted = closing(t, await form.accept(listener))
        t.is(await accepted.recv(), i)
      }
    }
  })

  test(`${form.name}: what a client has sent before it is accepted is there, the long and the many`, async t => {
    for (const place of [everyPlace.path, everyPlace.IPv4]) {
      const listener = listen(t, place(t))
      const client = closing(t, await Client(listener.address, { highWaterMark: 2 ** 30 }))
      await client.sendBytes(patterned(2 ** 20))
      for (let i = 0; i < 1_000; i++) await client.send(i)
      const closedThere = client.close()
      const accepted = closing(t, await form.accept(listener))
      t.true((await accepted.recvBytes()).equals(patterned(2 ** 20)))
      for (let i = 0; i < 1_000; i++) t.is(await accepted.recv(), i)
      await t.throwsAsync(accepted.recv(), { code: 'ERR_CAROM_EOF' })
      await closedThere
    }
  })

  test(`${form.name}: accepts from a client in another thread that comes later, with and without a key`, async t => {
    const far = await startFar(t)
    for (const options of [{}, { authkey }])
      for (const place of [everyPlace.path, everyPlace.IPv4])
        for (const their of listeningForms) {
          const listener = listen(t, place(t), options)
          const connecting = far.connect(listener.address, options, their.name)
          const accepted = closing(t, await form.accept(listener))
          t.deepEqual(await connecting, listener.address)
          const sent = far.send({ hello: 'there' })
          t.deepEqual(await accepted.recv(), { hello: 'there' })
          await sent
          const echoed = far.receive()
          await accepted.send('back')
          t.is(await echoed, 'back')
        }
  })

  test(`${form.name}: connects to a listener in another thread, with and without a key`, async t => {
    const far = await startFar(t)
    for (const options of [{}, { authkey }])
      for (const place of [everyPlace.path, everyPlace.IPv4])
        for (const their of listeningForms) {
          const address = await far.listen(place(t), options)
          const accepting = far.accept(their.name)
          const client = closing(t, await form.connect(address, options))
          t.deepEqual(client.remoteAddress, address)
          await client.send(['echo', 1])
          t.deepEqual(await client.recv(), ['echo', 1])
          client.closeSync()
          await accepting
          await far.close()
        }
  })

  test(`${form.name}: behind the handshake, what was sent at once is not lost`, async t => {
    const far = await startFar(t)
    const listener = listen(t, socketPath(t), { authkey })
    const connecting = far.connect(listener.address, { authkey, highWaterMark: 2 ** 30 })
    const sending = far.send(patterned(2 ** 20))
    const more = Array.from({ length: 50 }, (_, i) => far.send(i))
    const accepted = closing(t, await form.accept(listener))
    // The reports of a worker are in order.
    await connecting
    t.true(((await accepted.recv()) as Buffer).equals(patterned(2 ** 20)))
    for (const [i, sent] of more.entries()) {
      t.is(await accepted.recv(), i)
      await sent
    }
    await sending
  })
}

test('what the listener sends behind the handshake is not lost either', async t => {
  const listener = listen(t, anyPort, { authkey })
  const accepting = listener.accept().then(async accepted => {
    closing(t, accepted)
    for (let i = 0; i < 100; i++) await accepted.send(i)
    await accepted.sendBytes(patterned(2 ** 20))
  })
  const client = closing(t, await Client(listener.address, { authkey }))
  for (let i = 0; i < 100; i++) t.is(await client.recv(), i)
  t.true((await client.recvBytes()).equals(patterned(2 ** 20)))
  await accepting
})

test('concurrent accepts are served first come, first served', async t => {
  for (const options of [undefined, { authkey }]) {
    const listener = listen(t, socketPath(t), options)
    const order: number[] = []
    const accepting = Array.from({ length: 10 }, async (_, i) => {
      const accepted = closing(t, await listener.accept())
      order.push(i)
      return accepted
    })
    for (let i = 0; i < 10; i++) {
      const client = closing(t, await Client(listener.address, options))
      await client.send(i)
    }
    for (const [i, accepted] of (await Promise.all(accepting)).entries()) t.is(await accepted.recv(), i)
    t.deepEqual(order, [...Array(10).keys()])
  }
})

test('accepts with limits are first come, first served among those that remain', async t => {
  const listener = listen(t, socketPath(t))
  const aborter = new AbortController()
  const aborted = listener.accept({ signal: aborter.signal })
  const timed = listener.accept({ timeout: 10 })
  const first = listener.accept()
  const second = listener.accept({ timeout: 60_000 })
  aborter.abort(new Error('no more'))
  await t.throwsAsync(aborted, { message: 'no more' })
  await t.throwsAsync(timed, timedOut)
  for (const accepting of [first, second]) {
    const client = closing(t, await Client(listener.address))
    await client.send('for it')
    t.is(await closing(t, await accepting).recv(), 'for it')
  }
})

test('an aborted accept rejects with the reason as it is', async t => {
  const listener = listen(t, socketPath(t))
  for (const reason of [new Error('enough'), 'a string', undefined, null, 0]) {
    const aborter = new AbortController()
    const accepting = listener.accept({ signal: aborter.signal }).then(
      () => t.fail(),
      (error: unknown) => error,
    )
    aborter.abort(reason)
    t.is(await accepting, aborter.signal.reason)
    const late = listener.accept({ signal: aborter.signal }).then(
      () => t.fail(),
      (error: unknown) => error,
    )
    t.is(await late, aborter.signal.reason)
  }
  const error = await t.throwsAsync(listener.accept({ signal: AbortSignal.timeout(5) }), { any: true })
  t.is((error as Error).name, 'TimeoutError')
  for (const signal of [null, {}, 'x', new AbortController()])
    await t.throwsAsync(listener.accept({ signal } as never), wrongType)
})

test('a signal that is aborted takes no connection', async t => {
  const listener = listen(t, socketPath(t))
  const client = closing(t, await Client(listener.address))
  await t.throwsAsync(listener.accept({ signal: AbortSignal.abort(new Error('before')) }), { message: 'before' })
  const aborter = new AbortController()
  const accepted = closing(t, await listener.accept({ signal: aborter.signal }))
  aborter.abort()
  await client.send('goes on')
  t.is(await accepted.recv(), 'goes on')
})

test('what an aborted or timed-out accept would have had is for the next one', async t => {
  for (const options of [undefined, { authkey }])
    for (const limit of ['abort', 'timeout'] as const) {
      const listener = listen(t, socketPath(t), options)
      const aborter = new AbortController()
      const given = limit === 'abort' ? { signal: aborter.signal } : { timeout: 1 }
      const accepting = listener.accept(given).then(
        conn => conn,
        () => undefined,
      )
      const connecting = Client(listener.address, options)
      // Somewhere between the connection and the end of the handshake.
      if (limit === 'abort') setImmediate(() => aborter.abort())
      const accepted = closing(t, (await accepting) ?? (await listener.accept()))
      const client = closing(t, await connecting)
      await client.send(limit)
      t.is(await accepted.recv(), limit)
    }
})

test('a handshake goes on after its accept was aborted, and the peer is for the next one', async t => {
  const far = await startFar(t)
  const listener = listen(t, socketPath(t), { authkey })
  const aborter = new AbortController()
  const accepting = listener.accept({ signal: aborter.signal })
  const connecting = far.connect(listener.address, { authkey })
  setTimeout(() => aborter.abort(), 1)
  const accepted = await accepting.catch(() => listener.accept())
  closing(t, accepted)
  await connecting
  const sending = far.send('me')
  t.is(await accepted.recv(), 'me')
  await sending
})

test('acceptSync while an accept is pending is busy and changes nothing', async t => {
  const listener = listen(t, socketPath(t))
  const accepting = listener.accept()
  for (const options of [undefined, { timeout: 0 }, { timeout: 10 }]) t.throws(() => listener.acceptSync(options), busy)
  const client = closing(t, ClientSync(listener.address))
  t.throws(() => listener.acceptSync(), busy)
  const accepted = closing(t, await accepting)
  await client.send('for the first')
  t.is(await accepted.recv(), 'for the first')
  const aborter = new AbortController()
  const aborted = listener.accept({ signal: aborter.signal })
  t.throws(() => listener.acceptSync({ timeout: 0 }), busy)
  aborter.abort()
  await t.throwsAsync(aborted, { any: true })
  t.throws(() => listener.acceptSync({ timeout: 0 }), timedOut)
})

test('an async accept with a time of 0 does not take what an earlier one waits for', async t => {
  const listener = listen(t, socketPath(t))
  const accepting = listener.accept()
  const client = closing(t, ClientSync(listener.address))
  const hasty = listener.accept({ timeout: 0 })
  await t.throwsAsync(hasty, timedOut)
  const accepted = closing(t, await accepting)
  await client.send('first come')
  t.is(await accepted.recv(), 'first come')
})

test('pending accepts fail when the listener closes, and so does use after that', async t => {
  for (const options of [undefined, { authkey }]) {
    const listener = listen(t, socketPath(t), options)
    const accepting = [
      listener.accept(),
      listener.accept({ timeout: 60_000 }),
      listener.accept({ signal: new AbortController().signal }),
    ]
    const failing = Promise.all(accepting.map(each => t.throwsAsync(each, closed)))
    await listener.close()
    await failing
    await t.throwsAsync(listener.accept(), closed)
    await t.throwsAsync(listener.accept({ timeout: 0 }), closed)
    await t.throwsAsync(listener.accept({ timeout: Number.NaN }), outOfRange)
    t.throws(() => listener.acceptSync(), closed)
    t.throws(() => listener.acceptSync({ timeout: Number.NaN }), outOfRange)
  }
})

test('closing drops a peer in its handshake, which sees the end of the stream', async t => {
  for (const place of [everyPlace.path!, everyPlace.IPv4!]) {
    const listener = listen(t, place(t), { authkey })
    const { address } = listener
    const accepting = t.throwsAsync(listener.accept(), closed)
    const socket = typeof address === 'string' ? connect(address) : connect(address.port, address.host)
    t.teardown(() => socket.destroy())
    await once(socket, 'data')
    const ended = once(socket, 'end')
    await listener.close()
    await Promise.all([accepting, ended])
    t.true(socket.readableEnded)
  }
})

test('closing drops a peer that is through and that nobody took', async t => {
  const listener = listen(t, socketPath(t), { authkey })
  const connecting = Client(listener.address, { authkey })
  t.true(await isPending(connecting))
  // Takes it in, and does not wait for its handshake.
  await t.throwsAsync(listener.accept({ timeout: 0 }), timedOut)
  const client = closing(t, await connecting)
  // The client may be through before the listener has read that it is.
  const receiving = client.recv({ timeout: 30_000 })
  t.true(await isPending(receiving))
  await listener.close()
  await t.throwsAsync(receiving, { code: 'ERR_CAROM_EOF' })
})

test('accept never throws synchronously and does not block the loop', async t => {
  const listener = listen(t, socketPath(t))
  for (const options of [null, 5, { timeout: Number.NaN }, { timeout: 'x' }, { signal: 5 }]) {
    let promise: Promise<Connection> | undefined
    t.notThrows(() => {
      promise = listener.accept(options as never)
    })
    await t.throwsAsync(promise!)
  }
  const accepting = listener.accept()
  t.true(await isPending(accepting))
  closing(t, ClientSync(listener.address))
  closing(t, await accepting)
})

for (const options of [undefined, { authkey }]) {
  const what = options === undefined ? 'without a key' : 'with a key'

  test(`${what}: for await gives the connections until the listener closes`, async t => {
    const listener = listen(t, socketPath(t), options)
    const received: unknown[] = []
    const loop = (async () => {
      for await (const accepted of listener) {
        received.push(await accepted.recv())
        await accepted.close()
      }
    })()
    for (let i = 0; i < 5; i++) {
      const client = closing(t, await Client(listener.address, options))
      await client.send(i)
      await t.throwsAsync(client.recv(), { code: 'ERR_CAROM_EOF' })
    }
    t.true(await isPending(loop))
    await listener.close()
    await loop
    t.deepEqual(received, [0, 1, 2, 3, 4])
  })

  test(`${what}: leaving the loop leaves the listener open`, async t => {
    const listener = listen(t, socketPath(t), options)
    for (let i = 0; i < 3; i++) {
      const connecting = Client(listener.address, options)
      for await (const accepted of listener) {
        closing(t, accepted)
        break
      }
      closing(t, await connecting)
    }
    t.false(listener.closed)
  })
}

test('a loop over a closed listener ends at once, and one whose body closes it ends too', async t => {
  const listener = listen(t, socketPath(t))
  closing(t, await Client(listener.address))
  let rounds = 0
  for await (const accepted of listener) {
    closing(t, accepted)
    rounds++
    await listener.close()
  }
  for await (const _ of listener) t.fail()
  t.is(rounds, 1)
  const iterator = listener[Symbol.asyncIterator]()
  t.is(iterator[Symbol.asyncIterator](), iterator)
  t.deepEqual(await iterator.next(), { value: undefined, done: true })
})

test('an iterator that was returned gives no more', async t => {
  const listener = listen(t, socketPath(t))
  const iterator = listener[Symbol.asyncIterator]()
  closing(t, await Client(listener.address))
  closing(t, (await iterator.next()).value as Connection)
  await iterator.return?.()
  t.deepEqual(await iterator.next(), { value: undefined, done: true })
  t.false(listener.closed)
})

test('two loops share the connections', async t => {
  const listener = listen(t, socketPath(t))
  let count = 0
  const loop = async () => {
    for await (const accepted of listener) {
      closing(t, accepted)
      count++
    }
  }
  const loops = [loop(), loop()]
  for (let i = 0; i < 6; i++) {
    const client = closing(t, await Client(listener.address))
    await client.send(i)
  }
  while (count < 6) await new Promise(resolve => setTimeout(resolve, 5))
  await listener.close()
  await Promise.all(loops)
  t.is(count, 6)
})

test('a hundred clients with the key at once', async t => {
  const listener = listen(t, socketPath(t), { authkey })
  const connecting = Array.from({ length: 100 }, () => Client(listener.address, { authkey }))
  const accepted = await Promise.all(connecting.map(() => listener.accept()))
  const clients = await Promise.all(connecting)
  for (const conn of [...accepted, ...clients]) closing(t, conn)
  await Promise.all(clients.map((client, i) => client.send(i)))
  const received = (await Promise.all(accepted.map(each => each.recv()))) as number[]
  t.deepEqual(
    received.sort((a, b) => a - b),
    [...Array(100).keys()],
  )
})

test('several listeners in one process, each has its own clients', async t => {
  const listeners: Listener[] = []
  for (const place of Object.values(everyPlace)) listeners.push(listen(t, place(t)))
  const accepting = listeners.map(listener => listener.accept())
  const clients = await Promise.all(listeners.map(listener => Client(listener.address)))
  const accepted = await Promise.all(accepting)
  for (const conn of [...clients, ...accepted]) closing(t, conn)
  await Promise.all(clients.map((client, i) => client.send(i)))
  t.deepEqual(await Promise.all(accepted.map(each => each.recv())), [...listeners.keys()])
})

test('an accepted connection moves to a process, and so does a client', async t => {
  for (const place of [everyPlace.path, everyPlace.IPv4])
    for (const which of ['accepted', 'client'] as const) {
      const listener = listen(t, place(t), { authkey })
      const [client, accepted] = await connectedTo(t, listener, { authkey })
      const [moved, ours] = which === 'accepted' ? [accepted, client] : [client, accepted]
      // What was received and not read goes along.
      await ours.send('early')
      await moved.poll(Number.POSITIVE_INFINITY)
      const child = start(t, {
        module: fixture('process-targets.mjs'),
        target: 'echo',
        args: [moved],
        execArgv: [],
      })
      t.true(moved.closed)
      t.is(await ours.recv(), 'early')
      await ours.send({ from: which })
      t.deepEqual(await ours.recv(), { from: which })
      await ours.close()
      t.is(await child.join(), 0)
    }
})

test('an accepted connection is detached and opened again', async t => {
  const { Connection } = await import('carom')
  const listener = listen(t, anyPort)
  const [client, accepted] = await connectedTo(t, listener)
  await client.send('unread')
  await accepted.poll(Number.POSITIVE_INFINITY)
  const again = closing(t, Connection.from(accepted.detach()))
  t.is(await again.recv(), 'unread')
  await again.send('back')
  t.is(await client.recv(), 'back')
})
