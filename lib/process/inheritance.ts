/**
 * How a child gets descriptors. On Unix it inherits them, at the places behind those of its standard streams. On
 * Windows, where handles have no places, it is given copies once it is there, and told of them through a pipe of Node's
 * at the first of these places.
 */
import type { ChildProcess } from 'node:child_process'
import { closeSync, readSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { systemError } from '../errors.js'
import { environment } from '../native.js'
import type { StdioEntry } from './plan.js'

const inherits = process.platform !== 'win32'

/** What the child's `stdio` has to hold for it to get these, behind what else is there. */
export function stdioFor(descriptors: readonly number[]): readonly StdioEntry[] {
  return inherits ? descriptors : ['pipe']
}

/**
 * Completes what `stdioFor` has begun, when the child is there.
 * @param place Of the first of them in the child.
 * @throws the system's error, and then the child has none of them.
 */
export function handOver(child: ChildProcess, place: number, descriptors: readonly number[]): void {
  if (inherits) return
  const told = descriptors.map(fd => environment.handOver(fd, child.pid as number))
  const failure = told.find(each => typeof each === 'number')
  // One that has ended already says so by its exit code.
  if (failure !== undefined && child.exitCode === null) throw systemError(failure, 'DuplicateHandle')
  const stream = child.stdio[place] as Writable
  stream.on('error', () => {})
  const line = JSON.stringify(told.map(each => Buffer.from(each as Uint8Array).toString('base64')))
  stream.end(`${line}\n`, () => stream.destroy())
}

/** In the child: the descriptors, of which the first has this place. */
export function inherited(place: number): (index: number) => number {
  if (inherits) return index => place + index
  const told: string[] = JSON.parse(readLine(place))
  closeSync(place)
  return index => {
    const fd = environment.takeOver(Buffer.from(told[index], 'base64'))
    if (fd < 0) throw systemError(fd, 'WSASocket')
    return fd
  }
}

/** The stream's end is not waited for: it comes when the parent's event loop turns, and the parent may wait for us. */
function readLine(fd: number): string {
  const part = Buffer.alloc(4096)
  let line = ''
  while (!line.endsWith('\n')) {
    const count = readSync(fd, part)
    // A parent that ended before it had told anything leaves nothing to do.
    if (count === 0) process.exit(1)
    line += part.toString('latin1', 0, count)
  }
  return line
}
