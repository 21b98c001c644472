/** What a process has open. */
import { readdirSync, readFileSync } from 'node:fs'
import { onWindows } from './platform.mjs'

/** Windows tells no program how many handles it has: always the same number there. */
export function openDescriptors(): number {
  if (onWindows) return 0
  return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length
}

/** Whether a program that is started gets no copy of it; Linux only. */
export function closesOnExec(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  return (Number.parseInt(flags ?? '0', 8) & 0o2000000) !== 0
}
