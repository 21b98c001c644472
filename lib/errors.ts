/**
 * Every error of carom: its class, its stable `code`, and its text. No text ever holds what a peer sent.
 */
import { constants } from 'node:os'
import { getSystemErrorMap, inspect } from 'node:util'
import type { ReceivedBytes } from './bytes.js'

/** Sets the class's name where `Error` keeps its own: on the prototype, so that it is not printed as a field. */
function nameAfterClass(errorClass: { readonly name: string; readonly prototype: Error }): void {
  Object.defineProperty(errorClass.prototype, 'name', {
    value: errorClass.name,
    writable: true,
    configurable: true,
  })
}

/** The other end is closed. `ERR_CAROM_TRUNCATED`: inside a message. */
export class EOFError extends Error {
  /** The name of the class. */
  declare readonly name: 'EOFError'
  /** Which of the two: at the end of a message, or inside one. */
  readonly code: 'ERR_CAROM_EOF' | 'ERR_CAROM_TRUNCATED'
  private constructor(message: string, code: EOFError['code'], cause?: Error) {
    super(message, cause && { cause })
    this.code = code
  }
  /** @internal */
  static atEnd(cause?: Error): EOFError {
    return new EOFError('The other end of the connection is closed', 'ERR_CAROM_EOF', cause)
  }
  /** @internal */
  static insideMessage(cause?: Error): EOFError {
    return new EOFError('The stream ended inside a message', 'ERR_CAROM_TRUNCATED', cause)
  }
  static {
    nameAfterClass(EOFError)
  }
}

/** The handshake failed: the keys differ, one side has none, or the peer spoke nonsense. */
export class AuthenticationError extends Error {
  /** The name of the class. */
  declare readonly name: 'AuthenticationError'
  /** Stable: the same in every version. */
  readonly code = 'ERR_CAROM_AUTH'
  private constructor(message: string) {
    super(message)
  }
  /** @internal */
  static create(message: string): AuthenticationError {
    return new AuthenticationError(message)
  }
  static {
    nameAfterClass(AuthenticationError)
  }
}

/** The buffer given to `recvBytesInto` cannot hold the message, which is in `bytes`. */
export class BufferTooShortError extends Error {
  /** The name of the class. */
  declare readonly name: 'BufferTooShortError'
  /** Stable: the same in every version. */
  readonly code = 'ERR_CAROM_BUFFER_TOO_SHORT'
  /** The whole message that did not fit. */
  declare readonly bytes: ReceivedBytes
  private constructor(bytes: ReceivedBytes, room: number) {
    super(`The message has ${bytes.length} bytes, the buffer has room for ${room}: it is in error.bytes, whole`)
    hide(this, 'bytes', bytes)
  }
  /** @internal */
  static create(bytes: ReceivedBytes, room: number): BufferTooShortError {
    return new BufferTooShortError(bytes, room)
  }
  static {
    nameAfterClass(BufferTooShortError)
  }
}

/** A message is longer than the receive or the connection takes. */
export class MessageTooLongError extends Error {
  /** The name of the class. */
  declare readonly name: 'MessageTooLongError'
  /** Stable: the same in every version. */
  readonly code = 'ERR_CAROM_MESSAGE_TOO_LONG'
  /** The length that the message's header states. */
  readonly length: number
  private constructor(message: string, length: number) {
    super(message)
    this.length = length
  }
  /** @internal */
  static forReceive(length: number, maxLength: number): MessageTooLongError {
    return new MessageTooLongError(
      `The next message has ${length} bytes, more than maxLength (${maxLength}): it stays, receive it with a larger limit`,
      length,
    )
  }
  /** @internal */
  static forConnection(length: number, maxMessageLength: number): MessageTooLongError {
    return new MessageTooLongError(
      `The peer announced a message of ${length} bytes, more than maxMessageLength (${maxMessageLength}): receiving has ended`,
      length,
    )
  }
  /** @internal */
  static badHeader(length: number): MessageTooLongError {
    return new MessageTooLongError(
      `The peer sent a header that states no valid length (${length}): receiving has ended`,
      length,
    )
  }
  static {
    nameAfterClass(MessageTooLongError)
  }
}

/** This end is closed, detached or moved. */
export class ClosedError extends Error {
  /** The name of the class. */
  declare readonly name: 'ClosedError'
  /** Stable: the same in every version. */
  readonly code = 'ERR_CAROM_CLOSED'
  private constructor(message: string) {
    super(message)
  }
  /** @internal @param what What is closed: `connection`, `listener`. */
  static create(what: string): ClosedError {
    return new ClosedError(`This ${what} is closed, detached or moved`)
  }
  static {
    nameAfterClass(ClosedError)
  }
}

