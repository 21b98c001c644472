/** Child processes that run an exported function, and are handed connections. */
import type { ChildProcess, StdioOptions } from 'node:child_process'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { type AsyncOptions, checkSignal, checkTimeout, limitOf, type SyncOptions } from './arguments.js'
import type { Connection } from './connection.js'
import { processEnded, processStarted } from './diagnostics.js'
import { bootstrapping, busy, errnoOf, systemError } from './errors.js'
import { Limit } from './limit.js'
import { NOW, waitForExit } from './native.js'
import { killAtExit } from './process/daemons.js'
import { launch } from './process/launch.js'
import { makePlan, type Plan } from './process/plan.js'
import { ProcessReadiness } from './process/process-readiness.js'
import { isChild, isImporting } from './process/role.js'
import { type Readiness, readiness } from './waitable.js'

/**
 * What a process can run.
 * @inline
 */
// biome-ignore lint/suspicious/noExplicitAny: the parameters of any function
type Target = (...args: any) => unknown

/**
 * How a process runs.
 * @inline
 */
interface ProcessSettings {
  /** The module that exports the target: `import.meta.url`, `__filename`, a path, or a file URL. */
  module: string | URL
  /** Default: the target's name. */
  name?: string | undefined
  /** The child's environment. Default: this process's. */
  env?: NodeJS.ProcessEnv | undefined
  /** The directory that the child works in. Default: this process's. */
  cwd?: string | URL | undefined
  /**
   * Options of `node` for the child. Default: `process.execArgv`, so that loaders (`--import tsx`) apply to the child
   * too, without what is only for this process: `-e`, `-p`, `--input-type`, `--test…`, `--watch…`, `--inspect…`.
   */
  execArgv?: readonly string[] | undefined
  /** The child's streams, as `spawn` of `node:child_process` takes them, without `'ipc'`. Default `'inherit'`. */
  stdio?: StdioOptions | undefined
  /** Killed when this process exits, and does not keep it alive. Default `false`. */
  daemon?: boolean | undefined
}

/**
 * What a process runs, and with what.
 * @typeParam F The target: its parameters say what `args` must be.
 */
export type ProcessOptions<F extends Target> = ProcessSettings & {
  /** An exported function of `module`, or the name of its export. */
  target: F | string
} & ([] extends Parameters<F>
    ? {
        /** What the target is called with. */
        args?: NoInfer<Parameters<F>> | undefined
      }
    : {
        /** What the target is called with. */
        args: NoInfer<Parameters<F>>
      })

/** What the system says of a child that libuv has seen the end of. */
const REAPED = errnoOf(process.platform === 'win32' ? 'EINVAL' : 'ECHILD')

/** `false` in a child that `Process` started, in its worker threads too; `true` everywhere else. */
export const isMainProcess: boolean = !isChild()

/**
 * Runs an exported function in a child process, and hands it connections.
 * @typeParam F The target: its parameters say what `args` must be.
 */
export class Process<F extends Target = Target> implements Disposable, AsyncDisposable {
  /** The option `name`, else the target's. */
  readonly name: string
  readonly #daemon: boolean
  /** Until it is started. */
  #plan: Plan | undefined
  #child: ChildProcess | undefined
  /** A daemon's; the child ends when it ends. */
  #control: Connection | undefined
  #exitCode: number | undefined
  #signalCode: NodeJS.Signals | undefined
  /** What it was last sent. */
  #killedBy: NodeJS.Signals | number | undefined
  #refed = true
  #holding = true
  #readiness: ProcessReadiness | undefined
  /** Called when it has ended. */
  readonly #joins = new Set<() => void>()

  /**
   * Connections in `args`, at any depth of arrays and plain objects, move to the child at `start()`.
   * By name, with types: `new Process<typeof import('./worker.js').run>({ module, target: 'run', args })`.
   */
  constructor(options: ProcessOptions<F>) {
    this.#plan = makePlan(options)
    this.#daemon = this.#plan.daemon
    this.name = this.#plan.name
  }

  /** The system's number for it; `undefined` before `start()`. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** `undefined` until it has ended; `-n` when signal number n ended it. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }

  /** The signal that ended it. */
  get signalCode(): NodeJS.Signals | undefined {
    return this.#signalCode
  }

  /** Started and not yet ended. */
  get alive(): boolean {
    return this.#child !== undefined && this.#exitCode === undefined
  }

  /** The child's standard input, where `stdio` says `'pipe'`. */
  get stdin(): Writable | null {
    return this.#child?.stdin ?? null
  }

  /** The child's standard output, where `stdio` says `'pipe'`. */
  get stdout(): Readable | null {
    return this.#child?.stdout ?? null
  }

  /** The child's error output, where `stdio` says `'pipe'`. */
  get stderr(): Readable | null {
    return this.#child?.stderr ?? null
  }

