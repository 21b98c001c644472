/** The platform that this process runs on, by the name that its addon's file and package carry. */
import { closeSync, openSync, readSync } from 'node:fs'

/** Those with an addon among the packages: the same as the `targets` in `package.json`. */
export const SUPPORTED: readonly string[] = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-arm-gnueabihf',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
  'win32-arm64-msvc',
  'freebsd-x64',
]

/** How much of a program's file is read: its head names the loader that goes with its libc. */
const HEAD = 2048

/** Such as `linux-x64-gnu`. */
export function platformName(): string {
  const { arch, platform } = process
  if (platform === 'win32') return `win32-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  return `linux-${arch}-${isMusl() ? 'musl' : arch === 'arm' ? 'gnueabihf' : 'gnu'}`
}

/** Asks the file of the running program, and where that does not tell Node's report, which takes some milliseconds. */
function isMusl(): boolean {
  const head = headOf(process.execPath)
  if (head.includes('/ld-musl-')) return true
  if (head.includes('/ld-linux')) return false
  return !isGlibcReported()
}

function headOf(file: string): Buffer {
  const head = Buffer.alloc(HEAD)
  try {
    const fd = openSync(file, 'r')
    try {
      readSync(fd, head)
    } finally {
      closeSync(fd)
    }
  } catch {
    // It may not be read, as under Node's permission model.
  }
  return head
}

function isGlibcReported(): boolean {
  // The types are those of an older Node.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  const { excludeNetwork } = report
  // It would ask for the names of all addresses.
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime !== undefined
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}
