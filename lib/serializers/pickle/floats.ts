/** Lists of floats, which are read in a loop of their own. */

export const BINFLOAT = 0x47
export const FRAME = 0x95

/** V8 lets an empty slice of it begin as a list of floats; of `[]` it expects what has mostly been in it before. */
const FLOATS = [0.5]
/** Lists of so many floats are given their length first. */
const LONG_LIST = 32

/** An empty list for floats. */
export function emptyFloats(): number[] {
  return FLOATS.slice(0, 0)
}

/** Whether what comes behind an empty list are its floats, as far as can be seen. */
export function floatsFollow(source: Buffer, at: number): boolean {
  const put = source[at]
  const next = put === 0x94 ? at + 1 : put === 0x71 ? at + 2 : put === 0x72 ? at + 5 : at // MEMOIZE, BINPUT, LONG_BINPUT
  return source[next] === 0x28 && (source[next + 1] === BINFLOAT || source[next + 1] === FRAME) // MARK
}

/** @param runs Where floats begin that lie one behind the other, and where they end. */
export function appendFloats(view: DataView, runs: readonly number[], list: number[]): void {
  if (list.length === 0) {
    let count = 0
    for (let i = 0; i < runs.length; i += 2) count += (runs[i + 1] - runs[i]) / 9
    if (count >= LONG_LIST) {
      fillWithFloats(view, runs, list, count)
      return
    }
  }
  for (let i = 0; i < runs.length; i += 2) {
    for (let at = runs[i]; at < runs[i + 1]; at += 9) list.push(view.getFloat64(at + 1))
  }
}

/** An empty list that is made as long as it will be is not copied as it grows. A short one has no holes to look for. */
function fillWithFloats(view: DataView, runs: readonly number[], list: number[], count: number): void {
  // Of a list with nothing in it V8 would keep no floats.
  list.push(0.5)
  list.length = count
  let to = 0
  for (let i = 0; i < runs.length; i += 2) {
    const end = runs[i + 1]
    for (let at = runs[i]; at < end; at += 9) list[to++] = view.getFloat64(at + 1)
  }
}
