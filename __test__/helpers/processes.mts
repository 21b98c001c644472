/** Processes that do not outlive their test, and what they print. */
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { Process, type ProcessOptions } from 'carom'

/** The URL of a fixture. */
export const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url)

// biome-ignore lint/suspicious/noExplicitAny: the parameters of any function
type AnyTarget = (...args: any) => unknown

/** Started; killed when the test is done, if it has not ended by then. */
export function start<F extends AnyTarget>(t: ExecutionContext, options: ProcessOptions<F>): Process<F> {
  const child = new Process<F>(options).start()
  t.teardown(() => child.kill())
  return child
}

interface Outcome {
  exitCode: number | undefined
  stdout: string
  stderr: string
}

/** Runs it to its end, and gives what it printed. */
export async function outcome<F extends AnyTarget>(t: ExecutionContext, options: ProcessOptions<F>): Promise<Outcome> {
  const child = start<F>(t, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  if (!child.stdout || !child.stderr) throw new TypeError('No streams')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { exitCode: await child.join(), stdout, stderr }
}
