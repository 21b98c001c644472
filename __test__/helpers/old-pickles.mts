/** Pickles of makers that are not on every machine, as their expression has them by each of their protocols. */
import { readFileSync } from 'node:fs'

const makers: Record<string, Record<string, string[]>> = JSON.parse(
  readFileSync(new URL('../fixtures/pickles.json', import.meta.url), 'utf8'),
)

/** @returns By expression, the bytes that the maker has for it. */
export function oldPickles(maker: 'Python 2.7' | 'numpy 1.24'): Map<string, Buffer[]> {
  return new Map(
    Object.entries(makers[maker]).map(([expression, texts]) => [
      expression,
      texts.map(text => Buffer.from(text, 'base64')),
    ]),
  )
}
