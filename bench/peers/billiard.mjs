/** billiard's Pipe, with the same program as CPython's, in the environment that the tests use, too. */
import { spawnSync } from 'node:child_process'
import { environmentPython, setUpPython } from '../../scripts/python.mjs'
import { exchange } from './python.mjs'

export async function prepare() {
  return setUpPython()
}

export function version() {
  const { stdout } = spawnSync(environmentPython, ['-c', 'import billiard; print(billiard.__version__)'])
  return String(stdout).trim()
}

export function command(work) {
  return exchange(environmentPython, 'billiard', work)
}
