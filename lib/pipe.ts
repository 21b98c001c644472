/** Pipes: pairs of connected ends. */
import { checkBoolean, checkOptions } from './arguments.js'
import { announce, type Connection, connect } from './connection.js'
import { systemError } from './errors.js'
import type { ConnectionOptions, ReadableConnection, WritableConnection } from './interfaces.js'
import { environment } from './native.js'
import { checkSettings, type Settings } from './settings.js'

/** What the ends of a pipe are given. */
export interface PipeOptions extends ConnectionOptions {
  /** `false`: the first end only receives, the second only sends. Default `true`. */
  duplex?: boolean | undefined
  /** The first end fails with `WouldBlockError` where it would wait. */
  rnonblock?: boolean | undefined
  /** The second end fails with `WouldBlockError` where it would wait. */
  wnonblock?: boolean | undefined
}

/**
 * A pair of connected ends. The first type is what the first end receives, the second what it sends; one type alone
 * is for both directions.
 * @throws the system's error, such as `EMFILE`.
 */
export function Pipe<Receives = unknown, Sends = Receives>(
  options?: PipeOptions & { duplex?: true | undefined },
): [Connection<Receives, Sends>, Connection<Sends, Receives>]
/** A one-way pair: the first end only receives, the second only sends. */
export function Pipe<Message = unknown>(
  options: PipeOptions,
): [reader: ReadableConnection<Message>, writer: WritableConnection<Message>]
export function Pipe(options?: PipeOptions): [Connection, Connection] {
  if (new.target) throw new TypeError('Pipe is called without new: const [a, b] = Pipe()')
  const { duplex, rnonblock, wnonblock } = checkOptions(options) ?? {}
  const isDuplex = checkBoolean('duplex', duplex, true)
  const [first, second] = connectedPair(
    isDuplex,
    checkSettings(options, checkBoolean('rnonblock', rnonblock, false)),
    checkSettings(options, checkBoolean('wnonblock', wnonblock, false)),
  )
  return [announce(first), announce(second)]
}

/** Two connected ends that nobody is told of. @throws the system's error. */
export function connectedPair(isDuplex: boolean, ...settings: [Settings, Settings]): [Connection, Connection] {
  const [first, second] = environment.pipe(isDuplex, settings[0].maxMessageLength)
  if (second === undefined) throw systemError(first, isDuplex ? 'socketpair' : 'pipe')
  return [connect(first, settings[0]), connect(second, settings[1])]
}
