/** Pipes that are closed when their test is done. */
import type { ExecutionContext } from 'ava'
import { type Connection, Pipe, type PipeOptions, type ReadableConnection, type WritableConnection } from 'carom'

type DuplexOptions = PipeOptions & { duplex?: true }

export function openPipe<Receives = unknown, Sends = Receives>(
  t: ExecutionContext,
  options?: DuplexOptions,
): [Connection<Receives, Sends>, Connection<Sends, Receives>] {
  return closing(t, Pipe<Receives, Sends>(options))
}

export function openOneWayPipe<Message = unknown>(
  t: ExecutionContext,
  options?: Omit<PipeOptions, 'duplex'>,
): [reader: ReadableConnection<Message>, writer: WritableConnection<Message>] {
  return closing(t, Pipe<Message>({ ...options, duplex: false }))
}

function closing<Ends extends readonly Disposable[]>(t: ExecutionContext, ends: Ends): Ends {
  t.teardown(() => {
    for (const end of ends) end[Symbol.dispose]()
  })
  return ends
}

/** Bytes that differ from place to place, so that a shifted or repeated part shows. */
export function patterned(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Whether it is still pending after the event loop has gone round a few times. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const settled = () => {
    pending = false
  }
  promise.then(settled, settled)
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setTimeout(resolve, 10))
  return pending
}
