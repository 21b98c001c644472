/** How a connection closes: what was accepted is still sent, then its slot is released. */
import { ClosedError, TimeoutError } from './errors.js'
import { Limit } from './limit.js'
import { deadlineAfter, NOW } from './native.js'
import type { Sender } from './sender.js'
import type { Terms } from './terms.js'

export class Closing {
  readonly #sender: Sender
  readonly #release: () => void
  #promise: Promise<void> | undefined
  /** Set while something is unsent. */
  #onSent: ((error?: unknown) => void) | undefined

  /** @param release Gives the slot back, once. */
  constructor(sender: Sender, release: () => void) {
    this.#sender = sender
    this.#release = release
  }

  /** Something is still unsent. */
  get isUnderWay(): boolean {
    return this.#onSent !== undefined
  }

  /** Settles when what was accepted is sent; the same promise for all who ask. */
  get promise(): Promise<void> {
    this.#promise ??= Promise.resolve()
    return this.#promise
  }

  begin(): void {
    this.#promise = new Promise((resolve, reject) => {
      const finish = (error?: unknown) => {
        this.#onSent = undefined
        this.#release()
        error === undefined ? resolve() : reject(error)
      }
      try {
        if (this.#sender.drain(NOW)) finish()
        else this.#onSent = finish
      } catch (error) {
        finish(error)
      }
    })
  }

  /** Nothing is unsent any more: because of `error`, if any. */
  sent(error?: unknown): void {
    this.#onSent?.(error)
  }

  /** Drops what is unsent when the limit comes. Each caller's counts, whoever was the first. */
  limit({ timeout, signal }: Terms): void {
    if (this.#onSent === undefined) return
    const giveUp = (reason: unknown) => {
      const finish = this.#onSent
      if (finish === undefined) return
      this.#onSent = undefined
      this.#sender.drop(ClosedError.create('connection'))
      finish(reason)
    }
    if (timeout <= 0) {
      giveUp(TimeoutError.create(timeout))
      return
    }
    const limit = new Limit(timeout, signal, giveUp)
    const clear = () => limit.clear()
    this.promise.then(clear, clear)
  }

  /** Blocks until what was accepted is sent. @throws when it cannot be, or not in time, and then it is dropped. */
  finishSync(timeout: number): void {
    const onSent = this.#onSent
    this.#onSent = undefined
    let failure: unknown
    try {
      if (!this.#sender.drain(deadlineAfter(timeout))) failure = TimeoutError.create(timeout)
    } catch (error) {
      failure = error
    }
    if (failure !== undefined) this.#sender.drop(ClosedError.create('connection'))
    if (onSent) onSent(failure)
    else this.#release()
    if (failure !== undefined) throw failure
  }
}
