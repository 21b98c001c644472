/** Kept as long as the memory: making one takes longer than writing a whole small message. */
const views = new WeakMap<Buffer, DataView>()

/** For the numbers that need one. */
export function viewOf(memory: Buffer): DataView {
  let view = views.get(memory)
  if (view === undefined) {
    view = new DataView(memory.buffer, memory.byteOffset, memory.length)
    views.set(memory, view)
  }
  return view
}