/** A non-blocking end would have to wait. */
export class WouldBlockError extends Error {
  /** The name of the class. */
  declare readonly name: 'WouldBlockError'
  /** Stable: the same in every version. */
  readonly code = 'EAGAIN'
  private constructor(message: string) {
    super(message)
  }
  /** @internal */
  static forReceive(): WouldBlockError {
    return new WouldBlockError('No whole message is there, and this end is non-blocking: try again, or give a timeout')
  }
  /** @internal */
  static forSend(): WouldBlockError {
    return new WouldBlockError(
      'An earlier message has not been taken whole yet, and this end is non-blocking: nothing was sent, try again or give a timeout',
    )
  }
  static {
    nameAfterClass(WouldBlockError)
  }
}

/** A `timeout` option ran out. Named as `AbortSignal.timeout`'s reason is, with a string `code`. */
export class TimeoutError extends Error {
  /** The name of the class. */
  declare readonly name: 'TimeoutError'
  /** Stable: the same in every version. */
  readonly code = 'ERR_CAROM_TIMEOUT'
  private constructor(message: string) {
    super(message)
  }
  /** @internal @param timeout The limit, in milliseconds. */
  static create(timeout: number): TimeoutError {
    return new TimeoutError(
      timeout > 0 ? `The operation did not finish within ${timeout} ms` : 'The operation would have had to wait',
    )
  }
  /** @internal @param timeout The limit, in milliseconds. */
  static ofHandshake(timeout: number): TimeoutError {
    return new TimeoutError(
      `The handshake did not finish within ${timeout} ms: the other side may have no authkey, or is not what it should be`,
    )
  }
  /** @internal */
  static pushedOut(): TimeoutError {
    return new TimeoutError(
      'Newer peers came, and as many were in their handshake as maxPending or the free descriptors allow: the oldest made room',
    )
  }
  static {
    nameAfterClass(TimeoutError)
  }
}

/** The serializer refused a value or a message; `cause` is what it threw. */
export class SerializerError extends Error {
  /** The name of the class. */
  declare readonly name: 'SerializerError'
  /** Which of the two: a value to send, or a message that was received. */
  readonly code: 'ERR_CAROM_ENCODE' | 'ERR_CAROM_DECODE'
  /** The message that could not be read; `undefined` for `ERR_CAROM_ENCODE`. */
  declare readonly bytes: ReceivedBytes | undefined
  /** What the serializer threw. */
  declare readonly cause: unknown
  private constructor(message: string, code: SerializerError['code'], cause: unknown, bytes?: ReceivedBytes) {
    super(message, { cause })
    this.code = code
    hide(this, 'bytes', bytes)
  }
  /** @internal */
  static encoding(cause: unknown): SerializerError {
    return new SerializerError('The serializer cannot carry this value; nothing was sent', 'ERR_CAROM_ENCODE', cause)
  }
  /** @internal */
  static decoding(cause: unknown, bytes: ReceivedBytes): SerializerError {
    return new SerializerError(
      'The serializer cannot read this message, which is in error.bytes; the next one is unharmed',
      'ERR_CAROM_DECODE',
      cause,
      bytes,
    )
  }
  static {
    nameAfterClass(SerializerError)
  }
}

/** Why a handshake failed: a wrong key, a hang-up, silence, nonsense. */
export type HandshakeError = AuthenticationError | EOFError | TimeoutError | NodeJS.ErrnoException
/** All of carom's own errors: narrow by `code`. */
export type CaromError =
  | EOFError
  | AuthenticationError
  | BufferTooShortError
  | MessageTooLongError
  | ClosedError
  | WouldBlockError
  | TimeoutError
  | SerializerError
/** Codes on plain TypeErrors and Errors. */
export type MisuseCode =
  | 'ERR_CAROM_NOT_READABLE'
  | 'ERR_CAROM_NOT_WRITABLE'
  | 'ERR_CAROM_BUSY'
  | 'ERR_CAROM_BOOTSTRAP'
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_OUT_OF_RANGE'
/** Codes on the Error that loading carom ends with when its native addon is not to be had. */
export type AddonCode =
  | 'ERR_CAROM_UNSUPPORTED_PLATFORM'
  | 'ERR_CAROM_ADDON_MISSING'
  | 'ERR_CAROM_ADDON_UNUSABLE'
  | 'ERR_CAROM_ADDON_VERSION'

/** Not enumerable: `console.log(error)` must not print what a peer sent. */
function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true })
}

function withCode<E extends Error, Code extends MisuseCode | AddonCode>(error: E, code: Code): E & { code: Code } {
  return Object.assign(error, { code })
}

/** A receive or poll on an end that only sends. */
export function notReadable(): TypeError {
  return withCode(new TypeError('This end only sends'), 'ERR_CAROM_NOT_READABLE')
}

/** A send on an end that only receives. */
export function notWritable(): TypeError {
  return withCode(new TypeError('This end only receives'), 'ERR_CAROM_NOT_WRITABLE')
}

