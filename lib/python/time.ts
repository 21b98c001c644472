/** Python's dates and times, where a JavaScript `Date` says less. */

/**
 * A `datetime.datetime` that a plain `Date` would not be the whole of: one without a time zone, of another zone than
 * UTC, or with microseconds. A plain `Date` is a `datetime` in UTC, both ways.
 *
 * Without a time zone it is in local time, as it is to Python's own `timestamp()`.
 */
export class DateTime extends Date {
  /** What comes behind the milliseconds: 0 to 999. */
  readonly microseconds: number
  /** Seconds that its time zone is ahead of UTC; `null`: it has no time zone. */
  readonly offset: number | null
  /** @param time As `Date` has it: milliseconds since 1970 in UTC, whatever the offset. */
  constructor(time: number | Date, offset: number | null = null, microseconds = 0) {
    super(time)
    this.offset = offset
    this.microseconds = microseconds
  }
}

/** A `datetime.date`: a day, wherever it is. */
class PythonDate {
  /** 1 to 9999. */
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
  constructor(year: number, month: number, day: number) {
    this.year = year
    this.month = month
    this.day = day
  }
  /** As ISO 8601 has it: `2026-01-31`. */
  toString(): string {
    return `${String(this.year).padStart(4, '0')}-${twoDigits(this.month)}-${twoDigits(this.day)}`
  }
}

/** A `datetime.time`: a time of day. */
export class Time {
  /** 0 to 23. */
  readonly hour: number
  /** 0 to 59. */
  readonly minute: number
  /** 0 to 59. */
  readonly second: number
  /** 0 to 999,999. */
  readonly microsecond: number
  /** Seconds that its time zone is ahead of UTC; `null`: it has no time zone. */
  readonly offset: number | null
  constructor(hour: number, minute = 0, second = 0, microsecond = 0, offset: number | null = null) {
    this.hour = hour
    this.minute = minute
    this.second = second
    this.microsecond = microsecond
    this.offset = offset
  }
}

/** A `datetime.timedelta`: the sum of its three parts. Python's has `days` alone negative. */
export class TimeDelta {
  /** Whole days, less than 0 for a span that goes back. */
  readonly days: number
  /** 0 to 86,399 in what comes from Python. */
  readonly seconds: number
  /** 0 to 999,999 in what comes from Python. */
  readonly microseconds: number
  constructor(days: number, seconds = 0, microseconds = 0) {
    this.days = days
    this.seconds = seconds
    this.microseconds = microseconds
  }
  /** All of it in milliseconds, as between two `Date`s. */
  valueOf(): number {
    return this.days * 86_400_000 + this.seconds * 1000 + this.microseconds / 1000
  }
}

export { PythonDate as Date }

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
