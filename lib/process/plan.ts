/** What a process is to be: its options, checked as far as can be before it starts. */
import type { StdioOptions } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { invalidArgType, invalidArgValue } from '../errors.js'
import { inheritable } from './exec-argv.js'
import { moduleUrl, targetName } from './target.js'

/** One descriptor of a child. */
export type StdioEntry = Exclude<StdioOptions, string>[number]

export interface Plan {
  readonly name: string
  /** The URL of the target's module. */
  readonly module: string
  readonly target: string
  readonly args: readonly unknown[]
  /** `undefined`: as this process's is when the child starts. */
  readonly env: NodeJS.ProcessEnv | undefined
  readonly cwd: string | undefined
  readonly execArgv: readonly string[]
  /** At least three. */
  readonly stdio: readonly StdioEntry[]
  readonly daemon: boolean
}

const STREAMS: readonly string[] = ['pipe', 'overlapped', 'ignore', 'inherit']

/** @throws TypeError for an option that cannot be. */
export function makePlan(options: unknown): Plan {
  if (!isObject(options)) throw invalidArgType('options', 'an object', options)
  const target = targetName(options.target)
  return {
    name: check(isString, 'name', 'a string', options.name) ?? target,
    module: moduleUrl(options.module),
    target,
    args: check(isArray, 'args', 'an array', options.args) ?? [],
    env: check(isObject, 'env', 'an object', options.env) as NodeJS.ProcessEnv | undefined,
    cwd: directory(options.cwd),
    execArgv:
      check(isListOfStrings, 'execArgv', 'an array of strings', options.execArgv) ?? inheritable(process.execArgv),
    stdio: stdioEntries(options.stdio),
    daemon: check(isBoolean, 'daemon', 'a boolean', options.daemon) ?? false,
  }
}

function check<T>(is: (value: unknown) => value is T, option: string, expected: string, value: unknown): T | undefined {
  if (value === undefined || is(value)) return value
  throw invalidArgType(`"${option}" option`, expected, value)
}

const isString = (value: unknown): value is string => typeof value === 'string'
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value)
const isListOfStrings = (value: unknown): value is readonly string[] => isArray(value) && value.every(isString)
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function directory(cwd: unknown): string | undefined {
  const isPath = (value: unknown): value is string | URL => isString(value) || value instanceof URL
  const path = check(isPath, 'cwd', 'a path or a file URL', cwd)
  return path && resolve(isString(path) && !path.startsWith('file:') ? path : fileURLToPath(path))
}

function stdioEntries(stdio: unknown): readonly StdioEntry[] {
  const given = isString(stdio) ? [stdio, stdio, stdio] : (check(isArray, 'stdio', 'a string or an array', stdio) ?? [])
  if (given.includes('ipc'))
    throw invalidArgValue('"stdio" option', "cannot hold 'ipc': give the process an end of a Pipe() in its arguments")
  if (given.some(entry => isString(entry) && !STREAMS.includes(entry)))
    throw invalidArgValue('"stdio" option', `takes ${STREAMS.join(', ')}, descriptors and streams`)
  // The casts leave the others to `spawn`, which checks them.
  const standard = [0, 1, 2].map(fd => (given[fd] ?? 'inherit') as StdioEntry)
  return [...standard, ...given.slice(3).map(entry => (entry ?? 'ignore') as StdioEntry)]
}
