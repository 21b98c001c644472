/**
 * Many connections between the driver and the responder, and the pipe for the orders. They are made by a listener and
 * not handed over as pipes: whoever made pipes would hold both ends for a while, and so twice the descriptors.
 */
import { Client, Listener } from 'carom'
import { attachPipe, launchPipe, ordersSync } from '../carom-pipe.mjs'

/** Prime, and so the next connection is far from the one before, and all have their turn. */
const STRIDE = 7919

/** Which of `count` connections message `index` of a round goes over: each has its turn for `run` messages. */
export function activeAt(index, { count, run }) {
  return (Math.floor(index / run) * STRIDE) % count
}

export async function launchConnections(args, { count }) {
  const listener = new Listener()
  const control = launchPipe([...args, listener.address])
  const conns = []
  while (conns.length < count) conns.push(await listener.accept())
  await listener.close()
  return { control, conns }
}

export async function attachConnections({ count }) {
  const control = attachPipe()
  const conns = []
  while (conns.length < count) conns.push(await Client(process.argv.at(-1)))
  return { control, conns }
}

/** The responder is the same for all forms of waiting: it blocks on the one connection that has its turn. */
export async function attach(_messages, variant) {
  const { control, conns } = await attachConnections(variant)
  return {
    ...ordersSync(control),
    wakeAll(wakeUps, message, check) {
      for (let index = 0; index < wakeUps; index++) {
        const conn = conns[activeAt(index, variant)]
        conn.sendBytesSync(message(index))
        check(index, conn.recvBytesSync())
      }
    },
  }
}

/** Exactly the one that has its turn must be ready. */
export function checkReady(ready, conns, index, variant) {
  if (ready.length !== 1 || ready[0] !== conns[activeAt(index, variant)]) {
    throw new Error(`Wake-up ${index}: ${ready.length} are ready, or another one than has its turn`)
  }
}
