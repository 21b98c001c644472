/** Both forms of waiting behind one face, as in `forms.mts`. */
import { closeSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { Listener, type ListenerOptions, Pipe, type SyncOptions, type Waitable, wait, waitSync } from 'carom'
import { type RawPeer, rawPeerOf } from './raw-peer.mjs'

export interface WaitForm {
  readonly name: 'wait' | 'waitSync'
  wait<T extends Waitable>(objects: Iterable<T>, timeout?: number | SyncOptions): Promise<T[]>
}

export const waitForms: readonly WaitForm[] = [
  { name: 'wait', wait: (objects, timeout) => wait(objects, timeout) },
  { name: 'waitSync', wait: async (objects, timeout) => waitSync(objects, timeout) },
]

/** So long that it only runs out when something is wrong, and then the test says what, not ava. */
export const atMost = 30_000

/** Two descriptors of nobody's: what is written into the second can be read from the first. */
export function openDescriptors(t: ExecutionContext): [reader: number, writer: RawPeer] {
  const [reading, writing] = Pipe({ duplex: false }) as ReturnType<typeof Pipe>
  const { fd } = reading.detach()
  const writer = rawPeerOf(writing)
  t.teardown(() => {
    closeSync(fd)
    writer.close()
  })
  return [fd, writer]
}

/** Closed when its test is done. */
export function openListener(t: ExecutionContext, options?: ListenerOptions): Listener {
  const listener = new Listener(options)
  t.teardown(() => listener.close())
  return listener
}
