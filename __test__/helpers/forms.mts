/**
 * Both forms of every operation of a connection behind one face, so that what holds for both is written once:
 * `for (const form of forms) test(`${form.name}: …`, …)`. What a blocking call throws becomes a rejection.
 */
import type { ByteRange, Bytes, ReadableConnection, ReceivedBytes, SyncOptions, WritableConnection } from 'carom'

type Closable = Pick<WritableConnection<never>, 'close' | 'closeSync'>
type MaxLength = number | (SyncOptions & { maxLength?: number | undefined })
type Offset = number | (SyncOptions & { offset?: number | undefined })

export interface Form {
  readonly name: 'async' | 'blocking'
  send<T>(conn: WritableConnection<T>, value: T, options?: SyncOptions): Promise<void>
  sendBytes(
    conn: WritableConnection<never>,
    buf: Bytes,
    offset?: number | (SyncOptions & ByteRange),
    size?: number,
  ): Promise<void>
  recv<T>(conn: ReadableConnection<T>, options?: SyncOptions): Promise<T>
  recvBytes(conn: ReadableConnection, maxLength?: MaxLength): Promise<ReceivedBytes>
  recvBytesInto(conn: ReadableConnection, buf: Bytes, offset?: Offset): Promise<number>
  poll(conn: ReadableConnection, timeout?: number | SyncOptions): Promise<boolean>
  close(conn: Closable, options?: SyncOptions): Promise<void>
  messages<T>(conn: ReadableConnection<T>, options?: SyncOptions): AsyncIterable<T>
  bytes(conn: ReadableConnection, options?: SyncOptions & { maxLength?: number }): AsyncIterable<ReceivedBytes>
}

const asyncForm: Form = {
  name: 'async',
  send: (conn, value, options) => conn.send(value, options),
  sendBytes: (conn, buf, offset, size) => conn.sendBytes(buf, offset as number, size),
  recv: (conn, options) => conn.recv(options),
  recvBytes: (conn, maxLength) => conn.recvBytes(maxLength),
  recvBytesInto: (conn, buf, offset) => conn.recvBytesInto(buf, offset),
  poll: (conn, timeout) => conn.poll(timeout),
  close: (conn, options) => conn.close(options),
  messages: (conn, options) => conn.messages(options),
  bytes: (conn, options) => conn.bytes(options),
}

const blockingForm: Form = {
  name: 'blocking',
  send: async (conn, value, options) => conn.sendSync(value, options),
  sendBytes: async (conn, buf, offset, size) => conn.sendBytesSync(buf, offset as number, size),
  recv: async (conn, options) => conn.recvSync(options),
  recvBytes: async (conn, maxLength) => conn.recvBytesSync(maxLength),
  recvBytesInto: async (conn, buf, offset) => conn.recvBytesIntoSync(buf, offset),
  poll: async (conn, timeout) => conn.pollSync(timeout),
  close: async (conn, options) => conn.closeSync(options),
  messages: (conn, options) => asyncOver(conn.messagesSync(options)),
  bytes: (conn, options) => asyncOver(conn.bytesSync(options)),
}

async function* asyncOver<T>(values: Iterable<T>): AsyncIterable<T> {
  yield* values
}

export const forms: readonly Form[] = [asyncForm, blockingForm]

/** Every way to receive, to check what all of them have in common. */
export function receives(
  form: Form,
): Record<string, (conn: ReadableConnection, options?: SyncOptions) => Promise<unknown>> {
  return {
    recv: (conn, options) => form.recv(conn, options),
    recvBytes: (conn, options) => form.recvBytes(conn, options),
    recvBytesInto: (conn, options) => form.recvBytesInto(conn, Buffer.alloc(64), options),
  }
}
