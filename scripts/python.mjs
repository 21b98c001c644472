/**
 * The Python environment of the tests, the demo and the benchmark: what of PyPI they talk to. It is made with the
 * `python3` in `PATH`, once, and kept beside what set-up keeps. `node scripts/python.mjs` makes it by itself.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './setup.mjs'

/** No versions: which of them there are depends on that of Python. */
const PACKAGES = ['billiard', 'msgpack', 'numpy']

const folder = join(root, 'node_modules/.cache/carom/python')
/** What is in a whole environment, or why there is none. */
const complete = join(folder, 'packages')
const reason = `${folder}.missing`

/** The Python of the environment. */
export const environmentPython = join(folder, 'bin/python3')

/** Why there is no environment; `undefined` where there is one. Makes nothing. */
export function missingPythonEnvironment() {
  const isWhole = existsSync(environmentPython) && existsSync(complete)
  if (isWhole && readFileSync(complete, 'utf8') === PACKAGES.join()) return undefined
  return existsSync(reason) ? readFileSync(reason, 'utf8') : 'node scripts/python.mjs has not been run'
}

/** Makes the environment if need be. Why there is none, if there can be none. */
export function setUpPython() {
  if (missingPythonEnvironment() === undefined) return undefined
  console.log('\nset-up: Python environment')
  rmSync(folder, { recursive: true, force: true })
  const failure =
    run('python3', ['-m', 'venv', folder]) ??
    run(environmentPython, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES])
  mkdirSync(dirname(reason), { recursive: true })
  if (failure) writeFileSync(reason, failure)
  else writeFileSync(complete, PACKAGES.join())
  return failure
}

/** The environment variables with which `python3` is the environment's; the process's own where there is none. */
export function withPythonEnvironment(env = process.env) {
  if (missingPythonEnvironment() !== undefined) return env
  return { ...env, PATH: `${dirname(environmentPython)}${delimiter}${env.PATH}` }
}

function run(program, args) {
  const { error, status } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (!error && status === 0) return undefined
  return `\`${[program, ...args].join(' ').replaceAll(root, '')}\` failed (${error?.code ?? `exit status ${status}`})`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const failure = setUpPython()
  if (failure) {
    console.error(`set-up: ${failure}`)
    process.exitCode = 1
  }
}
