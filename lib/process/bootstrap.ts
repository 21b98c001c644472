/**
 * The program of every child: takes its assignment from the parent, imports the target's module and calls the target.
 * Its one argument is the place of its descriptors, of which the first is the control channel's.
 */
import { fileURLToPath } from 'node:url'
import { deserialize } from 'node:v8'
import { adopt, announce } from '../connection.js'
import { EOFError } from '../errors.js'
import { checkSettings } from '../settings.js'
import type { Assignment } from './assignment.js'
import { inherited } from './inheritance.js'
import { unpackArguments } from './packed-arguments.js'
import { becomeChild, whileImporting } from './role.js'
import { findTarget } from './target.js'

/** As Node has it for a top-level await that never settles. */
const UNSETTLED = 13

becomeChild()
const descriptor = inherited(Number(process.argv[2]))
const control = adopt({ fd: descriptor(0), readable: true, writable: true }, checkSettings(undefined))
const assignment: Assignment = deserialize(receive())
const packedArgs = receive()
if (assignment.daemon) dieWithParent()
else control.closeSync()

process.argv = [process.argv[0], fileURLToPath(assignment.module)]
if (assignment.cwd !== undefined) process.chdir(assignment.cwd)
run().catch(error => {
  // Not as a rejection: an uncaught exception, whatever this process does about unhandled rejections.
  queueMicrotask(() => {
    throw error
  })
})

/** A parent that ended before it had sent everything leaves nothing to do. */
function receive(): Buffer {
  try {
    return control.recvBytesSync()
  } catch (error) {
    if (error instanceof EOFError) process.exit(1)
    throw error
  }
}

/** For a parent that has no time to do it itself, as with SIGKILL. */
function dieWithParent(): void {
  const die = () => process.kill(process.pid, 'SIGKILL')
  control.unref().recvBytes().then(die, die)
}

async function run(): Promise<void> {
  const { module, target, connections } = assignment
  const moved = connections.map((moved, index) => announce(adopt({ ...moved, fd: descriptor(1 + index) }, moved)))
  const args = unpackArguments(packedArgs, moved)
  process.on('beforeExit', endUnsettled)
  try {
    const exports = await whileImporting(() => importModule(module))
    await findTarget(exports, target, module)(...args)
  } finally {
    process.off('beforeExit', endUnsettled)
  }
}

/** Nothing is left that could settle the target's promise. */
function endUnsettled(): void {
  process.exitCode ??= UNSETTLED
}

/** `require` is quicker where the name alone says that it will do. */
async function importModule(url: string): Promise<Record<string, unknown>> {
  return url.endsWith('.cjs') ? { default: require(fileURLToPath(url)) } : await import(url)
}
