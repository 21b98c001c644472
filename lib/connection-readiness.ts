/** Waiting for a message. */
import type { Liveness } from './liveness.js'
import { type Look, Readiness } from './waitable.js'

/** Ready when a receive would not wait: a whole message, or the end of the stream. */
export class ConnectionReadiness extends Readiness {
  readonly look: () => Look
  readonly #liveness: Liveness

  constructor(look: () => Look, liveness: Liveness) {
    super()
    this.look = look
    this.#liveness = liveness
  }

  get referenced(): boolean {
    return this.#liveness.isReferenced
  }
}
