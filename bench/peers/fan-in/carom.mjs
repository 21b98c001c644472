/** `await wait(connections)` and a receive of each that is ready, or a loop of receives for each connection at once. */
import { wait } from 'carom'
import { orders } from '../carom-pipe.mjs'
import { inOrder, launchConnections } from './connections.mjs'

export { attach } from './connections.mjs'

export async function launch(_messages, args, variant) {
  const { control, conns } = await launchConnections(args, variant)
  return {
    ...orders(control),
    receiveAll: receivers[variant.through](conns),
  }
}

const receivers = {
  wait: conns => async (count, check) => {
    const take = inOrder(conns, check)
    for (let received = 0; received < count; ) {
      const ready = await wait(conns)
      for (const conn of ready) take(conn, await conn.recvBytes())
      received += ready.length
    }
  },
  recv: conns => (count, check) =>
    Promise.all(
      conns.map(async (conn, position) => {
        for (let index = position; index < count; index += conns.length) check(index, await conn.recvBytes())
      }),
    ),
}
