/** Starts the responder's process, and ends the driver when it fails, since it would wait for ever. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The program that the driver starts as the other end. */
export const RESPONDER = fileURLToPath(new URL('../responder.mjs', import.meta.url))

/** `stdio` holds what the transport needs besides the standard streams. */
export function startResponder(args, options) {
  return startProgram([process.execPath, RESPONDER, ...args], options)
}

/** The same with a responder in another language. */
export function startProgram([program, ...args], { stdio = [], ...options } = {}) {
  const child = spawn(program, args, {
    ...options,
    // The driver's standard output is for its figures alone.
    stdio: ['ignore', 2, 2, ...stdio],
  })
  child.once('error', fail)
  child.once('exit', (code, signal) => {
    if (code !== 0) fail(new Error(`The responder has ended with ${signal ?? `exit code ${code}`}`))
  })
  return child
}

function fail(error) {
  console.error(error)
  process.exit(1)
}
