/** CPython's multiprocessing.connection: programs that serve the driver's lines themselves. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PYTHON = 'python3'

/** Nobody has to have Python: what is missing, if it is. */
export async function prepare() {
  const { error, status } = spawnSync(PYTHON, ['-c', 'import multiprocessing.connection'], { stdio: 'ignore' })
  return error || status !== 0 ? `there is no ${PYTHON} here` : undefined
}

export function version() {
  const { stdout } = spawnSync(PYTHON, ['--version'], { encoding: 'utf8' })
  return stdout.trim().split(' ')[1]
}

export function command(work, _workName, { python } = {}) {
  return python ? program(PYTHON, work.program, python) : exchange(PYTHON, 'multiprocessing', work)
}

/** A round trip or one way over the Pipe of `module`. */
export function exchange(python, module, { shape, kind, size = '', into }) {
  return program(python, 'exchange', [module, into ? `${shape}-into` : shape, kind, size])
}

/** The other end alone, for a driver that hands it a descriptor. */
export function respondingTo(descriptor, work) {
  return [...exchange(PYTHON, 'multiprocessing', work), String(descriptor)]
}

function program(python, name, args) {
  // -B: nothing is written beside the programs.
  return [python, '-B', fileURLToPath(new URL(`python/${name}.py`, import.meta.url)), ...args.map(String)]
}
