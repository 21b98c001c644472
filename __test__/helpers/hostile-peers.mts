/** Peers that speak the handshake byte by byte, and what goes wrong with it; and the listeners that they are let loose on. */
import { createHmac, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { type Address, type BoundAddress, Client, type Connection } from 'carom'
import { localFamily } from './listeners.mjs'
import { type Program, startProgram } from './programs.mjs'
import { frame, header, longHeader } from './raw-peer.mjs'
import { turn } from './turns.mjs'

export const key = 'the key of the good'
/** In all that hostile peers say: it must turn up nowhere. */
export const MARKER = 'ZQXJVK'
/** For whatever takes a moment, on a machine that is loaded. */
export const LONG = 60_000

export const WELCOME = Buffer.from('#WELCOME#')
export const FAILURE = Buffer.from('#FAILURE#')
const CHALLENGE = Buffer.from('#CHALLENGE#')

export const families = [localFamily, 'AF_INET'] as const
export type PeerFamily = (typeof families)[number]

/** All that follows `#CHALLENGE#`. */
export function challengeIn(message: Buffer): Buffer {
  if (!message.subarray(0, CHALLENGE.length).equals(CHALLENGE)) throw new Error('This is not a challenge')
  return message.subarray(CHALLENGE.length)
}

export function challenge(rest: Uint8Array = Buffer.concat([Buffer.from('{sha256}'), randomBytes(40)])): Buffer {
  return Buffer.concat([CHALLENGE, rest])
}

export function mac(digest: string, rest: Uint8Array, authkey = key): Buffer {
  return createHmac(digest.replace('_', '-'), authkey).update(rest).digest()
}

export function answer(rest: Uint8Array, authkey = key, digest = 'sha256'): Buffer {
  return Buffer.concat([Buffer.from(`{${digest}}`), mac(digest, rest, authkey)])
}

/** Text that would be noticed. */
export function marked(length: number): Buffer {
  return Buffer.alloc(length, MARKER)
}

/** A stream that is read by frames. */
export class RawStream {
  readonly socket: Socket
  /** Settles at the end of the stream, whatever it is. */
  readonly over: Promise<void>
  #bytes = Buffer.alloc(0)
  #isOver = false
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', bytes => {
      this.#bytes = Buffer.concat([this.#bytes, bytes])
      this.#wake?.()
    })
    this.over = new Promise(resolve => {
      const end = () => {
        this.#isOver = true
        this.#wake?.()
        resolve()
      }
      socket.once('end', end)
      socket.once('close', end)
    })
  }

  static connect(address: BoundAddress): Promise<RawStream> {
    return new Promise((resolve, reject) => {
      const socket = typeof address === 'string' ? connect(address) : connect(address.port, address.host)
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawStream(socket)))
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** What has been received and not been read. */
  get unread(): Buffer {
    return this.#bytes
  }

  /** The next message. */
  async read(): Promise<Buffer> {
    for (;;) {
      const length = this.#bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + this.#bytes.readInt32BE()
      if (this.#bytes.length >= length) {
        const message = this.#bytes.subarray(4, length)
        this.#bytes = this.#bytes.subarray(length)
        return message
      }
      if (this.#isOver) throw new Error('The stream is over')
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Settles when it has left, or never will. */
  write(...messages: Uint8Array[]): Promise<void> {
    return this.writeBytes(Buffer.concat(messages.map(frame)))
  }

  writeBytes(bytes: Uint8Array): Promise<void> {
    return new Promise(resolve => this.socket.write(bytes, () => resolve()))
  }

  /** As slow as that, until the stream is over. */
  async trickle(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      if (this.#isOver) return
      await this.writeBytes(Uint8Array.of(byte))
      await delay(100)
    }
  }

  close(): void {
    this.socket.destroy()
  }

  /** On a socket file that is what happens when something is unread. */
  reset(): void {
    if (this.socket.remoteAddress === undefined) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }
}

/** A client's part of the handshake, up to a step. */
export const clientSteps = ['challenged', 'answered', 'welcomed', 'challenging', 'answer read', 'done'] as const
export type ClientStep = (typeof clientSteps)[number]

export async function goAsClient(peer: RawStream, until: ClientStep, authkey = key): Promise<void> {
  const theirs = challengeIn(await peer.read())
  if (until === 'challenged') return
  await peer.write(answer(theirs, authkey))
  if (until === 'answered') return
  if (!(await peer.read()).equals(WELCOME)) throw new Error('The listener does not welcome its own')
  if (until === 'welcomed') return
  const ours = challenge()
  await peer.write(ours)
  if (until === 'challenging') return
  if (!(await peer.read()).equals(answer(challengeIn(ours), authkey))) throw new Error('The answer is wrong')
  if (until === 'done') await peer.write(WELCOME)
}

/** What no length can be, and what no message of a handshake can be that long. */
export const badHeaders: Record<string, Buffer> = {
  'a header of 2^62 and then ten bytes': Buffer.concat([longHeader(2n ** 62n), marked(10)]),
  'a header of 2^63': Buffer.concat([longHeader(2n ** 63n), marked(10)]),
  'a header of 2^64 - 1': Buffer.concat([longHeader(2n ** 64n - 1n), marked(10)]),
  'a length of -2': Buffer.concat([Buffer.from('fffffffe', 'hex'), marked(10)]),
  'the least length': Buffer.concat([Buffer.from('80000000', 'hex'), marked(10)]),
  'a header of 2 GiB - 1': Buffer.concat([header(0x7fffffff), marked(10)]),
  'a header of 1 MiB': Buffer.concat([header(1024 * 1024), marked(10)]),
  'a request of HTTP': Buffer.from(`GET /${MARKER} HTTP/1.1\r\nHost: ${MARKER}\r\n\r\n`),
  '10 MiB at once': Buffer.concat([header(10 * 1024 * 1024), marked(10 * 1024 * 1024)]),
  '10 MiB of messages at once': Buffer.alloc(10 * 1024 * 1024, frame(marked(1000))),
  '10 MiB without a header': marked(10 * 1024 * 1024),
}

/** What is no message of a handshake, whole. */
export const nonsense: Record<string, Buffer> = {
  'an empty message': Buffer.alloc(0),
  garbage: marked(50),
  'garbage of 20 bytes': marked(20),
  'a message of 256 bytes': marked(256),
  'a message of 257 bytes': marked(257),
  'a message of 60,000 bytes': marked(60_000),
  'a message of 70,000 bytes': marked(70_000),
  'half a word': Buffer.from('#CHALL'),
  'a longer verdict': Buffer.from(`#WELCOME#${MARKER}`),
}

interface Failure {
  name: string
  code: string
  text: string
}

/** What a listener has seen. */
export interface Seen {
  accepted: number
  failures: Failure[]
  messages: string[]
  said: string[]
  descriptors: number
  memory: { rss: number; external: number; arrayBuffers: number }
  /** Milliseconds of the processor. */
  cpu: number
}

export const asyncForms = ['accept', 'for await', 'wait'] as const
export const blockingForms = ['acceptSync', 'acceptSync in slices', 'waitSync'] as const
export const acceptForms = [...asyncForms, ...blockingForms]
export type AcceptForm = (typeof acceptForms)[number]

interface HostOptions {
  authkey?: string | undefined
  handshakeTimeout?: number
  maxPending?: number
  backlog?: number
  legacyAuth?: boolean
}

/** A process that listens. */
export class Host {
  readonly address: BoundAddress
  readonly program: Program
  readonly #authkey: string | undefined

  constructor(address: BoundAddress, program: Program, authkey: string | undefined) {
    this.address = address
    this.program = program
    this.#authkey = authkey
  }

  raw(): Promise<RawStream> {
    return RawStream.connect(this.address)
  }

  /** A good peer gets in. */
  async good(): Promise<Connection> {
    return await Client(this.address as Address, { authkey: this.#authkey, timeout: LONG, handshakeTimeout: LONG })
  }

  /** A good peer gets in, and what it says is heard. */
  async check(t: ExecutionContext, what: string): Promise<void> {
    await using conn = await this.good()
    await conn.sendBytes(Buffer.from(what))
    t.is((await conn.recvBytes()).toString(), what)
  }

  async seen(): Promise<Seen> {
    await using conn = await this.good()
    await conn.sendBytes(Buffer.from('report'))
    return JSON.parse((await conn.recvBytes()).toString())
  }

  /** As soon as it has seen that, or after a while whatever it has seen. */
  async seenWhen(condition: (seen: Seen) => boolean): Promise<Seen> {
    const deadline = performance.now() + LONG / 4
    for (;;) {
      const seen = await this.seen()
      if (condition(seen) || performance.now() > deadline) return seen
      await delay(20)
    }
  }
}

export async function startHost(
  t: ExecutionContext,
  form: AcceptForm,
  family: PeerFamily,
  options: HostOptions = {},
): Promise<Host> {
  await turn(t)
  const whole = { family, authkey: key, handshakeTimeout: LONG, ...options }
  const setting = { form, options: whole }
  const program = startProgram(t, 'hostile-listener.mjs', {
    args: [JSON.stringify(setting)],
    execArgv: ['--expose-gc'],
  })
  const { address } = await program.report<{ address: BoundAddress }>()
  // Killed, it would leave its file.
  t.teardown(async () => {
    const conn = await Client(address as Address, { authkey: whole.authkey, timeout: 5000 }).catch(() => undefined)
    await conn?.sendBytes(Buffer.from('stop')).catch(() => {})
    await Promise.race([program.exit, delay(5000, undefined, { ref: false })])
    conn?.closeSync()
  })
  return new Host(address, program, whole.authkey)
}
