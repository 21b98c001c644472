/** The far end of a connection as a bare stream of bytes: sends what carom never would, and sees what it sends. */
import { closeSync, read, write } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { type Connection, Pipe, type PipeOptions } from 'carom'

const readSome = promisify(read)
const writeSome = promisify(write)

export class RawPeer {
  /** -1 when closed. */
  fd: number

  constructor(fd: number) {
    this.fd = fd
  }

  /** Settles when the kernel has all of it, which a blocking receive can then find. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += await whenReady(async () => (await writeSome(this.fd, bytes, done)).bytesWritten)
    }
  }

  /** Exactly so many bytes; fewer only at the end of the stream. */
  async read(length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length)
    let done = 0
    while (done < length) {
      const { bytesRead } = await whenReady(() => readSome(this.fd, bytes, done, length - done, null))
      if (bytesRead === 0) break
      done += bytesRead
    }
    return bytes.subarray(0, done)
  }

  /** Everything up to the end of the stream. */
  async readToEnd(): Promise<Buffer> {
    const parts: Buffer[] = []
    for (;;) {
      const part = await this.read(65_536)
      parts.push(part)
      if (part.length < 65_536) return Buffer.concat(parts)
    }
  }

  /** What has been sent to it and not read is lost, which resets the stream. */
  close(): void {
    if (this.fd === -1) return
    closeSync(this.fd)
    this.fd = -1
  }
}

/** A connection and its peer, both closed when the test is done. */
export function openRawPair<Receives = unknown, Sends = Receives>(
  t: ExecutionContext,
  options?: PipeOptions & { duplex?: true },
): [conn: Connection<Receives, Sends>, peer: RawPeer] {
  const [conn, far] = Pipe<Receives, Sends>(options)
  const peer = new RawPeer(far.detach().fd)
  t.teardown(() => {
    conn[Symbol.dispose]()
    peer.close()
  })
  return [conn, peer]
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
