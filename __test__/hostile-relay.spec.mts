/** Who stands between two sides of one process must not have one of them answer what the other one asks. */
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Address, AuthenticationError, type BoundAddress, Client, ClientSync, Listener } from 'carom'
import {
  challenge,
  challengeIn,
  families,
  key,
  LONG,
  type PeerFamily,
  RawStream,
  WELCOME,
} from './helpers/hostile-peers.mjs'
import { anyPort, localFamily, socketPath } from './helpers/listeners.mjs'
import { onLinux, testIf } from './helpers/platform.mjs'
import { startProgram, startWorker } from './helpers/programs.mjs'

const options = { authkey: key, handshakeTimeout: LONG }
const forms = ['async', 'blocking'] as const
const refusal = { instanceOf: AuthenticationError as never, code: 'ERR_CAROM_AUTH', message: /open in this process/ }

interface Outcome {
  name: string
  code?: string
  text?: string
}
interface Accepted {
  message: string
  failures: Outcome[]
}

function privateDirectory(t: ExecutionContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'carom-relay-')))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A process between the two, that passes on what it gets. */
async function startRelay(t: ExecutionContext, setting: { directory?: string; at: Address; to: BoundAddress }) {
  const program = startProgram(t, 'hostile-relay.mjs', { args: [JSON.stringify(setting)] })
  const { address } = await program.report<{ address: string | AddressInfo }>()
  return typeof address === 'string' ? address : { host: address.address, port: address.port }
}

const relayAt = (t: ExecutionContext, family: PeerFamily) => (family === localFamily ? socketPath(t) : anyPort)

for (const family of families) {
  test(`${family}: a client does not answer for one who is between it and a listener of its own thread`, async t => {
    const failed: Error[] = []
    const listener = new Listener({ family, ...options, onAuthenticationFailed: error => failed.push(error) })
    t.teardown(() => listener.closeSync())
    const accepted = listener.accept()
    const to = await startRelay(t, { at: relayAt(t, family), to: listener.address })
    for (let i = 1; i <= 3; i++) {
      await t.throwsAsync(Client(to, options), refusal)
      while (failed.length < i) await delay(5)
    }
    t.deepEqual(
      failed.map(({ name }) => name),
      ['EOFError', 'EOFError', 'EOFError'],
    )
    const [ours, theirs] = await Promise.all([Client(listener.address, options), accepted])
    ours.closeSync()
    theirs.closeSync()
  })

  for (const listenerForm of forms) {
    for (const clientForm of forms) {
      test(`${family}: neither does a ${clientForm} client for a ${listenerForm} listener of another thread`, async t => {
        const listening = await startWorker(t, 'hostile-worker.mjs', {
          role: 'listener',
          form: listenerForm,
          options: { ...options, family },
        })
        const address = await listening.report<BoundAddress>()
        const to = await startRelay(t, { at: relayAt(t, family), to: address })
        for (let i = 0; i < 3; i++) {
          const client = await startWorker(t, 'hostile-worker.mjs', {
            role: 'client',
            form: clientForm,
            address: to,
            options,
          })
          client.worker.postMessage('go')
          const outcome = await client.report<Outcome>()
          t.is(outcome.name, 'AuthenticationError', outcome.text)
          t.regex(outcome.text ?? '', /open in this process/)
        }
        const good = await Client(address, options)
        await good.sendBytes(Buffer.from('good'))
        const { message, failures } = await listening.report<Accepted>()
        good.closeSync()
        t.is(message, 'good')
        // The last one may not have been noticed yet.
        t.true(failures.length >= 2)
        for (const { name } of failures) t.is(name, 'EOFError')
      })
    }
  }

  test(`${family}: a relay between two processes is nobody's business`, async t => {
    const listening = startProgram(t, 'hostile-listener.mjs', {
      args: [JSON.stringify({ form: 'accept', options: { ...options, family } })],
    })
    const { address } = await listening.report<{ address: BoundAddress }>()
    const to = await startRelay(t, { at: relayAt(t, family), to: address })
    await using conn = await Client(to, options)
    await conn.sendBytes(Buffer.from('through'))
    t.is((await conn.recvBytes()).toString(), 'through')
    await conn.sendBytes(Buffer.from('stop'))
    await listening.exit
  })
}

