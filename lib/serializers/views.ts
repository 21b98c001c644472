/** Views are made for memory once: that takes longer than writing a whole small message. */

/** Up to this length, in bytes, the memory in use last is kept alive by its view: no less than the outbox. */
const MAX_KEPT = 2 << 20

export class LastView {
  private memory: Buffer | undefined
  private view: DataView | undefined

  /** For the numbers and words that need one. */
  of(memory: Buffer): DataView {
    if (this.memory === memory && this.view !== undefined) return this.view
    const view = new DataView(memory.buffer, memory.byteOffset, memory.length)
    this.keep(memory, view)
    return view
  }

  /** For what is only somewhat faster with one: `undefined` when this memory is asked for the first time. */
  ofKnown(memory: Buffer): DataView | undefined {
    if (this.memory === memory) return this.of(memory)
    this.keep(memory, undefined)
    return undefined
  }

  private keep(memory: Buffer, view: DataView | undefined): void {
    const small = memory.buffer.byteLength <= MAX_KEPT
    this.memory = small ? memory : undefined
    this.view = small ? view : undefined
  }
}
