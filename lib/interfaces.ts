/** What a connection can do, by direction: the types of the ends of a pipe. */
import type { AsyncOptions, SyncOptions } from './arguments.js'
import type { ByteRange, Bytes, ReceivedBytes } from './bytes.js'
import type { Serializer } from './serializers/serializer.js'

/** What all connections can be given, whoever makes them. */
export interface ConnectionOptions {
  /** Carries the values of `send` and `recv`. Default `serializers.msgpack`. Both ends must use the same. */
  serializer?: Serializer | undefined
  /** Longest message that a receive takes, in bytes; a longer one ends receiving for good. Default `buffer.constants.MAX_LENGTH`. */
  maxMessageLength?: number | undefined
  /** Unsent bytes up to which `send` resolves at once. Default 65536. */
  highWaterMark?: number | undefined
}

/** Kinds of addresses: the first two are local, one for Unix and one for Windows. */
export type Family = 'AF_UNIX' | 'AF_PIPE' | 'AF_INET' | 'AF_INET6'

/** A host and a port, of the families `AF_INET` and `AF_INET6`. */
export interface InetAddress {
  /** A name, or an IPv4 or IPv6 address. */
  host: string
  /** 0, where something is bound: a free one. */
  port: number
}

/** A path (`AF_UNIX`), a `\\.\pipe\` name (`AF_PIPE`), or a host and port (`AF_INET`, `AF_INET6`). */
export type Address = string | Readonly<InetAddress> | readonly [host: string, port: number]

/** An address as carom reports it; it can be given to `Client` as it is. */
export type BoundAddress = string | InetAddress

/** What `detach()` gives: plain data, for `postMessage` or for code that wants the bare descriptor. */
export interface DetachedConnection {
  /** The descriptor (Windows: the handle). */
  readonly fd: number
  /** Bytes that had been received and not read. */
  readonly received: Uint8Array<ArrayBuffer>
  /** Whether the end can receive. */
  readonly readable: boolean
  /** Whether the end can send. */
  readonly writable: boolean
}

/** What both halves of a connection have. */
export interface ConnectionBase extends Disposable, AsyncDisposable {
  /** True from the call of `close()`, `detach()`, or the move to another process on. */
  readonly closed: boolean
  /** True when this end can receive. */
  readonly readable: boolean
  /** True when this end can send. */
  readonly writable: boolean
  /** The descriptor (Windows: the handle); -1 when closed, as with `FileHandle`. */
  readonly fd: number
  /** The peer's address; `undefined` for a pipe and for a peer without a name. */
  readonly remoteAddress: BoundAddress | undefined
  /**
   * Delivers what was accepted for sending, then closes. Idempotent. Pending receives fail with `ClosedError`, a
   * `for await` over the connection ends. With a limit, what is still unsent then is dropped and the promise rejects.
   */
  close(options?: AsyncOptions): Promise<void>
  /** The same; blocks until the kernel has what was accepted. */
  closeSync(options?: SyncOptions): void
  /**
   * Takes the descriptor out of this object, which reads as closed afterwards. The result survives structured clone
   * (`worker.postMessage(conn.detach())`) and is opened once, by `Connection.from`.
   * @throws code `ERR_CAROM_BUSY` while an operation is pending or bytes are unsent.
   */
  detach(): DetachedConnection
  /** A pending operation keeps the process alive (the default). */
  ref(): this
  /** A pending operation does not keep the process alive. */
  unref(): this
  /** `close()`, without waiting and without an unhandled rejection. */
  [Symbol.dispose](): void
  /** `await close()`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The receiving half of a connection. */
export interface ReadableConnection<out Receives = unknown> extends ConnectionBase, AsyncIterable<Receives> {
  /**
   * The next message. Concurrent receives are served first come, first served.
   * @throws EOFError at the end of the stream; TimeoutError; SerializerError (the message is consumed).
   */
  recv(options?: AsyncOptions): Promise<Receives>
  /** The same; blocks the thread. @throws also code `ERR_CAROM_BUSY` while an async receive or poll is pending. */
  recvSync(options?: SyncOptions): Receives
  /**
   * The next message's bytes, never decoded.
   * @param maxLength A longer message is a MessageTooLongError and stays: a receive with a larger limit takes it.
   */
  recvBytes(maxLength?: number | (AsyncOptions & { maxLength?: number | undefined })): Promise<ReceivedBytes>
  /** The same; blocks the thread. */
  recvBytesSync(maxLength?: number | (SyncOptions & { maxLength?: number | undefined })): ReceivedBytes
  /**
   * Writes the next message into `buf`; the number of bytes written.
   * @throws BufferTooShortError, which carries the whole message; RangeError for an offset outside `buf`.
   */
  recvBytesInto(buf: Bytes, offset?: number | (AsyncOptions & { offset?: number | undefined })): Promise<number>
  /** The same; blocks the thread. */
  recvBytesIntoSync(buf: Bytes, offset?: number | (SyncOptions & { offset?: number | undefined })): number
  /** True when a receive would not wait: a whole message, or the end of the stream. Default timeout 0. */
  poll(timeout?: number | AsyncOptions): Promise<boolean>
  /** The same; blocks the thread. Receives may be pending. */
  pollSync(timeout?: number | SyncOptions): boolean
  /**
   * The messages until the end of the stream, or until this end is closed. Takes one at a time; leaving the loop
   * leaves the connection open, and the next receive gets the next message.
   */
  messages(options?: AsyncOptions): AsyncIterableIterator<Receives>
  /** The same; blocks the thread. */
  messagesSync(options?: SyncOptions): IterableIterator<Receives>
  /** The same for `recvBytes`; a source for `stream.pipeline`. */
  bytes(options?: AsyncOptions & { maxLength?: number | undefined }): AsyncIterableIterator<ReceivedBytes>
  /** The same; blocks the thread. */
  bytesSync(options?: SyncOptions & { maxLength?: number | undefined }): IterableIterator<ReceivedBytes>
  /** `messages()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Receives>
}

/** The sending half of a connection. */
export interface WritableConnection<in Sends = unknown> extends ConnectionBase {
  /** Bytes accepted for sending that the kernel has not taken yet. */
  readonly bufferedAmount: number
  /**
   * Sends one message. The value is serialised before the call returns; later changes to it are not seen.
   * Resolves when the message is accepted, which means room, not delivery.
   * @throws SerializerError (nothing is sent); `EPIPE` when the other end is gone.
   */
  send(value: Sends, options?: AsyncOptions): Promise<void>
  /** The same; blocks until the kernel has it. What async sends have queued goes first. */
  sendSync(value: Sends, options?: SyncOptions): void
  /**
   * Sends bytes as one message. `buf` may be written again once the promise has settled, not before.
   * @throws RangeError when `offset` or `size` lies outside `buf`.
   */
  sendBytes(buf: Bytes, offset?: number, size?: number): Promise<void>
  /** The same, with a limit. */
  sendBytes(buf: Bytes, options?: AsyncOptions & ByteRange): Promise<void>
  /** The same; blocks until the kernel has them. */
  sendBytesSync(buf: Bytes, offset?: number, size?: number): void
  /** The same, with a limit. */
  sendBytesSync(buf: Bytes, options?: SyncOptions & ByteRange): void
}
