/** Dates and times as the bytes that Python's own constructors take from a pickle. */
import * as python from '../../python/index.js'
import { cannotBeSent, malformed } from '../refusal.js'
import { Internal } from './internal.js'

/** A `datetime.timezone`, which comes with a date or a time only. */
export class Timezone extends Internal {
  /** Seconds ahead of UTC. */
  readonly offset: number
  constructor(offset: number) {
    super('datetime.timezone')
    this.offset = offset
  }
}

// Always the same one, so that it is written once.
const UTC = new Timezone(0)

/** The argument that says in which time zone something is, if it is in any. */
function timezones(offset: number | null): Timezone[] {
  if (offset === null) return []
  if (!isIn(offset, -86_399, 86_399)) throw cannotBeSent('A time zone a day from UTC, or with fractions of a second,')
  return [offset === 0 ? UTC : new Timezone(offset)]
}

/** The arguments of `datetime.datetime`. */
export function packDateTime(date: Date): unknown[] {
  const time = Date.prototype.getTime.call(date)
  if (Number.isNaN(time)) throw cannotBeSent('An invalid Date, in pickle,')
  const { offset, microseconds } = date instanceof python.DateTime ? date : { offset: 0, microseconds: 0 }
  if (!isIn(microseconds, 0, 999)) throw cannotBeSent('A DateTime with more than 999 microseconds, in pickle,')
  // The same digits, in UTC.
  const digits = new Date(offset === null ? time - localOffset(time) : time + offset * 1000)
  const year = digits.getUTCFullYear()
  if (!isIn(year, 1, 9999)) throw cannotBeSent('A Date beyond the years 1 to 9999, in pickle,')
  const bytes = Buffer.of(
    year >> 8,
    year,
    digits.getUTCMonth() + 1,
    digits.getUTCDate(),
    digits.getUTCHours(),
    digits.getUTCMinutes(),
    digits.getUTCSeconds(),
    ...threeBytes(digits.getUTCMilliseconds() * 1000 + microseconds),
  )
  return [bytes, ...timezones(offset)]
}

/** Milliseconds that local time is behind UTC. */
function localOffset(time: number): number {
  const date = new Date(time)
  const digits = new Date(0)
  digits.setUTCFullYear(date.getFullYear(), date.getMonth(), date.getDate())
  digits.setUTCHours(date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds())
  return time - digits.getTime()
}

/** @param zone Its time zone, if it has one. */
export function unpackDateTime(bytes: Buffer, zone: Timezone | undefined): Date {
  if (bytes.length !== 10) throw malformed('a datetime is not one')
  const [, , , , hour, minute, second] = bytes
  const { year, month, day } = unpackDate(bytes.subarray(0, 4))
  const micro = bytes.readUIntBE(7, 3)
  if (!isTime(hour, minute, second, micro)) throw malformed('a datetime is not one')
  const milli = Math.floor(micro / 1000)
  const microseconds = micro % 1000
  const date = new Date(0)
  if (zone === undefined) {
    date.setFullYear(year, month - 1, day)
    date.setHours(hour, minute, second, milli)
    return new python.DateTime(date, null, microseconds)
  }
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, milli)
  const { offset } = zone
  if (offset === 0 && microseconds === 0) return date
  return new python.DateTime(date.getTime() - offset * 1000, offset, microseconds)
}

export function packDate({ year, month, day }: python.Date): Buffer {
  if (!isDate(year, month, day)) throw cannotBeSent('A python.Date of no day')
  return Buffer.of(year >> 8, year, month, day)
}

export function unpackDate(bytes: Buffer): python.Date {
  if (bytes.length !== 4) throw malformed('a date is not one')
  const year = bytes.readUInt16BE(0)
  // Its highest bit says which of two times is meant that have the same digits.
  const month = bytes[2] & 0x7f
  const day = bytes[3]
  if (!isDate(year, month, day)) throw malformed('a date is not one')
  return new python.Date(year, month, day)
}

/** The arguments of `datetime.time`. */
export function packTime({ hour, minute, second, microsecond, offset }: python.Time): unknown[] {
  if (!isTime(hour, minute, second, microsecond)) throw cannotBeSent('A python.Time of no day')
  return [Buffer.of(hour, minute, second, ...threeBytes(microsecond)), ...timezones(offset)]
}

export function unpackTime(bytes: Buffer, zone: Timezone | undefined): python.Time {
  if (bytes.length !== 6) throw malformed('a time is not one')
  // As above: of two times with the same digits.
  const hour = bytes[0] & 0x7f
  const [, minute, second] = bytes
  const micro = bytes.readUIntBE(3, 3)
  if (!isTime(hour, minute, second, micro)) throw malformed('a time is not one')
  return new python.Time(hour, minute, second, micro, zone === undefined ? null : zone.offset)
}

function isDate(year: number, month: number, day: number): boolean {
  return isIn(year, 1, 9999) && isIn(month, 1, 12) && isIn(day, 1, 31)
}

function isTime(hour: number, minute: number, second: number, microsecond: number): boolean {
  return isIn(hour, 0, 23) && isIn(minute, 0, 59) && isIn(second, 0, 59) && isIn(microsecond, 0, 999_999)
}

function isIn(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function threeBytes(number: number): number[] {
  return [number >> 16, number >> 8, number]
}
