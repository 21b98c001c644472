/** What Python has to call to make a value that pickle has no opcode for. */
import { types } from 'node:util'
import * as python from '../../python/index.js'
import { packDate, packDateTime, packTime, Timezone } from './time.js'

/** A global, and its arguments. */
export interface Call {
  readonly global: string
  readonly args: readonly unknown[]
}

/** `undefined` for an object of any other class. */
export function callFor(value: object): Call | undefined {
  if (types.isDate(value)) return { global: 'datetime.datetime', args: packDateTime(value) }
  if (value instanceof python.Date) return { global: 'datetime.date', args: [packDate(value)] }
  if (value instanceof python.Time) return { global: 'datetime.time', args: packTime(value) }
  if (value instanceof python.TimeDelta) {
    return { global: 'datetime.timedelta', args: [value.days, value.seconds, value.microseconds] }
  }
  if (value instanceof Timezone) {
    return { global: 'datetime.timezone', args: [new python.TimeDelta(0, value.offset)] }
  }
  if (value instanceof python.Decimal) return { global: 'decimal.Decimal', args: [String(value)] }
  if (value instanceof python.UUID) return { global: 'uuid.UUID', args: [String(value)] }
  if (value instanceof python.Path) return { global: `pathlib.${value.kind}`, args: [String(value)] }
  if (value instanceof python.Range) return { global: 'builtins.range', args: [value.start, value.stop, value.step] }
  if (value instanceof python.Complex) {
    return { global: 'builtins.complex', args: [new python.Float(value.real), new python.Float(value.imag)] }
  }
  return
}

/** Whether Python has a hash of what it gets, so that it can be a key or in a set. */
export function isHashable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (value instanceof python.Tuple) return value.every(isHashable)
  if (ArrayBuffer.isView(value))
    return !('shape' in value) && (value instanceof Uint8Array || value instanceof DataView)
  return (
    value instanceof python.FrozenSet ||
    value instanceof python.Float ||
    types.isArrayBuffer(value) ||
    callFor(value) !== undefined
  )
}
