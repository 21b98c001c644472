import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fstatSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { Client, type Connection } from 'carom'
import { forms } from './helpers/forms.mjs'
import { anyPort, closing, connectedTo, listen, listeningForms, socketPath, startFar } from './helpers/listeners.mjs'
import { patterned } from './helpers/pipes.mjs'
import { onLinux, testIf, testOnUnix, underWine } from './helpers/platform.mjs'
import { frame, header } from './helpers/raw-peer.mjs'

const size = 5 * 2 ** 20
const reset = { code: 'ECONNRESET', instanceOf: Error }
const testOfReset = testIf(!underWine, 'Wine gives the end of the stream for a reset')
const truncated = { name: 'EOFError', code: 'ERR_CAROM_TRUNCATED' }

/** Two ends over TCP, one of which is a socket of `node:net`. */
async function withSocket(t: ExecutionContext, side: 'accepted' | 'client'): Promise<[Connection, Socket]> {
  if (side === 'accepted') {
    const listener = listen(t, anyPort)
    const { host, port } = listener.address as { host: string; port: number }
    const socket = connect(port, host)
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    return [closing(t, await listener.accept()), socket]
  }
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const accepting = once(server, 'connection')
  const { port } = server.address() as { port: number }
  const client = closing(t, await Client({ host: '127.0.0.1', port }))
  const [socket] = (await accepting) as [Socket]
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  return [client, socket]
}

for (const form of forms) {
  for (const side of ['accepted', 'client'] as const) {
    testOfReset(`${form.name}: ${side}: a reset between messages is ECONNRESET, again and again`, async t => {
      const [conn, socket] = await withSocket(t, side)
      socket.write(frame(Buffer.from('whole')))
      await conn.poll(60_000)
      t.is((await form.recvBytes(conn)).toString(), 'whole')
      socket.resetAndDestroy()
      await conn.poll(60_000)
      for (let i = 0; i < 2; i++) await t.throwsAsync(form.recvBytes(conn), reset)
      t.true(await form.poll(conn, 60_000))
      await t.throwsAsync(form.recv(conn), reset)
    })

    testOfReset(`${form.name}: ${side}: a reset inside a message is the end inside one`, async t => {
      for (const part of [Buffer.concat([header(10), Buffer.from('half')]), header(10), header(10).subarray(0, 2)]) {
        const [conn, socket] = await withSocket(t, side)
        socket.write(frame(Buffer.from('whole')))
        await new Promise<void>(resolve => socket.write(part, () => resolve()))
        await conn.poll(60_000)
        t.is((await form.recvBytes(conn)).toString(), 'whole')
        // It must have arrived before the reset overtakes it.
        t.false(await conn.poll(20))
        socket.resetAndDestroy()
        await conn.poll(60_000)
        for (let i = 0; i < 2; i++) {
          const error = await t.throwsAsync(form.recvBytes(conn), truncated)
          t.is((error?.cause as NodeJS.ErrnoException | undefined)?.code, 'ECONNRESET')
        }
      }
    })

    test(`${form.name}: ${side}: an end between messages and inside one`, async t => {
      for (const [part, expected] of [
        [Buffer.alloc(0), { name: 'EOFError', code: 'ERR_CAROM_EOF' }],
        [header(10), truncated],
      ] as const) {
        const [conn, socket] = await withSocket(t, side)
        socket.end(Buffer.concat([frame(Buffer.from('whole')), part]))
        await conn.poll(60_000)
        t.is((await form.recvBytes(conn)).toString(), 'whole')
        await conn.poll(60_000)
        await t.throwsAsync(form.recvBytes(conn), expected)
      }
    })
  }

  for (const place of [anyPort, { host: '::1', port: 0 }, 'path'] as const) {
    const where = typeof place === 'string' ? place : place.host
    for (const closer of ['accepted', 'client'] as const) {
      test(`${form.name}: ${where}: what the ${closer} end sent before it closed arrives, though it has not read`, async t => {
        const far = await startFar(t)
        const message = patterned(size)
        let ours: Connection
        if (closer === 'accepted') {
          const listener = listen(t, typeof place === 'string' ? socketPath(t) : place)
          const connecting = far.connect(listener.address)
          ours = closing(t, await listener.accept())
          await connecting
        } else {
          const address = await far.listen(typeof place === 'string' ? socketPath(t) : place)
          const taking = far.take()
          ours = closing(t, await Client(address))
          await taking
        }
        // Unread here, more than what one receive takes.
        await far.send(patterned(100_000))
        await ours.poll(60_000)
        const receiving = far.receive<Uint8Array>()
        await form.send(ours, message)
        await form.close(ours)
        t.true(Buffer.from(await receiving).equals(message))
        await t.throwsAsync(far.receive(), { code: 'ERR_CAROM_EOF' })
      })
    }
  }
}

