/** Addresses: what users give, checked before any system call is made with it. */
import { isIPv4, isIPv6 } from 'node:net'
import { isAbsolute, resolve } from 'node:path'
import { toUSVString } from 'node:util'
import { invalidArgType, invalidArgValue, outOfRange } from './errors.js'
import type { BoundAddress, Family } from './interfaces.js'

type LocalFamily = Extract<Family, 'AF_UNIX' | 'AF_PIPE'>
type InetFamily = Exclude<Family, LocalFamily>
type Platform = NodeJS.Platform

/** A checked address, and what kind it is. A host is a name or a literal: nothing has looked it up yet. */
export type Endpoint =
  | { readonly family: LocalFamily; readonly path: string }
  | { readonly family: InetFamily; readonly host: string; readonly port: number }

const PIPE_NAME = /^\\\\\.\\pipe\\./is
/** Longest name of a Windows pipe with all that stands before it, in characters. */
const MAX_PIPE_NAME = 256
const MAX_PORT = 65_535

/** Longest path of a Unix socket on this platform, in bytes of UTF-8; an abstract name has its NUL beside them. */
export const MAX_PATH = maxPath(process.platform)
/** The family of addresses that are no host and port, on this platform. */
export const localFamily = localFamilyOf(process.platform)

/**
 * What an address to connect to says.
 * @param family What the user says that it is, or `undefined`.
 * @param platform Whose rules hold; for tests.
 * @throws TypeError, code `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE`; RangeError for a path that is too long.
 */
export function checkAddress(address: unknown, family: unknown, platform: Platform = process.platform): Endpoint {
  return readAddress(address, checkFamily(family, platform), 1, platform)
}

/**
 * What an address to bind says: a port may be 0. No address is a free port of this machine alone for the families
 * that have ports, and `undefined` for the local one, which is the default: the caller makes up a private name.
 * @throws as checkAddress does.
 */
export function checkBindAddress(
  address: unknown,
  family: unknown,
  platform: Platform = process.platform,
): Endpoint | undefined {
  const checked = checkFamily(family, platform)
  if (address !== undefined) return readAddress(address, checked, 0, platform)
  if (checked === 'AF_INET') return { family: checked, host: '127.0.0.1', port: 0 }
  if (checked === 'AF_INET6') return { family: checked, host: '::1', port: 0 }
  return undefined
}

/** An endpoint as users see it. */
export function boundAddress(endpoint: Endpoint): BoundAddress {
  return 'path' in endpoint ? endpoint.path : { host: endpoint.host, port: endpoint.port }
}

function localFamilyOf(platform: Platform): LocalFamily {
  return platform === 'win32' ? 'AF_PIPE' : 'AF_UNIX'
}

/** `sockaddr_un` has room for 108 bytes on Linux and for 104 on macOS and the BSDs; the last is a NUL. */
function maxPath(platform: Platform): number {
  return isLinux(platform) ? 107 : 103
}

function isLinux(platform: Platform): boolean {
  return platform === 'linux' || platform === 'android'
}

/** A family that the platform has, or none. */
function checkFamily(family: unknown, platform: Platform): Family | undefined {
  if (family === undefined) return undefined
  const families: readonly Family[] = [localFamilyOf(platform), 'AF_INET', 'AF_INET6']
  const choices = `${families.map(name => `'${name}'`).join(', ')} on this platform`
  if (typeof family !== 'string') throw invalidArgType('family', `one of ${choices}`, family)
  const known = families.find(name => name === family)
  if (known === undefined) throw invalidArgValue('family', `must be one of ${choices}`)
  return known
}

function readAddress(address: unknown, family: Family | undefined, minPort: number, platform: Platform): Endpoint {
  if (typeof address === 'string') return readLocal(address, family, platform)
  if (typeof address !== 'object' || address === null)
    throw invalidArgType('address', `${localForm(platform)}, { host, port } or [host, port]`, address)
  if (!Array.isArray(address)) {
    const { host, port } = address as { host?: unknown; port?: unknown }
    return readInet(host, port, family, minPort)
  }
  if (address.length !== 2)
    throw invalidArgValue('address', 'must have two elements where it is an array: [host, port]')
  return readInet(address[0], address[1], family, minPort)
}

/** As an error's text shows it. */
function localForm(platform: Platform): string {
  return platform === 'win32' ? 'a name such as \\\\.\\pipe\\name' : 'a path'
}

