/** Listeners that are not what they should be: every client learns of it, in time, and is left with nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { BoundAddress } from 'carom'
import {
  answer,
  badHeaders,
  challenge,
  challengeIn,
  FAILURE,
  families,
  key,
  LONG,
  MARKER,
  mac,
  marked,
  nonsense,
  type PeerFamily,
  RawStream,
  WELCOME,
} from './helpers/hostile-peers.mjs'
import { localFamily, socketPath } from './helpers/listeners.mjs'
import { Program } from './helpers/programs.mjs'
import { frame, header } from './helpers/raw-peer.mjs'

type Behaviour = (peer: RawStream) => Promise<unknown>

const clients = ['async', 'blocking'] as const
type ClientForm = (typeof clients)[number]

const saying =
  (bytes: Uint8Array): Behaviour =>
  peer =>
    peer.writeBytes(bytes)

/** Challenges the client so, which it must not answer. */
const challenging =
  (message: Uint8Array): Behaviour =>
  async peer => {
    await peer.write(message)
    await peer.over
    if (peer.unread.length > 0) throw new Error('It was answered')
  }

/** Takes any answer, and then goes wrong. */
const afterwards =
  (...messages: Uint8Array[]): Behaviour =>
  async peer => {
    await peer.write(challenge())
    await peer.read()
    await peer.write(...messages)
  }

/** Takes any answer, and answers what it is asked in its own way. */
const answering =
  (make: (theirs: Buffer) => Uint8Array): Behaviour =>
  async peer => {
    await peer.write(challenge())
    await peer.read()
    await peer.write(WELCOME)
    await peer.write(make(challengeIn(await peer.read())))
    if (!(await peer.read()).equals(FAILURE)) throw new Error('It was believed')
  }

const sha256 = Buffer.from('{sha256}')
const named = (digest: string) => Buffer.concat([Buffer.from(`{${digest}}`), marked(40)])

const liars: Record<string, Behaviour> = {
  'a welcome at once': saying(frame(WELCOME)),
  'everything at once, without a challenge': saying(Buffer.concat([WELCOME, answer(marked(40)), WELCOME].map(frame))),
  'a failure at once': saying(frame(FAILURE)),
  'a challenge of 19 bytes': challenging(challenge(marked(19))),
  'a challenge of 19 bytes with a digest': challenging(challenge(Buffer.concat([sha256, marked(11)]))),
  'an empty challenge': challenging(challenge(Buffer.alloc(0))),
  "an old listener's challenge": challenging(challenge(marked(20))),
  'a challenge in MD5': challenging(challenge(named('md5'))),
  'a challenge in a digest that is not accepted': challenging(challenge(named('sha512'))),
  'a challenge in a digest that nobody knows': challenging(challenge(named(MARKER))),
  'a challenge without a digest': challenging(challenge(marked(48))),
  'a challenge of 257 bytes': challenging(challenge(Buffer.concat([sha256, marked(238)]))),
  'a failure': afterwards(FAILURE),
  'another challenge as a verdict': afterwards(challenge()),
  'an answer as a verdict': afterwards(answer(marked(40))),
  'a wrong key': answering(theirs => answer(theirs, 'another key')),
  "the client's own challenge as an answer": answering(theirs => challenge(theirs)),
  'a welcome as an answer': answering(() => WELCOME),
  'an answer that is right and too long': answering(theirs => Buffer.concat([answer(theirs), Buffer.of(0)])),
  'an answer that is right and too short': answering(theirs => answer(theirs).subarray(0, -1)),
  'an answer in MD5': answering(theirs => answer(theirs, key, 'md5')),
  "an old listener's answer": answering(theirs => mac('md5', theirs)),
  'an answer in a digest that is not accepted': answering(theirs => answer(theirs, key, 'sha512')),
  'an answer to something else': answering(() => answer(marked(48))),
}
for (const [name, bytes] of Object.entries(badHeaders)) liars[`${name} at once`] = saying(bytes)
for (const [name, bytes] of Object.entries(nonsense)) {
  liars[`${name} at once`] = saying(frame(bytes))
  liars[`${name} as a verdict`] = afterwards(bytes)
  liars[`${name} as an answer`] =
    bytes.length > 256
      ? async peer => {
          await peer.write(challenge())
          await peer.read()
          await peer.write(WELCOME, bytes)
        }
      : answering(() => bytes)
}

const quitters: Record<string, Behaviour> = {
  'hangs up at once': async peer => peer.close(),
  'resets at once': async peer => peer.reset(),
  'ends at once': async peer => peer.socket.end(),
  'hangs up within a header': async peer => {
    await peer.writeBytes(Buffer.of(0, 0))
    peer.close()
  },
  'hangs up within a challenge': async peer => {
    await peer.writeBytes(frame(challenge()).subarray(0, 30))
    peer.close()
  },
  'resets within a challenge': async peer => {
    await peer.writeBytes(frame(challenge()).subarray(0, 30))
    peer.reset()
  },
  'hangs up after its challenge': async peer => {
    await peer.write(challenge())
    peer.close()
  },
  'hangs up after the answer': async peer => {
    await peer.write(challenge())
    await peer.read()
    peer.close()
  },
  'resets after the answer': async peer => {
    await peer.write(challenge())
    await peer.read()
    peer.reset()
  },
  'hangs up after its verdict': async peer => {
    await peer.write(challenge())
    await peer.read()
    await peer.write(WELCOME)
    peer.close()
  },
  'hangs up when it is challenged': async peer => {
    await peer.write(challenge())
    await peer.read()
    await peer.write(WELCOME)
    await peer.read()
    peer.close()
  },
}