for (const form of listeningForms) {
  testOnUnix('no program can be given its descriptor')(
    `${form.name}: TCP_NODELAY is set on both ends, also with a key`,
    async t => {
      const nodelay = async (conn: Connection) => {
        const child = spawn(
          '/usr/bin/python3',
          ['-c', 'import socket; print(socket.socket(fileno=3).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))'],
          { stdio: ['ignore', 'pipe', 'inherit', conn.fd] },
        )
        return Number(await text(child.stdout!))
      }
      for (const host of ['127.0.0.1', '::1']) {
        const listener = listen(t, { host, port: 0 })
        const client = closing(t, await form.connect(listener.address))
        const accepted = closing(t, await form.accept(listener))
        t.not(await nodelay(client), 0)
        t.not(await nodelay(accepted), 0)
      }
    },
  )
}

testIf(onLinux, 'Linux alone tells')(
  'the descriptors of listeners and connections are not handed to programs that are started',
  async t => {
    const { closesOnExec } = await import('./helpers/descriptors.mjs')
    for (const place of [anyPort, socketPath(t)]) {
      const listener = listen(t, place)
      const [client, accepted] = await connectedTo(t, listener)
      for (const { fd } of [listener, client, accepted]) t.true(closesOnExec(fd))
    }
  },
)

/** In how many descriptors of reactors of this process the file is registered; Linux only. */
function registrations(inode: number): number {
  const ofFile = new RegExp(`ino:${inode.toString(16)} `)
  const count = (fd: string) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')
        .split('\n')
        .filter(line => ofFile.test(line)).length
    } catch {
      // One that was open for the listing only.
      return 0
    }
  }
  return readdirSync('/proc/self/fdinfo').reduce((sum, fd) => sum + count(fd), 0)
}

for (const form of listeningForms) {
  testOnUnix('no program can be given its descriptor')(
    `${form.name}: after close, a child that has a copy goes on accepting, and nobody is told of it here`,
    async t => {
      const listener = listen(t, anyPort)
      await t.throwsAsync(form.accept(listener, { timeout: 0 }), { code: 'ERR_CAROM_TIMEOUT' })
      const { ino } = fstatSync(listener.fd)
      if (onLinux) t.true(registrations(ino) > 0)
      const program = `
      const server = require('node:net').createServer(socket => socket.end('from the child'))
      server.listen({ fd: 3 }, () => console.log('ready'))`
      const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit', listener.fd] })
      t.teardown(() => child.kill('SIGKILL'))
      await once(child.stdout as NodeJS.ReadableStream, 'data')
      const { host, port } = listener.address as { host: string; port: number }
      await form.close(listener)
      if (onLinux) t.is(registrations(ino), 0)
      for (let i = 0; i < 3; i++) t.is(await text(connect(port, host)), 'from the child')
    },
  )
}

test('what is sent while the peer does not read, and a close, arrive whole at a slow reader', async t => {
  const [conn, socket] = await withSocket(t, 'accepted')
  socket.pause()
  // The peer has sent what will not be read.
  socket.write(frame(Buffer.alloc(1_000)))
  await conn.poll(60_000)
  const message = patterned(size)
  const sent = conn.sendBytes(message)
  const closing = conn.close()
  const received: Buffer[] = []
  socket.on('data', part => received.push(part)).resume()
  await once(socket, 'end')
  await Promise.all([sent, closing])
  t.true(Buffer.concat(received).equals(frame(message)))
})

test('a message of many sizes over TCP, both ways at once', async t => {
  const listener = listen(t, anyPort)
  const [client, accepted] = await connectedTo(t, listener)
  const sizes = [0, 1, 1_000, 65_536, 65_537, 1_000_000, 3]
  const direction = async (from: Connection, to: Connection, seed: number) => {
    const sending = (async () => {
      for (const length of sizes) await from.sendBytes(patterned(length, seed))
    })()
    for (const length of sizes) t.true((await to.recvBytes()).equals(patterned(length, seed)))
    await sending
  }
  await Promise.all([direction(client, accepted, 1), direction(accepted, client, 2)])
})
