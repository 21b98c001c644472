/** `waitSync(connections)`, and then a blocking receive and send. */
import { waitSync } from 'carom'
import { ordersSync } from '../carom-pipe.mjs'
import { checkReady, launchConnections } from './connections.mjs'

export { attach } from './connections.mjs'

export async function launch(_messages, args, variant) {
  const { control, conns } = await launchConnections(args, variant)
  return {
    ...ordersSync(control),
    answerAll(wakeUps, check) {
      for (let index = 0; index < wakeUps; index++) {
        const ready = waitSync(conns)
        checkReady(ready, conns, index, variant)
        const message = ready[0].recvBytesSync()
        check(index, message)
        ready[0].sendBytesSync(message)
      }
    },
  }
}
