/** `waitSync(connections)`, and a blocking receive of each that is ready. */
import { waitSync } from 'carom'
import { ordersSync } from '../carom-pipe.mjs'
import { inOrder, launchConnections } from './connections.mjs'

export { attach } from './connections.mjs'

export async function launch(_messages, args, variant) {
  const { control, conns } = await launchConnections(args, variant)
  return {
    ...ordersSync(control),
    receiveAll(count, check) {
      const take = inOrder(conns, check)
      for (let received = 0; received < count; ) {
        const ready = waitSync(conns)
        for (const conn of ready) take(conn, conn.recvBytesSync())
        received += ready.length
      }
    },
  }
}
