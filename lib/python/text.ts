/** Values of Python's that are texts here. */

/** What a path can be used for: of this system, or only to reckon with, as one of that system. */
export type PathKind = 'Path' | 'PurePosixPath' | 'PureWindowsPath'

/**
 * A path of `pathlib`. `String(path)` is what `node:fs` takes. Python gets a `Path` of its own system, or a pure one.
 */
export class Path {
  /** As its system writes it. */
  readonly path: string
  /** What it can be used for. */
  readonly kind: PathKind
  constructor(path: string, kind: PathKind = 'Path') {
    this.path = path
    this.kind = kind
  }
  /** The path. */
  toString(): string {
    return this.path
  }
}

/** A `uuid.UUID`. `String(uuid)` is its usual form, in lower case. */
export class UUID {
  /** Its usual form, in lower case. */
  readonly text: string
  /** @throws SyntaxError for what are not 32 hexadecimal digits, with hyphens or without. */
  constructor(text: string) {
    const digits = text.replaceAll('-', '').toLowerCase()
    if (!/^[0-9a-f]{32}$/.test(digits)) throw new SyntaxError('A UUID has 32 hexadecimal digits')
    this.text = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }
  /** Its usual form. */
  toString(): string {
    return this.text
  }
}
