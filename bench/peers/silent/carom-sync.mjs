/** A listener and a good client with the blocking forms. */
import { ClientSync } from 'carom'
import { attachSiege, authkey, launchSiege } from './siege.mjs'

export async function launch(_messages, args, variant) {
  const siege = launchSiege(args, variant)
  return {
    ...siege,
    getThrough(message) {
      const conn = ClientSync(siege.address, { authkey })
      conn.sendBytesSync(message)
      const received = conn.recvBytesSync()
      conn.closeSync()
      return received
    },
  }
}

export async function attach(_messages, variant) {
  const { control, listener } = attachSiege(variant)
  return {
    send: message => control.sendBytesSync(message),
    recv: () => control.recvBytesSync(),
    close() {
      listener.closeSync()
      control.closeSync()
    },
    letThrough() {
      const conn = listener.acceptSync()
      conn.sendBytesSync(conn.recvBytesSync())
      conn.closeSync()
    },
  }
}
