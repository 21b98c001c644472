import { closeSync, openSync, readSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { ClientSync, Connection, Pipe, type Waitable, wait, waitable, waitSync } from 'carom'
import { closed, notReadable, wrongValue } from './helpers/expectations.mjs'
import { isPending, openPipe } from './helpers/pipes.mjs'
import { onWindows, testIf, testOnUnix } from './helpers/platform.mjs'
import { fixture, start } from './helpers/processes.mjs'
import { atMost, openDescriptors, openListener, waitForms } from './helpers/waits.mjs'

const testDescriptor = testOnUnix('no waits for descriptors')
/** What becomes of a number that is no descriptor; on Windows, of each. */
const noDescriptor = onWindows ? 'ENOTSUP' : 'EBADF'

/** How many descriptors of this kind a failed or finished wait could leave behind. */
const many = 30

for (const form of waitForms) {
  testDescriptor(`${form.name}: a descriptor is ready when it can be read, and at its end`, async t => {
    const [fd, writer] = openDescriptors(t)
    t.deepEqual(await form.wait([fd], 0), [])
    t.deepEqual(await form.wait([fd], 20), [])
    // A byte is enough: it is no connection.
    await writer.write(Buffer.of(7))
    for (let i = 0; i < 3; i++) t.deepEqual(await form.wait([fd]), [fd])
    t.is(readSync(fd, Buffer.alloc(10)), 1)
    t.deepEqual(await form.wait([fd], 0), [])
    writer.close()
    t.deepEqual(await form.wait([fd]), [fd])
    t.deepEqual(await form.wait([fd]), [fd])
  })

  testDescriptor(`${form.name}: the same descriptor as a number, twice, and in objects`, async t => {
    const [fd, writer] = openDescriptors(t)
    const [object, frozen] = [{ fd, name: 'mine' }, Object.freeze({ fd })]
    const list = [fd, object, fd, frozen, object]
    t.deepEqual(await form.wait(list, 0), [])
    t.deepEqual(await form.wait(list, 10), [])
    await writer.write(Buffer.of(7))
    const ready = await form.wait(list)
    t.is(ready.length, list.length)
    ready.forEach((each, i) => {
      t.is(each, list[i])
    })
  })

  testDescriptor(`${form.name}: files and directories are always ready`, async t => {
    const path = join(tmpdir(), `carom-wait-${process.pid}-${form.name}`)
    writeFileSync(path, '')
    const [, idle] = openPipe(t)
    const fds = [openSync(path, 'r+'), openSync(tmpdir(), 'r'), openSync('/dev/null', 'r')]
    t.teardown(() => fds.map(fd => closeSync(fd)))
    for (const fd of fds) {
      t.deepEqual(await form.wait([fd]), [fd])
      t.deepEqual(await form.wait([idle, { fd }, fd], 0), [{ fd }, fd])
    }
    t.deepEqual(await form.wait([idle, ...fds]), fds)
  })

  testDescriptor(`${form.name}: a number that belongs to another file by then`, async t => {
    const { fd: mine } = Pipe()[0].detach()
    t.deepEqual(await form.wait([mine], 0), [])
    closeSync(mine)
    await t.throwsAsync(form.wait([mine], 0), { code: 'EBADF' })
    const file = openSync('/dev/null', 'r')
    t.teardown(() => closeSync(file))
    // The lowest number that is free, unless another test has taken it.
    t.log(file === mine ? 'the same number' : 'another number')
    t.deepEqual(await form.wait([file]), [file])
    const object = { fd: file }
    t.deepEqual(await form.wait([object]), [object])
    const [other] = openDescriptors(t)
    object.fd = other
    t.deepEqual(await form.wait([object], 0), [])
    object.fd = file
    t.deepEqual(await form.wait([object]), [object])
  })

  for (const fd of [-1, 2 ** 31 - 1, 987_654]) {
    testDescriptor(`${form.name}: ${fd} is no open descriptor`, async t => {
      const [, idle] = openPipe(t)
      for (const bad of [fd, { fd }]) {
        await t.throwsAsync(form.wait([bad]), { code: 'EBADF' })
        await t.throwsAsync(form.wait([idle, bad], 0), { code: 'EBADF' })
        await t.throwsAsync(form.wait([bad], 0), { code: 'EBADF' })
      }
      t.deepEqual(await form.wait([idle], 0), [])
    })
  }

  for (const fd of [
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 31,
    2 ** 32 + 1,
    -(2 ** 40),
  ]) {
    test(`${form.name}: ${fd} is no descriptor at all`, async t => {
      for (const bad of [fd, { fd }]) {
        const error = await t.throwsAsync<NodeJS.ErrnoException>(form.wait([bad], 0))
        t.true(
          ['ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE', noDescriptor, 'EINVAL'].includes(`${error?.code}`),
          error?.code,
        )
      }
    })
  }

  testDescriptor(`${form.name}: a descriptor of a connection, beside the connection`, async t => {
    const [a, b] = openPipe(t)
    const object = { fd: b.fd }
    const list = [b.fd, object, b]
    t.deepEqual(await form.wait(list, 0), [])
    t.deepEqual(await form.wait(list, 10), [])
    await a.send('one')
    // Whether the descriptor is readable still depends on whether the connection has looked for a message.
    t.is((await form.wait(list)).at(-1), b)
    t.is(await b.recv(), 'one')
    t.deepEqual(await form.wait(list, 0), [])
    await a.send('two')
    t.deepEqual(await form.wait([b.fd]), [b.fd])
    t.is(await b.recv(), 'two')
  })

  testDescriptor(`${form.name}: waits leave no descriptors behind, not those that fail either`, async t => {
    const [fd] = openDescriptors(t)
    const [, bad] = openPipe(t)
    bad.closeSync()
    const probe = () => {
      const next = openSync('/dev/null', 'r')
      closeSync(next)
      return next
    }
    const before = probe()
    for (let i = 0; i < many; i++) {
      // A new list each time.
      await t.throwsAsync(form.wait([fd, { fd }, bad]), closed)
      await t.throwsAsync(form.wait([{ fd }, -1]), { code: 'EBADF' })
      t.deepEqual(await form.wait([{ fd }], 0), [])
    }
    // The lowest free number: others may have come up to it, but not so many.
    t.true(probe() - before < many)
  })

  testDescriptor(`${form.name}: a custom waitable stands for what it gives`, async t => {
    const [a, b] = openPipe(t)
    const [fd, writer] = openDescriptors(t)
    const object = { [waitable]: () => b }
    const chain = { [waitable]: () => ({ [waitable]: () => object }) }
    const number = { [waitable]: () => fd, fd: -1 }
    const ready = { [waitable]: () => true as const }
    t.deepEqual(await form.wait([object, chain, number], 0), [])
    await a.send(1)
    t.deepEqual(await form.wait([chain, number, b, object]), [chain, b, object])
    await writer.write(Buffer.of(1))
    t.deepEqual(await form.wait([chain, number, object]), [chain, number, object])
    t.deepEqual(await form.wait([ready]), [ready])
    t.is(await b.recv(), 1)
    t.deepEqual(await form.wait([object, ready, chain]), [ready])
    t.deepEqual(await form.wait([object], 0), [])
  })

  test(`${form.name}: a custom waitable is asked once for each wait, as a method`, async t => {
    const [a, b] = openPipe(t)
    const calls: unknown[] = []
    const object = {
      [waitable](...args: unknown[]) {
        calls.push(this, args.length)
        return b
      },
    }
    t.deepEqual(await form.wait([object], 10), [])
    t.deepEqual(calls, [object, 0])
    await a.send(1)
    t.deepEqual(await form.wait([object]), [object])
    t.is(calls.length, 4)
    t.deepEqual(await form.wait([object]), [object])
    t.is(calls.length, 6)
    t.deepEqual(await form.wait([object, b, object]), [object, b, object])
    t.is(calls.length, 8)
  })

  test(`${form.name}: what stands for it may change from wait to wait`, async t => {
    const [[a, b], [, d]] = [openPipe(t), openPipe(t)]
    let current: true | Connection = d
    const object = { [waitable]: () => current }
    t.deepEqual(await form.wait([object, b], 0), [])
    current = b
    t.deepEqual(await form.wait([object], 0), [])
    await a.send(1)
    t.deepEqual(await form.wait([object]), [object])
    current = d
    t.deepEqual(await form.wait([object], 0), [])
    current = true
    t.deepEqual(await form.wait([object, d]), [object])
  })

  test(`${form.name}: a class, and an inherited method`, async t => {
    const [a, b] = openPipe(t)
    class Base {
      get [Symbol.for('carom.waitable') as typeof waitable](): () => Waitable {
        return () => b
      }
    }
    class Derived extends Base {}
    const object = new Derived()
    t.is(Symbol.for('carom.waitable'), waitable)
    await a.send(1)
    t.deepEqual(await form.wait([object] as Waitable[]), [object] as Waitable[])
  })

  test(`${form.name}: one that stands for itself is an error`, async t => {
    const self: { [waitable](): Waitable } = { [waitable]: () => self }
    const other = { [waitable]: () => self }
    await t.throwsAsync(form.wait([self]), wrongValue)
    await t.throwsAsync(form.wait([other], 0), wrongValue)
  })

  test(`${form.name}: one that throws, or gives nothing to wait for`, async t => {
    const [a, b] = openPipe(t)
    await a.send('stays')
    const thrown = new Error('cannot say')
    const throws = {
      [waitable]: (): true => {
        throw thrown
      },
    }
    t.is(await t.throwsAsync(form.wait([b, throws])), thrown)
    for (const value of [undefined, null, false, 'true', {}, { [waitable]: 7 }]) {
      const object = { [waitable]: () => value } as unknown as Waitable
      await t.throwsAsync(form.wait([b, object], 0), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    const writer = Pipe({ duplex: false })[1]
    t.teardown(() => writer.close())
    await t.throwsAsync(form.wait([{ [waitable]: () => writer as unknown as Waitable }], 0), notReadable)
    await t.throwsAsync(form.wait([{ [waitable]: () => -1 }], 0), { code: noDescriptor })
    t.is(await b.recv(), 'stays')
  })

  testDescriptor(`${form.name}: all kinds in one list`, async t => {
    const [a, b] = openPipe(t)
    const [fd, writer] = openDescriptors(t)
    const listener = openListener(t)
    const child = start(t, { module: fixture('process-targets.mjs'), target: 'stay', execArgv: [] })
    const inner = openPipe(t)
    const custom = { [waitable]: () => inner[1] }
    const object = { fd }
    const all = [custom, child, object, listener, b, fd]
    t.deepEqual(await form.wait(all, 0), [])
    t.deepEqual(await form.wait(all, 10), [])
    await a.send(1)
    t.deepEqual(await form.wait(all), [b])
    const client = ClientSync(listener.address)
    t.teardown(() => client.close())
    t.deepEqual(await form.wait(all), [listener, b])
    await inner[0].send(1)
    t.deepEqual(await form.wait(all), [custom, listener, b])
    await writer.write(Buffer.of(1))
    t.deepEqual(await form.wait(all), [custom, object, listener, b, fd])
    child.kill()
    t.is(await child.join(), -9)
    t.deepEqual(await form.wait(all), all)
    t.is(await b.recv(), 1)
    t.deepEqual(await form.wait(all.toReversed()), [fd, listener, object, child, custom])
    await listener.close()
    await t.throwsAsync(form.wait(all), closed)
  })
}

testDescriptor('descriptors that become ready during a wait, one after the other and together', async t => {
  const [[one, first], [two, second]] = [openDescriptors(t), openDescriptors(t)]
  const waits = [wait([one, two]), wait([two, one]), wait([{ fd: two }])]
  t.true(await isPending(Promise.race(waits)))
  await first.write(Buffer.of(1))
  t.deepEqual(await Promise.all(waits.slice(0, 2)), [[one], [one]])
  t.true(await isPending(waits[2]))
  await second.write(Buffer.of(1))
  t.deepEqual(await waits[2], [{ fd: two }])
  t.deepEqual(await wait([one, two]), [one, two])
})

testDescriptor('a descriptor in a blocking wait while async waits for it are pending', async t => {
  const [fd, writer] = openDescriptors(t)
  const waits = [wait([fd]), wait([fd], atMost)]
  t.deepEqual(waitSync([fd], 5), [])
  t.true(await isPending(Promise.race(waits)))
  await writer.write(Buffer.of(1))
  t.deepEqual(waitSync([fd]), [fd])
  t.deepEqual(await Promise.all(waits), [[fd], [fd]])
})

testDescriptor('a descriptor that is closed during a wait does no harm to the others', async t => {
  const [a, b] = openPipe(t)
  // Its other end stays, or the collector would end the stream.
  const [mine, theirs] = Pipe()
  t.teardown(() => theirs.closeSync())
  const { fd } = mine.detach()
  const waiting = wait([fd, b])
  t.true(await isPending(waiting))
  closeSync(fd)
  const [c, d] = openPipe(t)
  await c.send(1)
  t.deepEqual(await wait([d]), [d])
  await a.send(1)
  t.true((await waiting).includes(b))
})

testDescriptor("a socket of node:net, by its handle's descriptor", async t => {
  const server = createServer()
  t.teardown(() => server.close())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve))
  // Node reads what arrives, unless it is paused from the start.
  const socket = connect(port, '127.0.0.1').pause()
  const far = await accepted
  t.teardown(() => {
    socket.destroy()
    far.destroy()
  })
  await new Promise(resolve => setTimeout(resolve, 10))
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
  t.deepEqual(waitSync([fd], 5), [])
  const waiting = wait([fd])
  t.true(await isPending(waiting))
  far.write('some bytes')
  t.deepEqual(await waiting, [fd])
  // Nothing was taken.
  const chunk = new Promise<Buffer>(resolve => socket.once('data', resolve))
  socket.resume()
  t.is((await chunk).toString(), 'some bytes')
})

testDescriptor('a wait on a descriptor of a detached connection, and then on the connection made of it', async t => {
  const [a, b] = openPipe(t)
  const detached = b.detach()
  t.deepEqual(waitSync([detached], 5), [])
  await a.send(1)
  t.deepEqual(await wait([detached]), [detached])
  const conn = Connection.from(detached)
  t.teardown(() => conn.close())
  t.deepEqual(await wait([conn]), [conn])
  t.is(await conn.recv(), 1)
})

for (const form of waitForms) {
  testDescriptor(`${form.name}: a wait that a look leads to, over the same list, has a set of its own`, async t => {
    const [fd, writer] = openDescriptors(t)
    const [x, y] = openPipe(t)
    const list = [fd, y]
    let inner: Promise<unknown[]> | undefined
    const blocking: unknown[] = []
    const serializer = {
      encode: (value: unknown) => Buffer.from(String(value)),
      decode: (bytes: Uint8Array) => {
        inner = wait(list, atMost)
        blocking.push(waitSync(list, 0), waitSync(list, 5))
        return String(bytes)
      },
    }
    const [a, b] = openPipe(t, { serializer })
    t.deepEqual(waitSync(list, 0), [])
    for (const timeout of [0, 100]) {
      const received = b.recv()
      a.sendSync('decoded while the outer wait looks')
      // What is pending in it must not end with the outer wait.
      t.deepEqual(await form.wait(list, timeout), [])
      await received
      t.true(await isPending(inner as Promise<unknown>))
      await writer.write(Buffer.of(1))
      t.deepEqual(await inner, [fd])
      readSync(fd, Buffer.alloc(1))
      t.deepEqual(await form.wait(list, 0), [])
    }
    t.deepEqual(blocking, [[], [], [], []])
    x.sendSync(1)
    t.deepEqual(await form.wait(list), [y])
  })

  testDescriptor(
    `${form.name}: a wait from within a look, over the same list, takes nothing from the outer one`,
    async t => {
      const [fd] = openDescriptors(t)
      const [a, b] = openPipe(t)
      const [c, d] = openPipe(t)
      const inner: unknown[][] = []
      let looks = 0
      const object = {
        get fd() {
          // The first is for what it is, the second for the descriptor to watch: the set is looking then.
          if (++looks === 2) inner.push(waitSync(list, 0))
          return fd
        },
      }
      const list: Waitable[] = [object, b, d]
      a.sendSync(1)
      c.sendSync(2)
      t.deepEqual(await form.wait(list, 0), [b, d])
      t.deepEqual(inner, [[b, d]])
    },
  )

  testDescriptor(`${form.name}: a custom waitable may wait itself, over the same list`, async t => {
    const [a, b] = openPipe(t)
    const [fd, writer] = openDescriptors(t)
    const list = [fd, b]
    const inner: Promise<unknown[]>[] = []
    const blocking: unknown[] = []
    const custom = {
      [waitable]: () => {
        inner.push(wait(list, atMost))
        blocking.push(waitSync(list, 0))
        return b
      },
    }
    t.deepEqual(await form.wait([fd, custom], 0), [])
    t.deepEqual(await form.wait([fd, custom], 20), [])
    t.true(await isPending(Promise.race(inner)))
    await writer.write(Buffer.of(1))
    t.deepEqual(await Promise.all(inner), [[fd], [fd]])
    await a.send(1)
    t.deepEqual(await form.wait([fd, custom]), [fd, custom])
    t.deepEqual(blocking, [[], [], [fd, b]])
  })
}

testDescriptor('two waits over the same descriptor, whose number belongs to another file by the second', async t => {
  const [, idle] = openPipe(t)
  const [first, firstWriter] = openDescriptors(t)
  const [second, secondWriter] = openDescriptors(t)
  const object = { fd: first }
  const list = [object, idle]
  const aborter = new AbortController()
  const waits = [wait(list), wait(list, { signal: aborter.signal })]
  object.fd = second
  waits.push(wait(list, atMost))
  t.true(await isPending(Promise.race(waits)))
  await secondWriter.write(Buffer.of(1))
  t.deepEqual(await waits[2], [object])
  t.true(await isPending(Promise.race(waits.slice(0, 2))))
  aborter.abort(new Error('enough'))
  await t.throwsAsync(waits[1], { message: 'enough' })
  await firstWriter.write(Buffer.of(1))
  t.deepEqual(await waits[0], [object])
})

for (const form of waitForms) {
  testIf(onWindows, 'waits for descriptors')(
    `${form.name}: a descriptor is refused, before anything is waited for`,
    async t => {
      const [a, b] = openPipe(t)
      await a.send('stays')
      for (const bad of [b.fd, { fd: b.fd }, 0, -1]) {
        for (const objects of [[bad], [b, bad], [bad, b]]) {
          await t.throwsAsync(form.wait(objects), { code: noDescriptor })
          await t.throwsAsync(form.wait(objects, 0), { code: noDescriptor })
        }
      }
      t.is(await b.recv(), 'stays')
    },
  )
}