const sleepers: Record<string, Behaviour> = {
  'says nothing': async () => {},
  'says one byte per 100 ms': peer => peer.trickle(frame(challenge())),
  'says one byte of a message of 60,000 per 100 ms': peer =>
    peer.trickle(Buffer.concat([header(60_000), marked(60_000)])),
  'says a header': saying(header(50)),
  'says half a challenge': saying(frame(challenge()).subarray(0, 20)),
  'gives no verdict': async peer => {
    await peer.write(challenge())
    await peer.read()
  },
  'does not answer': afterwards(WELCOME),
}

interface Outcome {
  name: string
  code?: string
  text?: string
  ms: number
  descriptors: number
  memory: { rss: number; external: number; arrayBuffers: number }
}

/** A listener that does that to whoever connects; what it says against the client in the end. */
async function rogue(t: ExecutionContext, family: PeerFamily, behave: Behaviour) {
  const complaints: unknown[] = []
  const server = createServer({ allowHalfOpen: true }, socket => {
    const peer = new RawStream(socket)
    t.teardown(() => peer.close())
    behave(peer).catch(error => complaints.push(error))
  })
  if (family === localFamily) server.listen(socketPath(t))
  else server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const bound = server.address() as string | AddressInfo
  const address: BoundAddress = typeof bound === 'string' ? bound : { host: bound.address, port: bound.port }
  return { address, complaints }
}

function startClients(t: ExecutionContext, form: ClientForm) {
  const options = { authkey: key, handshakeTimeout: LONG }
  const file = fileURLToPath(new URL('fixtures/hostile-clients.mjs', import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', file, JSON.stringify({ form, options })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const program = new Program(child)
  return async (address: BoundAddress, more = {}): Promise<Outcome> => {
    child.stdin.write(`${JSON.stringify({ address, more })}\n`)
    return await program.report<Outcome>()
  }
}

const mebibyte = 1024 * 1024

for (const form of clients) {
  for (const family of families) {
    for (const [kind, behaviours, name] of [
      ['liars', liars, 'AuthenticationError'],
      ['quitters', quitters, 'EOFError'],
    ] as const) {
      test.serial(`${form}, ${family}: listeners that are ${kind} are not believed`, async t => {
        const connect = startClients(t, form)
        // What only the first costs.
        const first = await rogue(t, family, peer => peer.write(WELCOME))
        const before = await connect(first.address)
        for (const [what, behave] of Object.entries(behaviours)) {
          const { address, complaints } = await rogue(t, family, behave)
          const outcome = await connect(address)
          // A reset may come before the client has seen that it is connected.
          if (!(what.startsWith('resets') && outcome.code === 'ECONNRESET' && outcome.text?.includes(', connect ')))
            t.is(outcome.name, name, `${what}: ${outcome.text}`)
          t.deepEqual(complaints, [], what)
          t.is(outcome.descriptors, before.descriptors, what)
          t.true(outcome.memory.arrayBuffers - before.memory.arrayBuffers < 4 * mebibyte, what)
          t.true(outcome.memory.rss - before.memory.rss < 64 * mebibyte, what)
          t.false(JSON.stringify(outcome).includes(MARKER), what)
          t.false(JSON.stringify(outcome).includes(key), what)
        }
      })
    }

    for (const [option, text] of [
      ['handshakeTimeout', 'handshake'],
      ['timeout', 'within'],
    ] as const) {
      test.serial(
        `${form}, ${family}: listeners that say too little are given up when the ${option} is over`,
        async t => {
          const limit = 300
          const connect = startClients(t, form)
          const { descriptors } = await connect((await rogue(t, family, peer => peer.write(WELCOME))).address)
          for (const [what, behave] of Object.entries(sleepers)) {
            const { address } = await rogue(t, family, behave)
            const outcome = await connect(address, { [option]: limit })
            t.is(outcome.name, 'TimeoutError', what)
            t.is(outcome.code, 'ERR_CAROM_TIMEOUT', what)
            t.true(outcome.text?.includes(`${limit}`), outcome.text)
            t.true(outcome.text?.includes(text), outcome.text)
            t.true(outcome.ms > limit - 20 && outcome.ms < limit + 5000, `${what}: ${outcome.ms}`)
            t.is(outcome.descriptors, descriptors, what)
            t.false(JSON.stringify(outcome).includes(MARKER), what)
          }
        },
      )
    }
  }

  test.serial(`${form}: a listener that is slow and right is let in`, async t => {
    const connect = startClients(t, form)
    const { address } = await rogue(t, localFamily, async peer => {
      const slow = async (message: Uint8Array) => {
        for (const byte of frame(message)) {
          await peer.writeBytes(Uint8Array.of(byte))
          await new Promise(resolve => setTimeout(resolve, 2))
        }
      }
      const ours = challenge()
      await slow(ours)
      if (!(await peer.read()).equals(answer(challengeIn(ours)))) throw new Error('The answer is wrong')
      await slow(WELCOME)
      await slow(answer(challengeIn(await peer.read())))
    })
    t.is((await connect(address)).name, 'connected')
  })
}
