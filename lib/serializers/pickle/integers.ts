/** Python's integers, which have no end: a number where that is exact, else a bigint. */
import { malformed } from '../refusal.js'

/** Digits beyond this many take long to convert: Python refuses them, too. */
const MAX_DIGITS = 4300
/** A bigint has no more bytes. */
const MAX_BYTES = 2 ** 27 - 1

/** @param bytes In two's complement, little-endian. */
export function parseLong(bytes: Buffer): number | bigint {
  const { length } = bytes
  if (length === 0) return 0
  if (length <= 6) return bytes.readIntLE(0, length)
  if (length === 8) return toInteger(bytes.readBigInt64LE())
  if (length > MAX_BYTES) throw malformed('an integer is too long')
  const hex = Buffer.from(bytes).reverse().toString('hex')
  return toInteger(BigInt.asIntN(length * 8, BigInt(`0x${hex}`)))
}

/** @param text In decimal. */
export function parseDecimal(text: string): number | bigint {
  if (text.length > MAX_DIGITS || !/^[+-]?\d+$/.test(text)) throw malformed('an integer is not one')
  const number = Number(text)
  // Where `BigInt` is asked, it takes no plus.
  return Number.isSafeInteger(number) ? number + 0 : BigInt(text.replace('+', ''))
}

function toInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
