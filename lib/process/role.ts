/**
 * What this process is: a child that `Process` started, or not, and whether it may start processes of its own yet.
 *
 * The bootstrap sets it before anything of the user's modules runs. It is kept in the environment data, which worker
 * threads inherit and other processes do not.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { join } from 'node:path'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

/** The program of every child. */
export const bootstrapFile = join(__dirname, 'bootstrap.js')

/** Shared by all copies of carom in a process. */
const ROLE = 'carom:child'
type Role = 'importing' | 'running'

/** Set in all that the import of the target's module has begun, also where that goes on after the import. */
const importing = new AsyncLocalStorage<true>()

/** Modules that `--require` and `--import` load run before the bootstrap does. */
const beforeBootstrap = () => process.argv[1] === bootstrapFile

/** Whether a `Process` started this process. */
export function isChild(): boolean {
  return getEnvironmentData(ROLE) !== undefined || beforeBootstrap()
}

/**
 * Whether what runs now is part of the import of the target's module, where a forgotten guard would start processes
 * without end: in the module's own code, in what that left running, or in a worker thread that it made.
 */
export function isImporting(): boolean {
  const role = getEnvironmentData(ROLE) as Role | undefined
  return role === undefined ? beforeBootstrap() : role === 'importing' || importing.getStore() === true
}

/** For the bootstrap: this process is a child from now on. */
export function becomeChild(): void {
  setEnvironmentData(ROLE, 'importing' satisfies Role)
}

/** For the bootstrap: `load` imports the target's module; processes may be started when it has settled. */
export async function whileImporting<T>(load: () => Promise<T>): Promise<T> {
  const loaded = await importing.run(true, load)
  setEnvironmentData(ROLE, 'running' satisfies Role)
  await forgetImport()
  return loaded
}

/** Telling the import's own work from the target's makes every promise slower: stop when nothing of it is left. */
async function forgetImport(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  if (process.getActiveResourcesInfo().length === 0) importing.disable()
}
