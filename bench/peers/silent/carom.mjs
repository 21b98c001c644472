/** A listener and a good client with promises. */
import { Client } from 'carom'
import { attachSiege, authkey, launchSiege } from './siege.mjs'

export async function launch(_messages, args, variant) {
  const siege = launchSiege(args, variant)
  return {
    ...siege,
    async getThrough(message) {
      const conn = await Client(siege.address, { authkey })
      await conn.sendBytes(message)
      const received = await conn.recvBytes()
      conn.closeSync()
      return received
    },
  }
}

export async function attach(_messages, variant) {
  const { control, listener } = attachSiege(variant)
  return {
    send: message => control.sendBytes(message),
    recv: () => control.recvBytes(),
    async close() {
      await listener.close()
      await control.close()
    },
    async letThrough() {
      const conn = await listener.accept()
      await conn.sendBytes(await conn.recvBytes())
      conn.closeSync()
    },
  }
}
