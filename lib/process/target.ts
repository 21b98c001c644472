/** The function that a process runs: its module as the parent is told of it, and its lookup in the child. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { invalidArgType, invalidArgValue } from '../errors.js'

type Exports = Readonly<Record<string, unknown>>
type AnyFunction = (...args: unknown[]) => unknown

const remedy = 'export the target from a module, or give the worker a file of its own'

/**
 * The URL that a child imports.
 * @throws TypeError when it is no module that a child could import, which code from `-e` and the REPL has not.
 */
export function moduleUrl(module: unknown): string {
  const url = toUrl(module)
  const path = fileURLToPath(url)
  if (!isFile(path) && !isFile(asTypeScript(path)))
    throw invalidArgValue('"module" option', `is no file that a child process can import (${path}): ${remedy}`)
  return url.href
}

function toUrl(module: unknown): URL {
  if (!(module instanceof URL) && typeof module !== 'string')
    throw invalidArgType('"module" option', 'a path, a file URL or a URL object', module)
  // One letter before the colon is a drive of Windows.
  if (typeof module === 'string' && !/^[a-z][a-z\d+.-]+:/i.test(module)) return pathToFileURL(resolve(module))
  const url = new URL(module)
  if (url.protocol !== 'file:')
    throw invalidArgValue('"module" option', `must be a path or a file URL, not a ${url.protocol} URL: ${remedy}`)
  return url
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** TypeScript's loaders take `./worker.js` for `./worker.ts`. */
function asTypeScript(path: string): string {
  return path.replace(/\.([cm]?)js(x?)$/, '.$1ts$2')
}

/**
 * The name by which the child looks for the target.
 * @throws TypeError when it has none.
 */
export function targetName(target: unknown): string {
  if (typeof target !== 'function' && typeof target !== 'string')
    throw invalidArgType('"target" option', 'an exported function, or the name of its export', target)
  const name = typeof target === 'string' ? target : target.name
  if (name === '')
    throw invalidArgValue(
      '"target" option',
      `has no name by which a child process could find it: name it and ${remedy}`,
    )
  return name
}

/**
 * The export of that name, else the only exported function that is called so itself.
 * @param exports A module's namespace; what a CommonJS module exports is in its `default`.
 */
export function findTarget(exports: Exports, name: string, url: string): AnyFunction {
  const scopes = [exports, Object(exports.default) as Exports]
  const exported = scopes.map(scope => scope[name]).find(isFunction)
  if (exported) return exported
  const namesakes = new Set(scopes.flatMap(Object.values).filter(value => isFunction(value) && value.name === name))
  if (namesakes.size === 1) return namesakes.values().next().value
  throw invalidArgValue(
    '"target" option',
    namesakes.size === 0
      ? `names no function that ${url} exports (${name}): export it, or give the worker a file of its own`
      : `names several functions that ${url} exports (${name}): give the name of the export`,
  )
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}
