/** `await wait(connections)`, and then a receive and a send with promises. */
import { wait } from 'carom'
import { orders } from '../carom-pipe.mjs'
import { checkReady, launchConnections } from './connections.mjs'

export { attach } from './connections.mjs'

export async function launch(_messages, args, variant) {
  const { control, conns } = await launchConnections(args, variant)
  return {
    ...orders(control),
    async answerAll(wakeUps, check) {
      for (let index = 0; index < wakeUps; index++) {
        const ready = await wait(conns)
        checkReady(ready, conns, index, variant)
        const message = await ready[0].recvBytes()
        check(index, message)
        await ready[0].sendBytes(message)
      }
    },
  }
}
