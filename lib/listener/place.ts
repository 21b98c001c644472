/** Where a listener listens: binds an address, or makes one up. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { boundAddress, type Endpoint, formatAddress, localFamily, MAX_PATH, parseAddress } from '../address.js'
import { notFound, systemError } from '../errors.js'
import type { BoundAddress, Family } from '../interfaces.js'
import { environment } from '../native.js'

type InetEndpoint = Extract<Endpoint, { readonly host: string }>

export interface PlaceOptions {
  readonly backlog: number
  readonly mode: number | undefined
  readonly replaceStale: boolean
}

export interface Place {
  readonly slot: number
  /** With the port that the system has chosen where it was 0. */
  readonly address: BoundAddress
  readonly family: Family
}

/** A private directory's name, which `mkdtemp` makes longer by so many characters, and that of the socket in it. */
const PREFIX = 'carom-'
const APPENDED = 6
const SOCKET = 's'

/** Binds and listens; without an endpoint at a private address of this machine. @throws the system's error. */
export function listenAt(endpoint: Endpoint | undefined, options: PlaceOptions): Place {
  if (endpoint !== undefined) return bind(endpoint, options, false)
  if (localFamily === 'AF_PIPE')
    return bind({ family: localFamily, path: `\\\\.\\pipe\\carom-${randomBytes(16).toString('hex')}` }, options, false)
  const path = join(mkdtempSync(join(privateParent(), PREFIX)), SOCKET)
  try {
    return bind({ family: 'AF_UNIX', path }, options, true)
  } catch (error) {
    rmdirSync(dirname(path))
    throw error
  }
}

/** Some systems have long names for their directories of temporary files. */
function privateParent(): string {
  const usual = tmpdir()
  return Buffer.byteLength(join(usual, PREFIX, SOCKET)) + APPENDED <= MAX_PATH ? usual : '/tmp'
}

function bind(endpoint: Endpoint, options: PlaceOptions, ownsDirectory: boolean): Place {
  const inet = 'host' in endpoint
  const address = inet ? resolve(endpoint) : endpoint.path
  const { backlog, mode, replaceStale } = options
  const slot = environment.listen({ address, inet, backlog, mode, replaceStale, ownsDirectory })
  if (slot < 0) throw systemError(slot, 'listen', inet ? addressAndPort(endpoint) : { path: address })
  const bound = inet ? parseAddress(environment.listeningAddress(slot), true) : boundAddress(endpoint)
  return { slot, address: bound, family: endpoint.family }
}

/** Looks a name up, blocking. */
function resolve({ host, port, family }: InetEndpoint): string {
  if (isIP(host) && !host.includes('%')) return formatAddress({ host, port })
  const isOfFamily = (address: string) => address.startsWith('[') === (family === 'AF_INET6')
  const address = environment.resolve(host, port, Number.POSITIVE_INFINITY)?.find(isOfFamily)
  if (address === undefined) throw notFound(host)
  return address
}

function addressAndPort({ host, port }: InetEndpoint) {
  return { address: host, port }
}
