/** What is looked for in a value once it is read, step by step: it may be as deep as it is long, and contain itself. */
import { malformed } from '../refusal.js'
import { Internal } from './internal.js'

/** What an object holds: a Map's keys, too. */
function contentsOf(value: object): Iterator<unknown> | undefined {
  if (Array.isArray(value)) return value.values()
  if (value instanceof Map) return new Set([...value.keys(), ...value.values()]).values()
  if (value instanceof Set) return value.values()
  if (Object.getPrototypeOf(value) === Object.prototype) return Object.values(value).values()
  return
}

/** Refuses a value with more than `max` containers in each other. */
export function checkDepth(root: unknown, max: number): void {
  /** How many containers are in each other below one, itself included; 0 while it is being looked through. */
  const depths = new Map<object, number>()
  const around: { value: object; contents: Iterator<unknown>; depth: number }[] = []
  const enter = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0
    const known = depths.get(value)
    if (known !== undefined) return known
    const contents = contentsOf(value)
    if (contents === undefined) return 0
    depths.set(value, 0)
    around.push({ value, contents, depth: 1 })
    return 0
  }
  enter(root)
  for (let top = around.at(-1); top !== undefined; top = around.at(-1)) {
    const next = top.contents.next()
    if (next.done) {
      around.pop()
      depths.set(top.value, top.depth)
      const outer = around.at(-1)
      if (outer !== undefined) outer.depth = Math.max(outer.depth, top.depth + 1)
    } else top.depth = Math.max(top.depth, enter(next.value) + 1)
    if (around.length > max || top.depth > max) throw malformed('it is nested too deeply')
  }
}

/** The name of a global that is somewhere in a value. */
export function findInternal(root: unknown): string | undefined {
  const seen = new Set<object>()
  const rest: unknown[] = [root]
  while (rest.length > 0) {
    const value = rest.pop()
    if (value instanceof Internal) return value.name
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    const contents = contentsOf(value)
    if (contents !== undefined) for (const item of { [Symbol.iterator]: () => contents }) rest.push(item)
  }
  return
}

/** Puts others in the place of objects, wherever they are in a value. */
export function replaceIn(root: unknown, others: ReadonlyMap<unknown, unknown>): unknown {
  const other = (value: unknown): unknown => (others.has(value) ? others.get(value) : value)
  const seen = new Set<object>()
  const rest: unknown[] = [other(root)]
  while (rest.length > 0) {
    const value = rest.pop()
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    const contents = contentsOf(value)
    if (contents === undefined) continue
    seen.add(value)
    if (Array.isArray(value)) for (let i = 0; i < value.length; i++) value[i] = other(value[i])
    else if (value instanceof Map) {
      const entries = [...value]
      value.clear()
      for (const [key, item] of entries) value.set(other(key), other(item))
    } else if (value instanceof Set) {
      const items = [...value]
      value.clear()
      for (const item of items) value.add(other(item))
    } else {
      for (const key of Object.keys(value)) {
        const item = (value as Record<string, unknown>)[key]
        // Assigned, `__proto__` would be another thing; but it is the object's own here.
        if (others.has(item))
          Object.defineProperty(value, key, { ...Object.getOwnPropertyDescriptor(value, key), value: other(item) })
      }
    }
    const now = contentsOf(value)
    if (now !== undefined) for (const item of { [Symbol.iterator]: () => now }) rest.push(item)
  }
  return other(root)
}
