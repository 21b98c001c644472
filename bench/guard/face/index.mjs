/** Counts what the runs of the face take, each in a process of its own: memory in one, native calls in another. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { works } from './works.mjs'

/** One thread, so that code is optimised at the same moment each time; and no collection while memory is counted. */
const FLAGS = ['--single-threaded', '--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128']

/** Where carom can be forced to take another way, it takes its own. */
const ENVIRONMENT = { ...process.env, NODE_OPTIONS: '', CAROM_REACTOR: 'loop' }

/** The figures per message of each run, and what they depend on. */
export function countFace() {
  const runs = Object.keys(works).map(name => [`face: ${name}`, { ...run('memory', name), ...run('calls', name) }])
  return { versions: { node: process.version }, runs: Object.fromEntries(runs) }
}

function run(program, name) {
  const file = fileURLToPath(new URL(`${program}.mjs`, import.meta.url))
  const { error, status, signal, stdout } = spawnSync(process.execPath, [...FLAGS, file, name], {
    env: ENVIRONMENT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (error) throw error
  if (status !== 0) throw new Error(`the run "${name}" has failed (${signal ?? `exit status ${status}`}), see above`)
  return JSON.parse(stdout)
}
