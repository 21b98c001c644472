/** The peers in Rust: packages of the workspace, which serve the driver's lines themselves. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Builds the program, which takes no time when nothing has changed; what went wrong, if anything did. */
export function build(name) {
  const args = ['build', '--release', '--quiet', '--package', name, '--target-dir', 'target']
  const { error, status } = spawnSync('cargo', args, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  if (!error && status === 0) return undefined
  return `"cargo ${args.join(' ')}" has failed (${error?.code ?? `exit code ${status}`}): is Rust installed?`
}

export function program(name) {
  return fileURLToPath(new URL(`../../target/release/${name}`, import.meta.url))
}