/** Not now: `why` says what is in the way and what to do. */
export function busy(why: string): Error {
  return withCode(new Error(why), 'ERR_CAROM_BUSY')
}

/** A process was started while its starter is itself still importing its target's module. */
export function bootstrapping(): Error {
  return withCode(
    new Error(
      "A process was started while this child process is still importing its target's module: guard the start with `if (isMainProcess)`",
    ),
    'ERR_CAROM_BOOTSTRAP',
  )
}

/** No addon is made for `name`, the platform that this is. */
export function unsupportedPlatform(name: string, supported: readonly string[]): Error {
  return withCode(
    new Error(
      `carom has no native addon for ${name}, only for ${supported.join(', ')}: use one of these, or build the addon from carom's sources, with Rust and \`npm run setup\`, and name its file in NAPI_RS_NATIVE_LIBRARY_PATH`,
    ),
    'ERR_CAROM_UNSUPPORTED_PLATFORM',
  )
}

/** There should be an addon for `name`, the platform that this is: `tried` are the package and the file that are not. */
export function addonMissing(name: string, [wanted, file]: readonly [wanted: string, file: string]): Error {
  return withCode(
    new Error(
      `carom's native addon for this platform, ${name}, is not installed: there is no package ${wanted}, and no file ${file}. Install carom again, with optional dependencies (without --omit=optional); when node_modules or the lock file come from another platform, remove both before`,
    ),
    'ERR_CAROM_ADDON_MISSING',
  )
}

/** There is no `file`, which the environment names. */
export function givenAddonMissing(name: string, file: string): Error {
  return withCode(
    new Error(
      `NAPI_RS_NATIVE_LIBRARY_PATH names a file that is not there, ${file}: unset it, or set it to carom's native addon for this platform, ${name}`,
    ),
    'ERR_CAROM_ADDON_MISSING',
  )
}

/** The addon is there, and the system or Node refuses it: `cause` says why. */
export function addonUnusable(name: string, file: string, cause: Error): Error {
  return withCode(
    new Error(
      `carom's native addon cannot be loaded, ${file}: ${cause.message}. It must be whole, and made for this platform, ${name}: install carom again, and when node_modules comes from another platform or machine, remove it before`,
      { cause },
    ),
    'ERR_CAROM_ADDON_UNUSABLE',
  )
}

/** Addon and package are not of one version. */
export function addonOfOtherVersion(file: string, found: string | undefined, wanted: string): Error {
  return withCode(
    new Error(
      `This is carom ${wanted}, and its native addon is of ${found === undefined ? 'an unknown version' : `version ${found}`}, ${file}: install carom again, after removing node_modules, so that both are of one version; from sources, build it again with \`npm run setup\``,
    ),
    'ERR_CAROM_ADDON_VERSION',
  )
}

/** `name` says which argument or option, `expected` what it has to be: "a number". */
export function invalidArgType(name: string, expected: string, actual: unknown): TypeError {
  return withCode(new TypeError(`The ${name} must be ${expected}, not ${describe(actual)}`), 'ERR_INVALID_ARG_TYPE')
}

/** Of the right type, but not one of what it may be: `why` ends the sentence "The {name} …". */
export function invalidArgValue(name: string, why: string): TypeError {
  return withCode(new TypeError(`The ${name} ${why}`), 'ERR_INVALID_ARG_VALUE')
}

/** `range` is what it has to be: ">= 0 and <= 10". */
export function outOfRange(name: string, range: string, actual: unknown): RangeError {
  return withCode(new RangeError(`The ${name} must be ${range}, not ${describe(actual)}`), 'ERR_OUT_OF_RANGE')
}

/** Types, and numbers as they are; never the contents of strings and objects. */
function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return inspect(value)
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`
  return `a ${typeof value}`
}

/** Where Node has a number of its own for an error of the system, that. */
const numbers = new Map([...getSystemErrorMap()].map(([errno, [code]]) => [code, errno]))

/** The negative number of the system's error with this code, as in Node. */
export function errnoOf(code: keyof typeof constants.errno): number {
  return numbers.get(code) ?? -constants.errno[code]
}

/** The operating system's error as Node makes it. `errno` is negative, as in Node. */
export function systemError(
  errno: number,
  syscall: string,
  details?: { address?: string; port?: number; path?: string },
): NodeJS.ErrnoException {
  const [code, text] = getSystemErrorMap().get(errno) ?? [`UNKNOWN_${-errno}`, 'unknown error']
  const where = details?.path ?? details?.address
  const message = `${code}: ${text}, ${syscall}${where === undefined ? '' : ` ${where}`}${details?.port === undefined ? '' : `:${details.port}`}`
  return Object.assign(new Error(message), { errno, code, syscall }, details)
}

/** A host name that nobody knows, as Node says it. */
export function notFound(hostname: string): NodeJS.ErrnoException {
  const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`)
  return Object.assign(error, { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname })
}
