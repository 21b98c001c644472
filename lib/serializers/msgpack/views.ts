/** Views are made for memory once: that takes longer than writing a whole small message. */

/** Up to this length, in bytes, the memory in use last is kept alive by its view. */
const MAX_KEPT = 1 << 20

export class LastView {
  private memory: Buffer | undefined
  private view: DataView | undefined

  /** For the numbers and words that need one. */
  of(memory: Buffer): DataView {
    if (this.memory === memory) return this.view as DataView
    const { buffer } = memory
    const view = new DataView(buffer, memory.byteOffset, memory.length)
    const small = buffer.byteLength <= MAX_KEPT
    this.memory = small ? memory : undefined
    this.view = small ? view : undefined
    return view
  }
}
