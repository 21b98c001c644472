/**
 * What the benchmark can do without, installed into this folder when a run first needs it. The packages are not those of
 * `bench/`, whose modules would then no longer be carom's own and could not import it by its name.
 */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const ENVIRONMENT = fileURLToPath(new URL('.venv', import.meta.url))

/** The Python of the environment. */
export const python = fileURLToPath(new URL('.venv/bin/python', import.meta.url))

/** Makes sure that a package of `package.json` is there; what went wrong, if it is not. */
export function npmPackage(name) {
  if (isThere(name)) return undefined
  console.log(`Installing the packages of ${FOLDER}`)
  // The lock file's versions, prebuilt: no script of a package is run.
  const failure = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
  return failure ?? (isThere(name) ? undefined : `${name} has not been installed`)
}

/** Makes sure that the environment has a module of `requirements.txt`; what went wrong, if it has not. */
export function pythonEnvironment(module) {
  const isImportable = () => run(python, ['-c', `import ${module}`], 'ignore') === undefined
  if (isImportable()) return undefined
  console.log(`Making a Python environment in ${ENVIRONMENT}`)
  return (
    run('python3', ['-m', 'venv', ENVIRONMENT]) ??
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt']) ??
    (isImportable() ? undefined : `${module} has not been installed`)
  )
}

function isThere(name) {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

function run(program, args, output = 2) {
  const { error, status } = spawnSync(program, args, { cwd: FOLDER, stdio: ['ignore', output, output] })
  if (!error && status === 0) return undefined
  return `"${[program, ...args].join(' ')}" has failed (${error?.code ?? `exit code ${status}`})`
}
