/** Python's numbers, where JavaScript's say less. */

/** Says that a number is a float to Python: `new Float(1)` arrives as 1.0. Floats from Python come as plain numbers. */
export class Float {
  /** The number. */
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  /** The number. */
  valueOf(): number {
    return this.value
  }
}

/** A complex number. */
export class Complex {
  /** The real part. */
  readonly real: number
  /** The imaginary part. */
  readonly imag: number
  constructor(real: number, imag = 0) {
    this.real = real
    this.imag = imag
  }
}

/** A `decimal.Decimal`, by its digits: `String(decimal)` gives them, `Number(decimal)` what is closest to them. */
export class Decimal {
  /** As Python writes it. */
  readonly digits: string
  /** @throws SyntaxError for what is no number of Python's `decimal`. */
  constructor(digits: string) {
    if (!DECIMAL.test(digits)) throw new SyntaxError('A Decimal is made of its digits: 12.50, -1E+3, NaN, Infinity')
    this.digits = digits
  }
  /** The digits. */
  toString(): string {
    return this.digits
  }
}

// No two parts of it can take the same digits, so that it never tries twice.
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|s?nan\d*|inf(?:inity)?)$/i

/** A `range`: what it counts through, without doing so. Iterated, it gives the numbers. */
export class Range {
  /** The first number, if there is one. */
  readonly start: number | bigint
  /** Where it ends: this one is not in it. */
  readonly stop: number | bigint
  /** From one number to the next. */
  readonly step: number | bigint
  /** @throws RangeError for a step of 0. */
  constructor(start: number | bigint, stop: number | bigint, step: number | bigint = 1) {
    if (BigInt(step) === 0n) throw new RangeError('The step of a Range must not be 0')
    this.start = start
    this.stop = stop
    this.step = step
  }
  /** The numbers: those beyond 2^53 as `bigint`. */
  *[Symbol.iterator](): Generator<number | bigint, void> {
    const stop = BigInt(this.stop)
    const step = BigInt(this.step)
    for (let i = BigInt(this.start); step > 0n ? i < stop : i > stop; i += step) {
      const number = Number(i)
      yield Number.isSafeInteger(number) ? number : i
    }
  }
}