for (const form of forms) {
  test(`${form}: a client does not answer what another client of its process asks`, async t => {
    const path = socketPath(t)
    const peers: RawStream[] = []
    const server = createServer(socket => peers.push(new RawStream(socket))).listen(path)
    t.teardown(() => server.close())
    await once(server, 'listening')
    const nextPeer = async () => {
      const before = peers.length
      while (peers.length === before) await delay(1)
      return peers[before]
    }

    // The first one is led to believe that it is with its listener, and asks it.
    let whose = nextPeer()
    const controller = new AbortController()
    const first = Client(path, { ...options, signal: controller.signal })
    const there = await whose
    await there.write(challenge())
    await there.read()
    await there.write(WELCOME)
    const asked = await there.read()
    challengeIn(asked)

    // The second one, of this thread or of another one, is asked the same.
    whose = nextPeer()
    const client = await startWorker(t, 'hostile-worker.mjs', { role: 'client', form, address: path, options })
    client.worker.postMessage('go')
    const second = await whose
    await second.write(asked)
    const outcome = await client.report<Outcome>()
    t.is(outcome.name, 'AuthenticationError', outcome.text)
    await second.over
    t.is(second.unread.length, 0)

    // It is the first one's as long as that waits, and no longer.
    controller.abort()
    await t.throwsAsync(first, { any: true, name: 'AbortError' })
    whose = nextPeer()
    const third = Client(path, options)
    third.catch(() => {})
    const other = await whose
    await other.write(asked)
    t.true((await other.read()).length > 32)
    other.close()
    await t.throwsAsync(third)
  })

  test(`${form}: a listener's challenge that comes back to it is no answer, and its time is not open for ever`, async t => {
    const listener = new Listener({ ...options, handshakeTimeout: 500, onAuthenticationFailed() {} })
    t.teardown(() => listener.closeSync())
    const accepted = listener.accept()
    const peer = await RawStream.connect(listener.address)
    const asked = await peer.read()
    // Whoever has it from the listener may keep it, but then it is worth nothing any more.
    await peer.over
    const server = createServer(socket => new RawStream(socket).write(asked)).listen(socketPath(t))
    t.teardown(() => server.close())
    await once(server, 'listening')
    const client = await startWorker(t, 'hostile-worker.mjs', {
      role: 'client',
      form,
      address: server.address(),
      options: { ...options, handshakeTimeout: 300 },
    })
    client.worker.postMessage('go')
    t.is((await client.report<Outcome>()).name, 'TimeoutError')
    listener.closeSync()
    await t.throwsAsync(accepted, { code: 'ERR_CAROM_CLOSED' })
  })
}

const testOfPath = testIf(onLinux, 'uses paths of sockets', test.serial)

// The two tests change the working directory, which is the whole process's.
testOfPath('a relay at a name that is the same in another directory is not the listener', async t => {
  const [here, there] = [privateDirectory(t), privateDirectory(t)]
  const home = process.cwd()
  process.chdir(here)
  t.teardown(() => process.chdir(home))
  const failed: Error[] = []
  const listener = new Listener('s', { ...options, onAuthenticationFailed: error => failed.push(error) })
  const accepted = listener.accept()
  await startRelay(t, { directory: there, at: 's', to: join(here, 's') })
  const to = join(there, 's')
  await t.throwsAsync(Client(to, options), refusal)
  t.throws(() => ClientSync(to, { ...options, timeout: 5000 }), { instanceOf: Error })
  listener.closeSync()
  await t.throwsAsync(accepted, { code: 'ERR_CAROM_CLOSED' })
})

testOfPath('a listener of the same process can be connected to however its path is spelled', async t => {
  const directory = privateDirectory(t)
  const home = process.cwd()
  process.chdir(directory)
  t.teardown(() => process.chdir(home))
  for (const name of ['s', './s', join(directory, 's')]) {
    const listener = new Listener(name, options)
    for (const to of [
      's',
      './s',
      join(directory, 's'),
      join(relative(directory, home), relative(home, directory), 's'),
    ]) {
      const [ours, theirs] = await Promise.all([Client(to, options), listener.accept()])
      t.is(listener.address, name)
      ours.closeSync()
      theirs.closeSync()
    }
    listener.closeSync()
  }
})

test('a listener at all interfaces can be connected to at each, and not by way of a relay', async t => {
  const failed: Error[] = []
  const listener = new Listener(
    { host: '0.0.0.0', port: 0 },
    { ...options, onAuthenticationFailed: error => failed.push(error) },
  )
  t.teardown(() => listener.closeSync())
  const { port } = listener.address as { port: number }
  for (const host of ['127.0.0.1', 'localhost']) {
    const to = { host, port, family: 'AF_INET' as const }
    const [ours, theirs] = await Promise.all([Client(to, { ...options, family: 'AF_INET' }), listener.accept()])
    ours.closeSync()
    theirs.closeSync()
  }
  const accepted = listener.accept()
  const to = await startRelay(t, { at: anyPort, to: { host: '127.0.0.1', port } })
  await t.throwsAsync(Client(to, options), refusal)
  listener.closeSync()
  await t.throwsAsync(accepted, { code: 'ERR_CAROM_CLOSED' })
})
