/** The far end of a connection as a bare stream of bytes: sends what carom never would, and sees what it sends. */
import { once } from 'node:events'
import { closeSync, read, write } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { Connection, Listener, Pipe, type PipeOptions, type WritableConnection } from 'carom'
import { onWindows } from './platform.mjs'

const readSome = promisify(read)
const writeSome = promisify(write)

export interface RawPeer {
  /** Settles when the kernel has all of it, which a blocking receive can then find. */
  write(bytes: Uint8Array): Promise<void>
  /** Exactly so many bytes; fewer only at the end of the stream. */
  read(length: number): Promise<Buffer>
  /** Everything up to the end of the stream. */
  readToEnd(): Promise<Buffer>
  /** What has been sent to it and not read is lost, which resets the stream. Settles when the other end can know. */
  close(): Promise<void>
}

class DescriptorPeer implements RawPeer {
  /** -1 when closed. */
  #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += await whenReady(async () => (await writeSome(this.#fd, bytes, done)).bytesWritten)
    }
  }

  async read(length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length)
    let done = 0
    while (done < length) {
      const { bytesRead } = await whenReady(() => readSome(this.#fd, bytes, done, length - done, null))
      if (bytesRead === 0) break
      done += bytesRead
    }
    return bytes.subarray(0, done)
  }

  async readToEnd(): Promise<Buffer> {
    const parts: Buffer[] = []
    for (;;) {
      const part = await this.read(65_536)
      parts.push(part)
      if (part.length < 65_536) return Buffer.concat(parts)
    }
  }

  async close(): Promise<void> {
    if (this.#fd === -1) return
    closeSync(this.#fd)
    this.#fd = -1
  }
}

/** Where `fs` cannot use what a connection gives away. */
class SocketPeer implements RawPeer {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket.pause()
    socket.on('error', () => {})
  }

  async write(bytes: Uint8Array): Promise<void> {
    await promisify<Uint8Array, void>((some, done) => this.#socket.write(some, done))(bytes)
  }

  async read(length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0)
    for (;;) {
      const bytes: Buffer | null = this.#socket.read(length) ?? (this.#isOver() ? this.#socket.read() : null)
      if (bytes !== null) return bytes
      if (this.#isOver()) return Buffer.alloc(0)
      await delay(1)
    }
  }

  async readToEnd(): Promise<Buffer> {
    return Buffer.concat(await this.#socket.toArray())
  }

  async close(): Promise<void> {
    if (this.#socket.closed) return
    this.#socket.destroy()
    await once(this.#socket, 'close')
  }

  #isOver(): boolean {
    return this.#socket.readableEnded || this.#socket.destroyed
  }
}

/** A connection and its peer, both closed when the test is done. */
export function openRawPair<Receives = unknown, Sends = Receives>(
  t: ExecutionContext,
  options?: PipeOptions & { duplex?: true },
): [conn: Connection<Receives, Sends>, peer: RawPeer] {
  const [conn, peer] = onWindows ? acceptRaw<Receives, Sends>(options) : detachRaw<Receives, Sends>(options)
  t.teardown(() => {
    conn[Symbol.dispose]()
    peer.close()
  })
  return [conn, peer]
}

function detachRaw<Receives, Sends>(options?: PipeOptions & { duplex?: true }): [Connection<Receives, Sends>, RawPeer] {
  const [conn, far] = Pipe<Receives, Sends>(options)
  return [conn, rawPeerOf(far)]
}

/** Takes the other end's place. */
export function rawPeerOf(end: Pick<WritableConnection, 'detach'>): RawPeer {
  return new DescriptorPeer(end.detach().fd)
}

function acceptRaw<Receives, Sends>(options?: PipeOptions): [Connection<Receives, Sends>, RawPeer] {
  const listener = new Listener()
  const socket = connect(listener.address as string)
  const conn = Connection.from<Receives, Sends>(listener.acceptSync().detach(), options)
  listener[Symbol.dispose]()
  return [conn, new SocketPeer(socket)]
}

/** A message as it travels. */
export function frame(payload: Uint8Array): Buffer {
  return Buffer.concat([header(payload.length), payload])
}

/** The header of a message of so many bytes. */
export function header(length: number | bigint): Buffer {
  if (length <= 0x7fffffff) {
    const short = Buffer.alloc(4)
    short.writeInt32BE(Number(length))
    return short
  }
  return longHeader(length)
}

/** The form for messages of 2 GiB and more. */
export function longHeader(length: number | bigint): Buffer {
  const long = Buffer.alloc(12, 0xff)
  long.writeBigUInt64BE(BigInt(length), 4)
  return long
}

/** The descriptor may be non-blocking. */
async function whenReady<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await delay(1)
    }
  }
}
