/** The clients: one process, and in it so many connections on their way at once as the variant says. */
import { Client, ClientSync } from 'carom'
import { attachPipe } from '../carom-pipe.mjs'
import { authkey } from './key.mjs'

export function attachClients() {
  const control = attachPipe()
  return {
    address: process.argv.at(-1),
    send: message => control.sendBytes(message),
    recv: () => control.recvBytes(),
    close: () => control.close(),
  }
}

export async function connectAll(address, inFlight, count, compared) {
  let next = 0
  async function connectOneByOne() {
    for (let index = next++; index < count; index = next++) {
      const conn = await Client(address, { authkey })
      if (compared) {
        await conn.sendBytes(compared.message(index))
        compared.check(index, await conn.recvBytes())
      }
      conn.closeSync()
    }
  }
  await Promise.all(Array.from({ length: inFlight }, connectOneByOne))
}

export function connectAllSync(address, count, compared) {
  for (let index = 0; index < count; index++) {
    const conn = ClientSync(address, { authkey })
    if (compared) {
      conn.sendBytesSync(compared.message(index))
      compared.check(index, conn.recvBytesSync())
    }
    conn.closeSync()
  }
}
