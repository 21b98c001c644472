/**
 * What the benchmark can do without, installed into this folder when a run first needs it. The packages are not those of
 * `bench/`, whose modules would then no longer be carom's own and could not import it by its name.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))

/** Makes sure that a package of `package.json` can be imported; what went wrong, if it cannot. */
export async function npmPackage(name) {
  if (!existsSync(join(FOLDER, 'node_modules', name))) {
    console.log(`Installing the packages of ${FOLDER}`)
    // The lock file's versions, prebuilt: no script of a package is run.
    const failure = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
    if (failure) return failure
  }
  try {
    await import(name)
    return undefined
  } catch (error) {
    return `${name} cannot be imported: ${error.message}`
  }
}

/** The version of a package that is there. */
export function npmVersion(name) {
  return JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')).dependencies[name]
}

function run(program, args) {
  const { error, status } = spawnSync(program, args, { cwd: FOLDER, stdio: ['ignore', 2, 2] })
  if (!error && status === 0) return undefined
  return `"${[program, ...args].join(' ')}" has failed (${error?.code ?? `exit code ${status}`})`
}
