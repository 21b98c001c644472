/** billiard's Pipe, with the same program as CPython's, in the environment that `optional/` makes. */
import { python, pythonEnvironment, pythonVersion } from '../optional/install.mjs'
import { exchange } from './python.mjs'

export async function prepare() {
  return pythonEnvironment('billiard')
}

export function version() {
  return pythonVersion('billiard')
}

export function command(work) {
  return exchange(python, 'billiard', work)
}
