/** servo's ipc-channel: `bench/ipc-channel`, a blocking program in Rust. Left out where its packages are not to be had. */
import { readFileSync } from 'node:fs'
import { build, program } from './cargo-program.mjs'

const NAME = 'ipc-channel-peer'

export async function prepare() {
  return build(NAME)
}

export function version() {
  const manifest = readFileSync(new URL('../ipc-channel/Cargo.toml', import.meta.url), 'utf8')
  return manifest.match(/^ipc-channel = "(.+)"$/m)[1]
}

export function command({ shape, kind, size }) {
  return [program(NAME), shape, kind, ...(kind === 'bytes' ? [String(size)] : [])]
}
