/**
 * Closing TCP connections without taking back what was sent: a socket that is closed while the peer's bytes are unread
 * is reset, and what the peer has not got yet is lost. It stays open for a while, ended, and what comes is dropped.
 */
import { defer, environment, type Observer, readers, turnSync } from './native.js'

/** How long a peer may take to see the end, in milliseconds. */
const PATIENCE = 2000
/** How many connections linger at once; the oldest makes room. */
const MAX_LINGERING = 64

/** The bits of `discard`'s result. */
const MORE = 0
const END = 2

/** In the order in which they were closed. */
const lingering = new Set<Lingering>()

/** Closes a slot, at once or when the peer has seen the end. */
export function closeSlot(slot: number): void {
  if (environment.finish(slot)) new Lingering(slot).begin()
}

/** Blocks until all have come to their end, or `deadline`: the process ends. */
export function lingerUntil(deadline: number): void {
  for (const each of lingering) each.onNews()
  while (lingering.size > 0 && deadline > performance.now()) turnSync(deadline)
}

class Lingering implements Observer {
  readonly #slot: number
  #timer: NodeJS.Timeout | undefined

  constructor(slot: number) {
    this.#slot = slot
  }

  begin(): void {
    readers[this.#slot] = this
    lingering.add(this)
    this.#timer = setTimeout(() => this.#close(), PATIENCE).unref()
    this.onNews()
    // Where no event loop turns, nobody else looks after them.
    if (lingering.size > MAX_LINGERING) for (const each of lingering) each.onNews()
    for (const oldest of lingering) {
      if (lingering.size <= MAX_LINGERING) return
      oldest.#close()
    }
  }

  onNews(): void {
    if (!lingering.has(this)) return
    const found = environment.discard(this.#slot)
    if (found === END) this.#close()
    else if (found === MORE) defer(this)
  }

  #close(): void {
    clearTimeout(this.#timer)
    lingering.delete(this)
    readers[this.#slot] = undefined
    environment.close(this.#slot)
  }
}
