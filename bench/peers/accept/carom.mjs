/** `for await` over a listener, and clients with promises. */
import { Listener } from 'carom'
import { launchPipe } from '../carom-pipe.mjs'
import { attachClients, connectAll } from './connecting.mjs'
import { authkey } from './key.mjs'

export async function launch(_messages, args) {
  const listener = new Listener({ authkey })
  const control = launchPipe([...args, listener.address])
  return {
    send: message => control.sendBytes(message),
    recv: () => control.recvBytes(),
    async close() {
      await listener.close()
      await control.close()
    },
    async acceptAll(count, check) {
      let accepted = 0
      for await (const conn of listener) {
        if (check) {
          const message = await conn.recvBytes()
          check(message)
          await conn.sendBytes(message)
        }
        conn.closeSync()
        if (++accepted === count) break
      }
    },
  }
}

export async function attach(_messages, inFlight) {
  const clients = attachClients()
  return { ...clients, connectAll: (count, compared) => connectAll(clients.address, inFlight, count, compared) }
}
