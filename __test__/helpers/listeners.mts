/** Listeners that are closed when their test is done, both forms of what they and clients do, and a far end for them. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import {
  type Address,
  type BoundAddress,
  Client,
  type ClientOptions,
  ClientSync,
  type Connection,
  type Family,
  Listener,
  type ListenerOptions,
  type SyncOptions,
} from 'carom'
import { onLinux, onWindows } from './platform.mjs'
import { startWorker, type WorkerProgram } from './programs.mjs'

/** Accepting and connecting, where both are written alike. What a blocking call throws becomes a rejection. */
export interface ListeningForm {
  readonly name: 'async' | 'blocking'
  accept(listener: Listener, options?: SyncOptions): Promise<Connection>
  connect(address: Address, options?: Omit<ClientOptions, 'signal'>): Promise<Connection>
  close(listener: Listener): Promise<void>
}

export const listeningForms: readonly ListeningForm[] = [
  {
    name: 'async',
    accept: (listener, options) => listener.accept(options),
    connect: (address, options) => Client(address, options),
    close: listener => listener.close(),
  },
  {
    name: 'blocking',
    accept: async (listener, options) => listener.acceptSync(options),
    connect: async (address, options) => ClientSync(address, options),
    close: async listener => listener.closeSync(),
  },
]

export function closing<T extends Disposable>(t: ExecutionContext, closable: T): T {
  t.teardown(() => closable[Symbol.dispose]())
  return closable
}

export function listen(t: ExecutionContext, address?: Address, options?: ListenerOptions): Listener {
  return closing(t, new Listener(address, options))
}

/** Removed when the test is done. */
export function temporaryDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'carom-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

let names = 0

/** A name of the platform's own kind that is free: a path, on Windows the name of a pipe. */
export function socketPath(t: ExecutionContext): string {
  return onWindows ? `\\\\.\\pipe\\carom-test-${process.pid}-${names++}` : join(temporaryDirectory(t), 'socket')
}

/** A name in Linux's abstract namespace that is free. */
export const abstractName = () => `\0carom-test-${process.pid}-${performance.now()}-${names++}`

export const anyPort = { host: '127.0.0.1', port: 0 } as const

/** What addresses that are strings are on this platform, and what they are on others. */
export const [localFamily, foreignFamily]: [Family, Family] = onWindows
  ? ['AF_PIPE', 'AF_UNIX']
  : ['AF_UNIX', 'AF_PIPE']

/** Whether there is a socket file. A pipe is not there without its listener, and whoever looks is a client. */
export function isThere(path: string): boolean {
  if (!onWindows) return existsSync(path)
  try {
    // A pipe whose listener is closed is busy as long as one of its connections is open.
    ClientSync(path, { timeout: 10_000 })[Symbol.dispose]()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return false
  }
}

/** Places of this machine alone. */
export const localPlaces: readonly ((t: ExecutionContext) => string)[] = onLinux
  ? [socketPath, abstractName]
  : [socketPath]

/** An address of every family that can be bound on this machine. */
export const everyPlace: Record<string, (t: ExecutionContext) => Address> = {
  path: socketPath,
  ...(onLinux && { 'abstract name': abstractName }),
  IPv4: () => anyPort,
  IPv6: () => ({ host: '::1', port: 0 }),
}

/** A connection between a client and a listener without keys. */
export async function connectedTo(
  t: ExecutionContext,
  listener: Listener,
  options?: ClientOptions,
): Promise<[client: Connection, accepted: Connection]> {
  const [client, accepted] = await Promise.all([Client(listener.address, options), listener.accept()])
  return [closing(t, client), closing(t, accepted)]
}

export interface Refusal {
  name: string
  code: string
  message: string
  address: BoundAddress | undefined
}

type FormName = ListeningForm['name']

/** A worker thread that listens and connects as it is told, one thing after the other. */
export class Far {
  readonly #program: WorkerProgram

  constructor(program: WorkerProgram) {
    this.#program = program
  }

  get worker() {
    return this.#program.worker
  }

  /** Connects; with `echo` it then sends back what it receives until the end, before it does anything else. */
  connect(address: Address, options?: object, form: FormName = 'async', echo = false): Promise<BoundAddress> {
    return this.#call('connect', { address, options, form, echo })
  }

  listen(address?: Address, options?: object): Promise<BoundAddress> {
    return this.#call('listen', { address, options })
  }

  /** Accepts with its listener, and echoes until the end. */
  accept(form: FormName = 'async', options?: SyncOptions): Promise<BoundAddress | undefined> {
    return this.#call('accept', { form, options })
  }

  /** Accepts, and does nothing with the connection. */
  take(): Promise<void> {
    return this.#call('take', {})
  }

  /** What its newest connection receives. */
  receive<T>(): Promise<T> {
    return this.#call('receive', {})
  }

  send(message: unknown): Promise<void> {
    return this.#call('send', { message })
  }

  /** What its listener has told of peers that failed the handshake. */
  refusals(): Promise<Refusal[]> {
    return this.#call('refusals', {})
  }

  close(): Promise<void> {
    return this.#call('close', {})
  }

  #call<T>(op: string, data: object): Promise<T> {
    this.#program.worker.postMessage({ op, ...data })
    const result = this.#result<T>()
    // A test that fails before it comes to this says why itself.
    result.catch(() => {})
    return result
  }

  async #result<T>(): Promise<T> {
    const { result, error } = await this.#program.report<{ result: T; error?: Error }>()
    if (error !== undefined) throw Object.assign(new Error(error.message), error)
    return result
  }
}

export async function startFar(t: ExecutionContext): Promise<Far> {
  return new Far(await startWorker(t, 'listener-far.mjs'))
}
