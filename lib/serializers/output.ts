/** Memory that a codec writes to, from front to back. */
import { constants } from 'node:buffer'
import { tooLong } from './refusal.js'
import { LastView } from './views.js'

/** Thrown to leave a value that does not fit into memory of a fixed size. */
export const FULL = new Error('The arena is full')
/** Where this much is free, a number or a tag with a header needs no further check. */
export const ROOM = 16

const NOTHING = Buffer.alloc(0)

/** Its methods take a position and return the next one, so that it stays in a register. */
export class Output {
  protected target: Buffer = NOTHING
  /** Up to here, `ROOM` bytes are free. */
  protected limit = 0
  private growing = false
  /** Of `target`; made when the first float comes. */
  protected view: DataView | undefined
  private readonly views = new LastView()

  /** @param growing `target` is replaced by a longer one when it is full. Otherwise `FULL` is thrown. */
  protected open(target: Buffer, growing: boolean): void {
    this.target = target
    this.view = undefined
    this.limit = target.length - ROOM
    this.growing = growing
  }

  /** Lets go of the memory. */
  protected close(): void {
    this.open(NOTHING, false)
  }

  /** Makes sure that `size` bytes are free at `at`. */
  protected makeRoom(at: number, size: number): void {
    const { target } = this
    const needed = at + size
    if (needed <= target.length) return
    if (!this.growing) throw FULL
    if (needed > constants.MAX_LENGTH) throw tooLong()
    const length = Math.min(Math.max(needed + ROOM, target.length * 2), constants.MAX_LENGTH)
    const longer = Buffer.allocUnsafeSlow(length)
    target.copy(longer, 0, 0, at)
    this.open(longer, true)
  }

  protected byte(token: number, at: number): number {
    this.target[at] = token
    return at + 1
  }

  /** Bytes as they are. */
  protected raw(bytes: Uint8Array, at: number): number {
    this.makeRoom(at, bytes.length)
    this.target.set(bytes, at)
    return at + bytes.length
  }

  protected dataView(): DataView {
    if (this.view === undefined) this.view = this.views.of(this.target)
    return this.view
  }
}