function readLocal(path: string, family: Family | undefined, platform: Platform): Endpoint {
  const isPipe = path.startsWith('\\\\')
  const itsFamily = isPipe ? 'AF_PIPE' : 'AF_UNIX'
  if (itsFamily !== localFamilyOf(platform))
    throw invalidArgValue(
      'address',
      `is ${isPipe ? 'the name of a pipe, which only Windows has' : 'a path, and Windows has names of pipes instead'}: give ${localForm(platform)}, { host, port } or [host, port]`,
    )
  if (family !== undefined && family !== itsFamily)
    throw invalidArgValue('family', `does not fit the address: a string is '${itsFamily}', { host, port } the others`)
  // It would be sent as UTF-8, and bind another name than the one that was given.
  if (toUSVString(path) !== path) throw invalidArgValue('address', 'must be well-formed: it has half a surrogate pair')
  if (isPipe) checkPipeName(path)
  else if (path.startsWith('\0')) checkAbstractName(path, platform)
  else checkPath(path, platform)
  return { family: itsFamily, path }
}

function checkPipeName(name: string): void {
  if (!PIPE_NAME.test(name))
    throw invalidArgValue('address', 'begins with \\\\ and must be \\\\.\\pipe\\name, with a name that is not empty')
  if (name.includes('\0')) throw invalidArgValue('address', 'must not have a NUL in it')
  if (name.length > MAX_PIPE_NAME)
    throw outOfRange('address', `the name of a pipe, of at most ${MAX_PIPE_NAME} characters`, name.length)
}

function checkAbstractName(name: string, platform: Platform): void {
  if (!isLinux(platform))
    throw invalidArgValue('address', 'begins with a NUL: only Linux has such abstract names, give a path')
  const length = Buffer.byteLength(name) - 1
  if (length === 0) throw invalidArgValue('address', 'must have a name after the NUL')
  if (length > maxPath(platform))
    throw outOfRange('address', `an abstract name, of at most ${maxPath(platform)} bytes after the NUL`, length)
}

function checkPath(path: string, platform: Platform): void {
  if (path === '') throw invalidArgValue('address', 'must not be empty')
  if (path.includes('\0')) throw invalidArgValue('address', 'must not have a NUL in it, other than in front')
  const length = Buffer.byteLength(path)
  if (length > maxPath(platform)) throw outOfRange('address', `a path of at most ${maxPath(platform)} bytes`, length)
}

function readInet(host: unknown, port: unknown, family: Family | undefined, minPort: number): Endpoint {
  const hint = "'127.0.0.1' is this machine alone, '0.0.0.0' is all interfaces"
  if (typeof host !== 'string') throw invalidArgType('host', `a string (${hint})`, host)
  if (host === '') throw invalidArgValue('host', `must not be empty: ${hint}`)
  if (host.includes('\0')) throw invalidArgValue('host', 'must not have a NUL in it')
  if (typeof port !== 'number') throw invalidArgType('port', 'a number', port)
  if (!Number.isInteger(port) || port < minPort || port > MAX_PORT)
    throw outOfRange('port', `a whole number >= ${minPort} and <= ${MAX_PORT}`, port)
  return { family: inetFamily(host, family), host, port }
}

/** A name may stand for addresses of either family: what it is then is what the user says. */
function inetFamily(host: string, family: Family | undefined): InetFamily {
  const itsFamily = isIPv6(host) ? 'AF_INET6' : 'AF_INET'
  if (family === undefined || family === itsFamily) return itsFamily
  if (family === 'AF_UNIX' || family === 'AF_PIPE')
    throw invalidArgValue('family', "does not fit the address: a host and a port are 'AF_INET' or 'AF_INET6'")
  if (isIPv4(host) || isIPv6(host)) throw invalidArgValue('family', `does not fit the host, which is '${itsFamily}'`)
  return family
}

/** An address as the system writes it. @param inet It is a host and port: `127.0.0.1:80`, `[::1]:80`. */
export function parseAddress(text: string, inet: boolean): BoundAddress {
  if (!inet) return text
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

/** The reverse: an address as the system reads it. */
export function formatAddress(address: BoundAddress): string {
  if (typeof address === 'string') return address
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** The same for the same place, wherever the process goes from here, and however the name of a pipe is spelled. */
export function absolutePath(path: string): string {
  if (PIPE_NAME.test(path)) return path.replace(/[A-Z]/g, letter => letter.toLowerCase())
  return isAbsolute(path) || path.startsWith('\0') ? path : resolve(path)
}
