/** CPython's multiprocessing.connection: `python/PROGRAM.py` serves the driver's lines itself. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PYTHON = 'python3'

/** Nobody has to have Python: what is missing, if it is. */
export async function prepare() {
  const { error, status } = spawnSync(PYTHON, ['-c', 'import multiprocessing.connection'], { stdio: 'ignore' })
  return error || status !== 0 ? `there is no ${PYTHON} here` : undefined
}

export function command({ program }, _workName, { python }) {
  // -B: nothing is written beside the programs.
  return [PYTHON, '-B', fileURLToPath(new URL(`python/${program}.py`, import.meta.url)), ...python.map(String)]
}
