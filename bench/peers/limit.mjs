/** The limit: `bench/limit`, a blocking program in Rust over a bare socketpair, which serves the driver's lines itself. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../../target/release/limit', import.meta.url))

/** Builds the program; takes no time when nothing has changed. */
export async function prepare() {
  const args = ['build', '--release', '--quiet', '--package', 'limit', '--target-dir', 'target']
  const { error, status } = spawnSync('cargo', args, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  if (error || status !== 0) {
    throw new Error(
      `"cargo ${args.join(' ')}" has failed (${error?.code ?? `exit code ${status}`}): is Rust installed?`,
    )
  }
}

export function command({ shape, size }) {
  return [PROGRAM, shape, String(size)]
}
