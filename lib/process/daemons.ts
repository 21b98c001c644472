/** The children that must not outlive this process. */
import type { ChildProcess } from 'node:child_process'

const daemons = new Set<ChildProcess>()

/** Killed when this process exits, unless it has ended before. */
export function killAtExit(child: ChildProcess): void {
  if (!process.listeners('exit').includes(killAll)) process.on('exit', killAll)
  daemons.add(child)
  child.once('exit', () => daemons.delete(child))
}

function killAll(): void {
  for (const daemon of daemons) daemon.kill('SIGKILL')
}
