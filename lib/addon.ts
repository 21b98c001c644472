/**
 * Loads the native addon: one that was built here, else that of the platform's package. What is wrong when it cannot be
 * loaded is looked into only then.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type * as Addon from '#native'
import { version } from '../package.json'
import { addonMissing, addonOfOtherVersion, addonUnusable, givenAddonMissing, unsupportedPlatform } from './errors.js'
import { platformName, SUPPORTED } from './platform.js'

/** The class of what is open in one environment. */
export const { Environment } = load()

function load(): typeof Addon {
  const name = platformName()
  const file = locate(name)
  let addon: typeof Addon
  try {
    addon = require(file)
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, name, file)
  }
  if (addon.VERSION !== version) throw addonOfOtherVersion(require.resolve(file), addon.VERSION, version)
  return addon
}

/** The addon's file, or its package. The variable is the one of all packages that are made with napi-rs. */
function locate(name: string): string {
  const given = process.env.NAPI_RS_NATIVE_LIBRARY_PATH
  if (given) return resolve(given)
  const built = builtFile(name)
  return existsSync(built) ? built : packageOf(name)
}

function builtFile(name: string): string {
  return join(__dirname, `../native/carom.${name}.node`)
}

function packageOf(name: string): string {
  return `@carom-ipc/addon-${name}`
}

function explained(error: NodeJS.ErrnoException, name: string, file: string): Error {
  if (error.code !== 'MODULE_NOT_FOUND') return addonUnusable(name, require.resolve(file), error)
  if (file !== packageOf(name)) return givenAddonMissing(name, file)
  return SUPPORTED.includes(name) ? addonMissing(name, [file, builtFile(name)]) : unsupportedPlatform(name, SUPPORTED)
}
