/**
 * Objects of a shape that keeps coming are read by a function that is generated for it: it compares the keys as
 * constants, and its literal is an object that V8 makes in one piece.
 *
 * What is generated holds keys that a peer has chosen, so they are quoted, and few shapes are ever learned. Where code
 * must not be generated from strings, none is.
 */

/** Reads what is between the header of an object and its end, at `decoder.at`. */
export type ShapeReader = (decoder: ShapeDecoder) => unknown

/** What generated code needs of a decoder. */
export interface ShapeDecoder {
  source: Buffer
  at: number
  read(): unknown
  /** Reads the rest of an object that has other keys from here on. */
  properties(object: object, from: number, size: number): unknown
}

/** The keys that can follow those before. */
type Keys = Map<string, Keys>

/** How many keys all shapes that are learned may have together, ever: a flood of shapes costs a few MiB. */
const MAX_LEARNED = 2048
/** How many shapes may share a slot. */
const MAX_IN_SLOT = 8
/** Objects with more keys are not learned. */
const MAX_KEYS = 32
/** A slot holds shapes of as many keys, and of first keys that are alike. */
const SLOTS = (MAX_KEYS + 1) * 32
/** Slots for the shapes that are not learned yet, by a hash of all their keys. A power of two. */
const CANDIDATES = 1024
/** How often a shape is seen before it is learned. */
const OFTEN = 64
/**
 * What a key must be to be learned: the only bytes of a string with a one-byte header, no index (V8 puts those first),
 * and not `__proto__`, which means something else in a literal.
 */
const LEARNABLE = /^(?!__proto__$)[ !#-/:-[\]-~][ !#-[\]-~]{0,30}$/

export class Shapes {
  private readonly readers: (ShapeReader | undefined)[] = new Array(SLOTS).fill(undefined)
  private readonly known: (Keys | undefined)[] = new Array(SLOTS).fill(undefined)
  private readonly inSlot = new Uint8Array(SLOTS)
  /** How many keys can still be learned. */
  private left = MAX_LEARNED
  /** Which shape has a slot's attention, and how much of it: what comes once takes from it what comes again gives. */
  private readonly candidates = new Int32Array(CANDIDATES)
  private readonly seen = new Uint8Array(CANDIDATES)

  /** The reader for an object of `size` keys, the first of which begins at `at`. It reads those of other shapes, too. */
  readerOf(source: Buffer, at: number, size: number): ShapeReader | undefined {
    if (size > MAX_KEYS) return
    return this.readers[slotOf(size, source[at], source[at + 1])]
  }

  /** Takes notice of an object that was read without a reader for its shape. @param hash Of its keys, in order. */
  notice(object: object, size: number, hash: number): void {
    if (size > MAX_KEYS || size > this.left) return
    const index = (hash ^ (hash >>> 10)) & (CANDIDATES - 1)
    if (this.candidates[index] === hash) {
      if (++this.seen[index] < OFTEN) return
      this.seen[index] = 0
      this.learn(Object.keys(object), size)
    } else if (this.seen[index] > 0) {
      this.seen[index]--
    } else {
      this.candidates[index] = hash
      this.seen[index] = 1
    }
  }

  private learn(keys: string[], size: number): void {
    // There are fewer of them when one came twice.
    if (keys.length !== size || !keys.every(key => LEARNABLE.test(key))) return
    const slot = slotOf(size, 0xa0 | keys[0].length, keys[0].charCodeAt(0))
    if (this.inSlot[slot] === MAX_IN_SLOT) return
    const known = this.known[slot] ?? new Map()
    if (!add(keys, known)) return
    this.known[slot] = known
    this.inSlot[slot]++
    this.left -= size
    try {
      this.readers[slot] = new Function('decoder', generate(known, [], size)) as ShapeReader
    } catch {
      this.left = 0
    }
  }
}

/** False when they were there already: they came with other headers than those of the shortest form. */
function add(keys: string[], known: Keys): boolean {
  let added = false
  let last = known
  for (const key of keys) {
    let next = last.get(key)
    if (next === undefined) {
      next = new Map()
      last.set(key, next)
      added = true
    }
    last = next
  }
  return added
}

/** @param header Of the first key, as msgpack has it. @param first The character that it begins with. */
function slotOf(size: number, header: number, first: number): number {
  return (size << 5) | ((header ^ first) & 31)
}

/** The body of a reader. @param path The keys before `known`, whose values are in `v0`, `v1`, … */
function generate(known: Keys, path: string[], size: number): string {
  const depth = path.length
  const literal = `{ ${path.map((key, i) => `${JSON.stringify(key)}: v${i}`).join(', ')} }`
  if (depth === size) return `return ${literal}`
  let code = depth === 0 ? 'const { source } = decoder\n' : ''
  code += `const at${depth} = decoder.at\n`
  for (const [key, next] of known) {
    const bytes = [0xa0 | key.length, ...Buffer.from(key)]
    const same = bytes.map((byte, i) => `source[at${depth} + ${i}] === ${byte}`).join(' && ')
    code += `if (${same}) {
decoder.at = at${depth} + ${bytes.length}
const v${depth} = decoder.read()
${generate(next, [...path, key], size)}
}
`
  }
  return `${code}return decoder.properties(${literal}, ${depth}, ${size})`
}
