/**
 * Runs npm (`npm exec` for programs of packages) in this Node: on Windows its command is a script that only a shell
 * runs. The scripts that import this are run by npm themselves, which says where it is.
 */
import { run } from '../installing.mjs'

/** Gives what it prints. */
export function npm(args, options) {
  return run(process.execPath, [process.env.npm_execpath, ...args], options)
}
