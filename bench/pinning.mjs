/** Keeps a command, and what it starts, on one core: the last of those that this process may use. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What to put before a command; `undefined` where there is no `taskset`. */
export function pinToOneCore() {
  const { error, status } = spawnSync('taskset', ['--version'])
  if (error || status !== 0) return undefined
  const allowed = /^Cpus_allowed_list:.*?(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return allowed ? ['taskset', '-c', allowed[1]] : undefined
}
