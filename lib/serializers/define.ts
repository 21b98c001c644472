/** Gives an object a property without asking its prototype, which has a setter for `__proto__`. */
export function define(object: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true })
}
