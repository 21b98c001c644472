/** Which objects travel as nothing but their properties, and which must not travel at all. */
import { cannotBeSent } from './refusal.js'

/** `Connection.prototype` has this property, so that it is recognised here, below it. */
const CONNECTION = Symbol.for('carom.connection')

const tagOf = Object.prototype.toString
/** Asked once for each class, not for each of its instances. */
const plainPrototypes = new WeakSet<object>()

/** True for a connection of carom. */
export function isConnection(value: object): boolean {
  return (value as { [CONNECTION]?: unknown })[CONNECTION] === true
}

/** True when `isPlain` was, for another object with this prototype. */
export function isKnownToBePlain(prototype: object | null): boolean {
  return prototype !== null && plainPrototypes.has(prototype)
}

/**
 * True when an object's own properties are all that structured clone would take: class instances, objects without a
 * prototype and of other realms. False for what keeps something inside: `Map`, `Promise`, `URL`.
 * @throws for a connection.
 */
export function isPlain(value: object): boolean {
  if (isConnection(value)) throw cannotBeSent('A connection')
  // The built-in kinds name themselves; a class that says nothing about itself is an Object.
  if (tagOf.call(value) !== '[object Object]' && !clonesToPlain(value)) return false
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype !== null) plainPrototypes.add(prototype)
  return true
}

/** Asks structured clone about a kind that carom does not know. With no property to show, nothing would arrive. */
function clonesToPlain(value: object): boolean {
  if (Object.keys(value).length === 0) return false
  try {
    const prototype: object | null = Object.getPrototypeOf(structuredClone(value))
    // Told without a name: the clone can be of another realm.
    return prototype !== null && Object.getPrototypeOf(prototype) === null
  } catch {
    return false
  }
}
