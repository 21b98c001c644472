/** Taking over descriptors from elsewhere. */
import { checkBoolean, checkLength } from './arguments.js'
import { invalidArgType, invalidArgValue, outOfRange, systemError } from './errors.js'
import type { DetachedConnection } from './interfaces.js'
import { environment } from './native.js'

const MAX_DESCRIPTOR = 2 ** 31 - 1
const nothing = new Uint8Array(0)
/** What `detach` gave and was opened. */
const opened = new WeakSet<object>()

/** A descriptor, and what is to be known of it. */
export interface Source {
  readonly fd: number
  readonly received?: Uint8Array | undefined
  readonly readable: boolean
  readonly writable: boolean
}

interface Directions {
  readonly readable?: boolean | undefined
  readonly writable?: boolean | undefined
}

/** What `Connection.from` was given, checked. @throws also for what was opened before. */
export function checkSource(source: number | DetachedConnection, options: Directions | undefined): Source {
  if (typeof source === 'number') return { fd: source, ...directions(options, {}) }
  if (typeof source !== 'object' || source === null)
    throw invalidArgType('source', 'a descriptor, or what detach() gave', source)
  const { fd, received } = source
  if (typeof fd !== 'number') throw invalidArgType('source.fd', 'a descriptor', fd)
  if (!(received instanceof Uint8Array)) throw invalidArgType('source.received', 'a Uint8Array', received)
  if (opened.has(source)) throw invalidArgValue('source', 'has been opened before: what detach() gives is opened once')
  return { fd, received, ...directions(options, source) }
}

/** Its descriptor has become a connection's. */
export function markOpened(source: number | DetachedConnection): void {
  if (typeof source === 'object') opened.add(source)
}

/** Takes over a descriptor: the slot that it gets. No child process inherits it from now on. */
export function adoptDescriptor(
  { fd, received = nothing, readable, writable }: Source,
  maxMessageLength: number,
): number {
  if (checkLength('descriptor', fd) > MAX_DESCRIPTOR) throw outOfRange('descriptor', `<= ${MAX_DESCRIPTOR}`, fd)
  const slot = environment.adopt(fd, received, readable, writable, maxMessageLength)
  if (slot >= 0) return slot
  const error = systemError(slot, 'fstat')
  throw error.code === 'EINVAL' ? invalidArgValue('descriptor', 'is neither a stream socket nor a pipe') : error
}

function directions(options: Directions | undefined, byDefault: Directions): { readable: boolean; writable: boolean } {
  return {
    readable: checkBoolean('readable', options?.readable ?? byDefault.readable, true),
    writable: checkBoolean('writable', options?.writable ?? byDefault.writable, true),
  }
}
