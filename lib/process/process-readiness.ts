/** Waiting for the end of a process. */
import { environment, readers } from '../native.js'
import { type Look, Readiness } from '../waitable.js'

/** How often to look where the system cannot tell of a process's end, in milliseconds. */
const POLL_INTERVAL = 5

/** What is to be known of a process. */
export interface Watched {
  readonly pid: number | undefined
  /** Whether a wait for it keeps this process alive. */
  readonly referenced: boolean
  /** Whether it has ended, as far as can be known now. @throws when it was not started. */
  hasEnded(blocking: boolean): boolean
}

/** Ready when the process has ended. The event loop tells of that; while it does not turn, the system has to. */
export class ProcessReadiness extends Readiness {
  readonly #process: Watched
  #blocking = false
  #slot: number | undefined
  #lookedAt = 0

  constructor(process: Watched) {
    super()
    this.#process = process
  }

  get referenced(): boolean {
    return this.#process.referenced
  }

  override get lookAgainAt(): number {
    return this.#blocking && this.#slot === undefined ? this.#lookedAt + POLL_INTERVAL : Number.POSITIVE_INFINITY
  }

  look(): Look {
    this.#lookedAt = performance.now()
    return this.#process.hasEnded(this.#blocking) ? 'ready' : 'idle'
  }

  override begin(blocking: boolean): void {
    const { pid } = this.#process
    this.#blocking = blocking
    if (!blocking || pid === undefined || this.#slot !== undefined || this.#process.hasEnded(blocking)) return
    const slot = environment.watchProcess(pid)
    if (slot < 0) return
    readers[slot] = this
    // From now on the reactor tells of it.
    environment.isReady(slot)
    this.#slot = slot
  }

  override end(): void {
    this.#blocking = false
  }

  /** The process has ended. */
  ended(): void {
    if (this.#slot !== undefined) {
      readers[this.#slot] = undefined
      environment.close(this.#slot)
      this.#slot = undefined
    }
    this.changed()
  }
}
