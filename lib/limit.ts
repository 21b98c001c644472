/** The limits of one asynchronous operation: a time, a signal, or both. */
import { TimeoutError } from './errors.js'

/** The longest time that one of Node's timers takes, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1

/** Called with the signal's reason, or a TimeoutError. */
type OnEnd = (reason: unknown, isTimeout: boolean) => void

/** Calls `onEnd` once, when the time is over or the signal aborts, unless it was cleared before. */
export class Limit {
  readonly #onEnd: OnEnd
  readonly #signal: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param timeout Milliseconds, more than 0; `Infinity`: no limit. */
  constructor(timeout: number, signal: AbortSignal | undefined, onEnd: OnEnd) {
    this.#onEnd = onEnd
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort)
    if (timeout !== Number.POSITIVE_INFINITY) this.#arm(timeout, timeout)
  }

  /** The operation has ended otherwise. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  #arm(left: number, timeout: number): void {
    this.#timer = setTimeout(
      () => {
        if (left > MAX_TIMER) this.#arm(left - MAX_TIMER, timeout)
        else this.#end(TimeoutError.create(timeout), true)
      },
      Math.min(left, MAX_TIMER),
    )
    // The pending operation keeps the process alive, or does not if its connection was told so.
    this.#timer.unref()
  }

  readonly #onAbort = () => this.#end(this.#signal?.reason, false)

  #end(reason: unknown, isTimeout: boolean): void {
    this.clear()
    this.#onEnd(reason, isTimeout)
  }
}
