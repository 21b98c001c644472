/**
 * carom: pipes, connections, listeners, clients, waiting and processes. The public face: re-exports only.
 *
 * @see docs/architecture.md for the map of what is behind it.
 * @module carom
 */

export type { AsyncOptions, SyncOptions } from './lib/arguments.js'
export type { ByteRange, Bytes, ReceivedBytes } from './lib/bytes.js'
export { Client, type ClientOptions, ClientSync, type ClientSyncOptions } from './lib/client.js'
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
  Address,
  BoundAddress,
  ConnectionOptions,
  DetachedConnection,
  Family,
  InetAddress,
  ReadableConnection,
  WritableConnection,
} from './lib/interfaces.js'
export { Listener, type ListenerOptions } from './lib/listener.js'
export { Pipe, type PipeOptions } from './lib/pipe.js'
export { isMainProcess, Process, type ProcessOptions } from './lib/process.js'
export * as python from './lib/python/index.js'
export { serializers } from './lib/serializers/index.js'
export type { Serializer } from './lib/serializers/serializer.js'
export { type CustomWaitable, type Waitable, wait, waitSync } from './lib/wait.js'
export { waitable } from './lib/waitable.js'
