/** What is on the stack while a pickle is read, but is no value: a global, or something that is not built yet. */

export abstract class Internal {
  /** Python's, of the global that it is or that made it. */
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** What a `BUILD` makes a value of; until then there is none. */
export abstract class Unbuilt extends Internal {
  /** What has been built. */
  value: unknown
  abstract build(state: unknown): unknown
}
