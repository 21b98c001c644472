/** Fixtures at the far end of a connection: as a child process, or as a worker thread. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { ExecutionContext } from 'ava'
import type { ReadableConnection, WritableConnection } from 'carom'
import { closeDescriptor } from './descriptors.mjs'
import { onWindows } from './platform.mjs'
import { inheritance } from './sources.mjs'

type End = Pick<ReadableConnection | WritableConnection, 'detach'>

interface ProgramOptions {
  /** Moves to the child as its descriptor 3. */
  end?: End
  /** The same with a socket of `node:net`. */
  socket?: Socket
  args?: readonly string[]
  execArgv?: readonly string[]
  /** Besides this process's. */
  env?: NodeJS.ProcessEnv
  /** `ignore` for a child whose complaint is part of the test. */
  stderr?: 'inherit' | 'ignore'
}

const fixture = (name: string) => new URL(`../fixtures/${name}`, import.meta.url)

type Inheritance = Pick<ReturnType<typeof inheritance>, 'stdioFor' | 'handOver'>

/** What a child is given, it inherits. */
const asOnUnix: Inheritance = { stdioFor: fds => fds, handOver() {} }

/** A child process that reports by lines of JSON on its standard output. */
export class Program {
  readonly child: ChildProcess
  /** The exit code, or the name of the signal that ended it. */
  readonly exit: Promise<number | NodeJS.Signals>
  readonly #lines: AsyncIterator<string>

  constructor(child: ChildProcess) {
    this.child = child
    this.exit = once(child, 'exit').then(([code, signal]) => code ?? signal)
    if (!child.stdout) throw new TypeError('A program needs its standard output')
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  }

  /** Its next report. */
  async report<T = unknown>(): Promise<T> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`The program ended (${await this.exit}) without the report`)
    return JSON.parse(value)
  }
}

/** Killed when the test is done, if it has not ended by then. */
export function startProgram(t: ExecutionContext, name: string, options: ProgramOptions = {}): Program {
  const { end, socket, args = [], execArgv = [], env = {}, stderr = 'inherit' } = options
  const fd = end?.detach().fd
  const { stdioFor, handOver }: Inheritance = onWindows && fd !== undefined ? inheritance() : asOnUnix
  const third = fd === undefined ? [socket ?? 'ignore'] : stdioFor([fd])
  const stdio = ['ignore', 'pipe', stderr, ...third] as StdioOptions
  const child = spawn(process.execPath, [...execArgv, fileURLToPath(fixture(name)), ...args], {
    stdio,
    env: { ...process.env, ...env },
  })
  if (fd !== undefined) {
    handOver(child, 3, [fd])
    closeDescriptor(fd)
  }
  socket?.destroy()
  t.teardown(() => child.kill('SIGKILL'))
  return new Program(child)
}

/** A worker thread that reports by messages. */
export class WorkerProgram {
  readonly worker: Worker
  /** The exit code; rejects with what the worker threw. */
  readonly exit: Promise<number>
  readonly #messages: AsyncIterator<[unknown]>

  constructor(worker: Worker) {
    this.worker = worker
    this.exit = once(worker, 'exit').then(([code]) => code)
    // A test that does not ask how it ended learns of its error from the next report.
    this.exit.catch(() => {})
    this.#messages = on(worker, 'message', { close: ['exit'] }) as AsyncIterator<[unknown]>
  }

  /** Its next report. */
  async report<T = unknown>(): Promise<T> {
    const { value, done } = await this.#messages.next()
    if (done) throw new Error(`The worker ended (${await this.exit}) without the report`)
    return value[0] as T
  }
}

/**
 * Settles when the worker has loaded its fixture and reported 'ready', so that blocking this thread cannot keep it from
 * running; `end` moves to it as `workerData.end`. Terminated when the test is done.
 */
export async function startWorker(
  t: ExecutionContext,
  name: string,
  data: { end?: End; [more: string]: unknown } = {},
): Promise<WorkerProgram> {
  const workerData = { ...data, end: data.end?.detach() }
  // Descriptors that fixtures get and close are not ones that `fs` has opened there.
  const worker = new Worker(fixture(name), { workerData, execArgv: [], trackUnmanagedFds: false })
  t.teardown(() => worker.terminate())
  const program = new WorkerProgram(worker)
  const first = await program.report()
  if (first !== 'ready') throw new Error(`The worker's first report is ${first}, not 'ready'`)
  return program
}
