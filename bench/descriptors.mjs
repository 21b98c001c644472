/** How many descriptors a process may have open. */
import { spawnSync } from 'node:child_process'

/** What a process has open besides the connections that are measured, and more. */
const OTHERS = 100

/** The hard limit: Node raises the soft one to it, also for what it starts. */
function limit() {
  const { error, stdout } = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })
  const number = Number.parseInt(stdout, 10)
  // No shell, or "unlimited".
  return error || Number.isNaN(number) ? Number.POSITIVE_INFINITY : number
}

/** What is said when so many connections are too many for one process; else nothing. */
export function tooMany(connections) {
  const allowed = limit()
  if (connections + OTHERS <= allowed) return undefined
  return `a process may have ${allowed} descriptors open here: raise it with ulimit -Hn ${connections + OTHERS}`
}
