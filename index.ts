/**
 * carom: pipes, connections and processes. The public face: re-exports only.
 *
 * @see docs/architecture.md for the map of what is behind it.
 */

export type { AsyncOptions, SyncOptions } from './lib/arguments.js'
export type { ByteRange, Bytes, ReceivedBytes } from './lib/bytes.js'
export { Connection } from './lib/connection.js'
export type { CaromError, HandshakeError, MisuseCode } from './lib/errors.js'
export {
  AuthenticationError,
  BufferTooShortError,
  ClosedError,
  EOFError,
  MessageTooLongError,
  SerializerError,
  TimeoutError,
  WouldBlockError,
} from './lib/errors.js'
export type {
  BoundAddress,
  ConnectionOptions,
  DetachedConnection,
  InetAddress,
  ReadableConnection,
  WritableConnection,
} from './lib/interfaces.js'
export { Pipe, type PipeOptions } from './lib/pipe.js'
export { isMainProcess, Process, type ProcessOptions } from './lib/process.js'
export { serializers } from './lib/serializers/index.js'
export type { Serializer } from './lib/serializers/serializer.js'
