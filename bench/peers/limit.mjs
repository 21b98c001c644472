/** The limit: `bench/limit`, a blocking program in Rust over a bare socketpair. Without it the figures say little. */
import { build, program } from './cargo-program.mjs'

const NAME = 'limit'

export async function prepare() {
  const failure = build(NAME)
  if (failure) throw new Error(failure)
}

export function command({ shape, size }) {
  return [program(NAME), shape, String(size)]
}
