/**
 * `acceptSync` in a loop. A thread has one blocking client at a time, so several in flight are clients with promises.
 */
import { Listener } from 'carom'
import { launchPipe } from '../carom-pipe.mjs'
import { attachClients, connectAll, connectAllSync } from './connecting.mjs'
import { authkey } from './key.mjs'

export async function launch(_messages, args) {
  const listener = new Listener({ authkey })
  const control = launchPipe([...args, listener.address])
  return {
    send: message => control.sendBytesSync(message),
    recv: () => control.recvBytesSync(),
    close() {
      listener.closeSync()
      control.closeSync()
    },
    acceptAll(count, check) {
      for (let accepted = 0; accepted < count; accepted++) {
        const conn = listener.acceptSync()
        if (check) {
          const message = conn.recvBytesSync()
          check(message)
          conn.sendBytesSync(message)
        }
        conn.closeSync()
      }
    },
  }
}

export async function attach(_messages, inFlight) {
  const clients = attachClients()
  return {
    ...clients,
    connectAll: (count, compared) =>
      inFlight === 1
        ? connectAllSync(clients.address, count, compared)
        : connectAll(clients.address, inFlight, count, compared),
  }
}
