/** What a process has open. */
import { closeSync, fstatSync, readdirSync, readFileSync } from 'node:fs'
import { Connection } from 'carom'
import { onWindows } from './platform.mjs'

/** Windows tells no program how many handles it has: always the same number there. */
export function openDescriptors(): number {
  if (onWindows) return 0
  return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length
}

/** Closes what `detach()` gave; what is no open descriptor fails. */
export function closeDescriptor(fd: number): void {
  // To `fs` there, a descriptor is something else than a handle.
  if (onWindows) Connection.from(fd)[Symbol.dispose]()
  else closeSync(fd)
}

/** Whether it is that of an open socket, or on Windows of a pipe; it is closed. */
export function wasStream(fd: number): boolean {
  const is = onWindows || fstatSync(fd).isSocket()
  closeDescriptor(fd)
  return is
}

/** Whether a program that is started gets no copy of it; Linux only. */
export function closesOnExec(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  return (Number.parseInt(flags ?? '0', 8) & 0o2000000) !== 0
}
