/** Whether pending work keeps the process alive, counted over all connections of this thread. */
import { keepAlive } from './native.js'

let holders = 0

/** One object's share in keeping the process alive: it does while something is pending, unless `unref` was called. */
export class Liveness {
  #pending = 0
  #referenced = true

  /** `unref` was not called. */
  get isReferenced(): boolean {
    return this.#referenced
  }

  /** One more thing is pending. */
  begin(): void {
    if (this.#pending++ === 0 && this.#referenced) hold()
  }

  /** One thing less is pending. */
  end(): void {
    if (--this.#pending === 0 && this.#referenced) release()
  }

  /** Whether what is pending keeps the process alive from now on. */
  setReferenced(referenced: boolean): void {
    if (this.#referenced === referenced) return
    this.#referenced = referenced
    if (this.#pending > 0) referenced ? hold() : release()
  }
}

function hold(): void {
  if (holders++ === 0) keepAlive(1)
}

function release(): void {
  if (--holders === 0) keepAlive(0)
}