  /**
   * Starts it, once; returns itself.
   * @throws code `ERR_CAROM_BOOTSTRAP` while a child is still importing its target's module (the `isMainProcess`
   * guard is missing); the system's error when it cannot be started, and then nothing has moved.
   */
  start(): this {
    if (isImporting()) throw bootstrapping()
    if (this.#plan === undefined) throw busy('The process has been started before: make a new Process')
    const { child, control } = launch(this.#plan)
    this.#plan = undefined
    this.#child = child
    this.#control = control
    child.once('exit', (code, signal) => {
      if (signal === null) this.#ended(code as number)
      else this.#ended(-constants.signals[signal], signal)
    })
    if (this.#daemon) killAtExit(child)
    this.#hold()
    processStarted(this)
    return this
  }

  /** Waits for the end: the exit code, or `undefined` when the time ran out. */
  async join(timeout?: number | AsyncOptions): Promise<number | undefined> {
    this.#requireStarted()
    const limit = limitOf(timeout)
    const milliseconds = checkTimeout(limit.timeout)
    const signal = checkSignal(limit.signal)
    if (signal?.aborted) throw signal.reason
    if (this.alive && milliseconds > 0) await this.#endWithin(milliseconds, signal)
    return this.#exitCode
  }

  /** The same; blocks the thread and needs no event loop. */
  joinSync(timeout?: number | SyncOptions): number | undefined {
    const pid = this.#requireStarted()
    const milliseconds = checkTimeout(limitOf(timeout).timeout)
    if (this.alive) this.#endBlocking(pid, milliseconds)
    return this.#exitCode
  }

  /** Sends `SIGTERM`. */
  terminate(): void {
    this.kill('SIGTERM')
  }

  /** Sends a signal. Default `SIGKILL`. */
  kill(signal: NodeJS.Signals | number = 'SIGKILL'): void {
    if (this.alive && this.#child?.kill(signal)) this.#killedBy = signal
  }

  /** It keeps this process alive while it runs (the default); a daemon only while it is joined. */
  ref(): this {
    this.#refed = true
    this.#hold()
    this.#readiness?.changed()
    return this
  }

  /** It does not keep this process alive. */
  unref(): this {
    this.#refed = false
    this.#hold()
    this.#readiness?.changed()
    return this
  }

  /** `terminate()`. */
  [Symbol.dispose](): void {
    this.terminate()
  }

  /** `terminate()`, then `join()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    if (this.#child) await this.join()
  }

  /** @internal */
  get [readiness](): Readiness {
    const process = this
    this.#readiness ??= new ProcessReadiness({
      get pid() {
        return process.pid
      },
      get referenced() {
        return process.#refed
      },
      hasEnded: blocking => this.#hasEnded(blocking),
    })
    return this.#readiness
  }

  #hasEnded(blocking: boolean): boolean {
    const pid = this.#requireStarted()
    if (!this.alive) return true
    // Where the event loop is about to tell, it is better to wait for that: it says how the process has ended.
    if (waitForExit(pid, NOW) === REAPED) return blocking
    this.#endBlocking(pid, NOW)
    return !this.alive
  }

  #requireStarted(): number {
    if (this.#child?.pid === undefined) throw busy('The process has not been started: call start() first')
    return this.#child.pid
  }

  #endWithin(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const limit = new Limit(timeout, signal, (reason, isTimeout) => {
        this.#joins.delete(ended)
        this.#hold()
        if (isTimeout) resolve()
        else reject(reason)
      })
      const ended = () => {
        limit.clear()
        resolve()
      }
      this.#joins.add(ended)
      this.#hold()
    })
  }

  #endBlocking(pid: number, timeout: number): void {
    const end = waitForExit(pid, timeout)
    if (end === undefined) return
    if (end === REAPED) throw busy('The process has ended, and the event loop is about to tell how: await join()')
    if (typeof end === 'number') throw systemError(end, 'waitid')
    const signal = end.signal ?? this.#signalOnWindows(end.code)
    if (signal === undefined) this.#ended(end.code as number)
    else this.#ended(-signal, signalName(signal))
  }

  /** There a signal only ends the process, with the exit code 1; Node tells it from an exit as we do. */
  #signalOnWindows(code: number | undefined): number | undefined {
    if (process.platform !== 'win32' || code !== 1 || this.#killedBy === undefined) return undefined
    return typeof this.#killedBy === 'number' ? this.#killedBy : constants.signals[this.#killedBy]
  }

  /** Told by the event loop, or before that by `joinSync`. */
  #ended(exitCode: number, signalCode?: NodeJS.Signals): void {
    if (this.#exitCode !== undefined) return
    this.#exitCode = exitCode
    this.#signalCode = signalCode
    this.#control?.[Symbol.dispose]()
    this.#readiness?.ended()
    processEnded(this)
    // Not before libuv has told of all that ended with it: a `joinSync` of one of those could not see it any more.
    setImmediate(() => {
      for (const ended of this.#joins) ended()
    })
  }

  /** Keeps this process running for the child, unless unref'd; for a daemon only while it is being joined. */
  #hold(): void {
    const hold = this.#refed && (!this.#daemon || this.#joins.size > 0)
    if (hold === this.#holding || !this.#child) return
    this.#holding = hold
    const { stdin, stdout, stderr } = this.#child
    for (const handle of [this.#child, stdin, stdout, stderr] as (ChildProcess | Socket | null)[]) {
      if (hold) handle?.ref()
      else handle?.unref()
    }
  }
}

/** The system has numbers for signals, Node names for the most of them. */
function signalName(number: number): NodeJS.Signals | undefined {
  const names = Object.keys(constants.signals) as NodeJS.Signals[]
  return names.find(name => constants.signals[name] === number)
}
