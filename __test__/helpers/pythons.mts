/** The Pythons of this machine, as programs at the other end; what the tests do without is left out with the reason. */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { ReadableConnection, WritableConnection } from 'carom'
import { environmentPython, missingPythonEnvironment } from '../../scripts/python.mjs'
import { Program } from './programs.mjs'

export interface Python {
  /** `Python 3.12`, `billiard`. */
  readonly name: string
  readonly command: string
  /** Whose `connection` it speaks with. */
  readonly module: 'multiprocessing' | 'billiard'
  /** Speaks nothing but MD5. */
  readonly isOld: boolean
}

/** One of each version: that of `PATH` first, then pyenv's and the system's. */
export const pythons: readonly Python[] = process.platform === 'win32' ? [] : findPythons()
if (pythons.length === 0) test('(left out: there is no python3 here, or no socket files)', t => t.is(pythons.length, 0))

/** The newest handshake that is here. */
export const modern = pythons.find(({ isOld }) => !isOld)

/** Why there is no environment with billiard, msgpack and numpy. */
const missing = process.platform === 'win32' ? 'no socket files' : missingPythonEnvironment()

/** billiard with the Python of its environment, if it is there. */
export const billiard: Python | undefined = missing
  ? undefined
  : { name: 'billiard', command: environmentPython, module: 'billiard', isOld: true }

/** All that speak `multiprocessing.connection`, and billiard. */
export const everyPython: readonly Python[] = billiard ? [...pythons, billiard] : pythons

/** The Python that has msgpack and numpy, if it is there. */
export const packaged: Python | undefined = billiard && { ...billiard, name: 'Python', module: 'multiprocessing' }

/** Names what is left out where there is no environment; one for each spec that uses it. */
export function needsPackages(what: string): void {
  if (missing) test(`${what} (left out: ${missing})`, t => t.is(packaged, undefined))
}

function findPythons(): Python[] {
  const found = new Map<number, Python>()
  const add = (minor: number, command: string) => {
    if (minor < 6 || found.has(minor)) return
    found.set(minor, { name: `Python 3.${minor}`, command, module: 'multiprocessing', isOld: minor < 12 })
  }
  const first = minorOf('python3')
  if (first !== undefined) add(first, 'python3')
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions')
  for (const [folder, pattern, program] of [
    [versions, /^3\.(\d+)\.\d+$/, 'bin/python3'],
    ['/usr/bin', /^python3\.(\d+)$/, ''],
  ] as const) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const minor = pattern.exec(name)?.[1]
      if (minor !== undefined) add(Number(minor), join(folder, name, program))
    }
  }
  return [...found.values()]
}

/** Of a command that may not be there. */
function minorOf(command: string): number | undefined {
  try {
    const script = 'import sys; print(sys.version_info[1])'
    return Number(execFileSync(command, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return undefined
  }
}

interface PythonOptions {
  /** The name of a program in `__test__/python`. Default `peer`. */
  readonly program?: string
  /** Move to the child as its descriptors from 3 on. */
  readonly ends?: readonly Pick<ReadableConnection | WritableConnection, 'detach'>[]
}

/** Runs a role of a program in `__test__/python`. Killed when the test is done, if it has not ended by then. */
export function startPython(
  t: ExecutionContext,
  { command, module }: Python,
  role: string,
  setting: object = {},
  { program = 'peer', ends = [] }: PythonOptions = {},
): Program {
  const file = fileURLToPath(new URL(`../python/${program}.py`, import.meta.url))
  const descriptors = ends.map(end => end.detach().fd)
  const child = spawn(command, ['-B', file, module, role, JSON.stringify(setting)], {
    stdio: ['ignore', 'pipe', 'inherit', ...descriptors],
  })
  for (const fd of descriptors) closeSync(fd)
  t.teardown(() => child.kill('SIGKILL'))
  return new Program(child)
}
