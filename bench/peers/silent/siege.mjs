/**
 * What both forms have in common. `handshakes`: the listener has taken all silent clients in, before the first good one,
 * and waits for their answers. `queue`: they are all connected, and nobody has accepted any of them yet; new ones each
 * time.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Listener } from 'carom'
import { attachPipe, launchPipe } from '../carom-pipe.mjs'

const SILENT = 1000
const ROOM = 2 * SILENT
const PROGRAM = new URL('silent-process.mjs', import.meta.url)

export const authkey = 'the key of the benchmark, which is no secret'

/** The driver's part, but for the good client. */
export function launchSiege(args, variant) {
  const address = join(tmpdir(), `carom-bench-${process.pid}`)
  const control = launchPipe([...args, address])
  let silent
  let isStarted = false

  async function connectSilent() {
    silent ??= fork(PROGRAM, [address], { stdio: ['ignore', 2, 2, 'ipc'] })
    silent.send(SILENT)
    const [count] = await once(silent, 'message')
    if (count !== SILENT) throw new Error(`${count} of ${SILENT} silent clients are connected`)
  }

  return {
    address,
    send: message => control.sendBytes(message),
    recv: () => control.recvBytes(),
    async besiege() {
      if (variant === 'queue' || !isStarted) await connectSilent()
      isStarted = true
    },
    async close() {
      silent?.disconnect()
      await control.close()
    },
  }
}

/** The responder's part, but for the accepting. */
export function attachSiege(variant) {
  const control = attachPipe()
  const listener = new Listener(process.argv.at(-1), {
    authkey,
    backlog: ROOM,
    // For as long as the run may take.
    handshakeTimeout: 3_600_000,
    onAuthenticationFailed: () => {},
    ...(variant === 'handshakes' && { maxPending: ROOM }),
  })
  return { control, listener }
}
