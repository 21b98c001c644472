/** Starts a child and hands it what it needs: all of it, or nothing happens. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { constants as access, accessSync, statSync } from 'node:fs'
import { serialize } from 'node:v8'
import { type Connection, checkMovable, settingsOf } from '../connection.js'
import { errnoOf, systemError } from '../errors.js'
import { environment } from '../native.js'
import { connectedPair } from '../pipe.js'
import { checkSettings } from '../settings.js'
import type { Assignment } from './assignment.js'
import { handOver, stdioFor } from './inheritance.js'
import { packArguments } from './packed-arguments.js'
import type { Plan } from './plan.js'
import { bootstrapFile } from './role.js'

/**
 * @returns The child, and for a daemon the control channel, whose end is the child's end.
 * @throws the system's error, DataCloneError, or what is wrong with a connection, and then nothing has moved.
 */
export function launch(plan: Plan): { child: ChildProcess; control: Connection | undefined } {
  if (plan.cwd !== undefined) requireDirectory(plan.cwd)
  const { bytes, connections } = packArguments(plan.args)
  for (const conn of connections) checkMovable(conn)
  const settings = checkSettings(undefined)
  const [control, theirs] = connectedPair(true, settings, settings)
  let child: ChildProcess
  try {
    child = spawnNow(plan, [theirs.fd, ...connections.map(conn => conn.fd)])
  } catch (error) {
    control[Symbol.dispose]()
    theirs[Symbol.dispose]()
    throw error
  }
  release(theirs)
  const { module, target, cwd, daemon } = plan
  const moved = connections.map(conn => ({ ...settingsOf(conn), ...release(conn) }))
  const assignment: Assignment = { module, target, cwd, daemon, connections: moved }
  // Blocking, as a child that is not told everything could wait for ever for a parent that waits for it; only
  // what a socket does not hold has to wait for the child.
  sendIfAlive(control, serialize(assignment))
  sendIfAlive(control, bytes)
  if (daemon) return { child, control }
  control[Symbol.dispose]()
  return { child, control: undefined }
}

/** The child goes there itself: the modules of `execArgv` are looked up from this process's directory. */
function requireDirectory(path: string): void {
  if (!statSync(path).isDirectory()) throw systemError(errnoOf('ENOTDIR'), 'chdir', { path })
  accessSync(path, access.X_OK)
}

/** `spawn`, with all its errors thrown at once. */
function spawnNow(plan: Plan, descriptors: readonly number[]): ChildProcess {
  const { env, execArgv, stdio } = plan
  const args = [...execArgv, bootstrapFile, String(stdio.length)]
  const child = spawn(process.execPath, args, { env, stdio: [...stdio, ...stdioFor(descriptors)] })
  // What the system refuses is told by an event in a later tick; but there is no `pid` then.
  child.on('error', () => {})
  if (child.pid === undefined) throw systemError(reasonOfFailure(child, env), 'spawn', { path: process.execPath })
  try {
    handOver(child, stdio.length, descriptors)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return child
}

/** The system's error, before Node tells it. */
function reasonOfFailure(child: ChildProcess, env: NodeJS.ProcessEnv | undefined): number {
  // Out of descriptors: Node has not even begun to make streams. (And a blocking attempt would lose a descriptor.)
  if (child.stdin === undefined) return errnoOf('EMFILE')
  const { error } = spawnSync(process.execPath, ['--version'], { env, stdio: 'ignore' })
  return (error as NodeJS.ErrnoException | undefined)?.errno ?? errnoOf('EAGAIN')
}

/** Closes this process's copy of what the child has now; the stream goes on. */
function release(conn: Connection) {
  const { fd, ...rest } = conn.detach()
  // Not by `fs.closeSync`: in worker threads it warns of descriptors that it has not opened.
  environment.close(environment.adopt(fd, new Uint8Array(), rest.readable, rest.writable, 0))
  return rest
}

/** A child that has ended already says so by its exit code. */
function sendIfAlive(control: Connection, bytes: Uint8Array): void {
  try {
    control.sendBytesSync(bytes)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPIPE' && code !== 'ECONNRESET') throw error
  }
}
