/** Waiting for descriptors that are not carom's. */
import { outOfRange, systemError } from '../errors.js'
import { environment, readers } from '../native.js'
import { type Look, Readiness } from '../waitable.js'

/**
 * A bare descriptor, or an object with one: ready when a read would not wait. It is watched anew for each wait, since
 * its number may belong to another file by then.
 */
export class DescriptorReadiness extends Readiness {
  readonly #owner: number | { readonly fd: number }
  #slot: number | undefined
  readonly referenced = true
  override readonly isAnew = true

  constructor(owner: number | { readonly fd: number }) {
    super()
    this.#owner = owner
  }

  look(): Look {
    this.#slot ??= this.#watch()
    const ready = environment.isReady(this.#slot)
    if (ready < 0) throw systemError(ready, 'poll')
    return ready === 1 ? 'ready' : 'idle'
  }

  override end(): void {
    if (this.#slot === undefined) return
    readers[this.#slot] = undefined
    environment.close(this.#slot)
    this.#slot = undefined
  }

  #watch(): number {
    const fd = typeof this.#owner === 'number' ? this.#owner : this.#owner.fd
    // The addon would take the whole number that is next to it.
    if (!Number.isInteger(fd)) throw outOfRange('fd', 'a descriptor', fd)
    const slot = environment.watchDescriptor(fd)
    if (slot < 0) throw systemError(slot, 'fcntl')
    readers[slot] = this
    return slot
  }
}
