/** The options by which two sides prove to each other that they know the same key. */
import { checkBoolean } from './arguments.js'
import { invalidArgType, invalidArgValue, outOfRange } from './errors.js'

const DEFAULT_HANDSHAKE_TIMEOUT = 20_000

/** What listeners and clients take alike. */
export interface AuthOptions {
  /** The shared secret; a string is taken as UTF-8. Without it nobody is asked. */
  authkey?: Uint8Array | string | undefined
  /** Also speak the MD5 handshake of Python < 3.12 and billiard. Default `false`. */
  legacyAuth?: boolean | undefined
  /** Milliseconds for one handshake. Default 20000. */
  handshakeTimeout?: number | undefined
}

export interface Authentication {
  /** A copy: what the user does with the key later changes nothing. */
  readonly authkey: Uint8Array | undefined
  readonly legacyAuth: boolean
  /** Milliseconds, more than 0. */
  readonly handshakeTimeout: number
}

export function checkAuthentication({
  authkey,
  legacyAuth,
  handshakeTimeout = DEFAULT_HANDSHAKE_TIMEOUT,
}: AuthOptions): Authentication {
  return {
    authkey: checkKey(authkey),
    legacyAuth: checkBoolean('legacyAuth', legacyAuth, false),
    handshakeTimeout: checkHandshakeTimeout(handshakeTimeout),
  }
}

function checkKey(authkey: Uint8Array | string | undefined): Uint8Array | undefined {
  if (authkey === undefined) return undefined
  if (typeof authkey !== 'string' && !(authkey instanceof Uint8Array))
    throw invalidArgType('authkey', 'bytes or a string', authkey)
  if (authkey.length === 0) throw invalidArgValue('authkey', 'must not be empty')
  return Buffer.from(authkey as string)
}

function checkHandshakeTimeout(timeout: number): number {
  if (typeof timeout !== 'number') throw invalidArgType('handshakeTimeout', 'a number of milliseconds', timeout)
  if (!(timeout > 0)) throw outOfRange('handshakeTimeout', 'a number of milliseconds > 0', timeout)
  return timeout
}
