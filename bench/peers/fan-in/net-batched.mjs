/** `node:net`, batched by hand as in `../net-batched.mjs`: one callback for each socket. The first one carries the orders. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { frameReader } from '../frames.mjs'
import { makeWriter } from '../net-batched.mjs'
import { accept, socketEnd } from '../socket-peer.mjs'
import { spread } from './spreading.mjs'

export async function launch({ kind }, args, { count }) {
  const [control, ...sockets] = await accept(1 + count, args)
  // The first messages may come with the answer to the order, and before it.
  let early = []
  const keep = (...arrived) => early.push(arrived)
  let onMessage = keep
  for (const [position, socket] of sockets.entries()) {
    socket.on(
      'data',
      frameReader(message => onMessage(position, message)),
    )
  }
  return {
    ...socketEnd(control, kind, makeWriter),
    receiveAll: (messages, check) =>
      new Promise(resolve => {
        const next = sockets.map((_, position) => position)
        let received = 0
        onMessage = (position, message) => {
          check(next[position], message)
          next[position] += count
          if (++received < messages) return
          onMessage = keep
          resolve()
        }
        const arrived = early
        early = []
        for (const each of arrived) onMessage(...each)
      }),
  }
}

export async function attach({ kind }, { count }) {
  const sockets = []
  while (sockets.length < 1 + count) {
    const socket = connect(process.argv.at(-1))
    await once(socket, 'connect')
    sockets.push(socket)
  }
  const [control, ...senders] = sockets
  const writers = senders.map(makeWriter)
  const end = socketEnd(control, kind, makeWriter)
  return {
    ...end,
    async close() {
      await end.close()
      for (const sender of senders) sender.end()
    },
    sendAll: (messages, message) =>
      spread(messages, count, message, (position, bytes) =>
        writers[position](bytes) ? undefined : () => once(senders[position], 'drain'),
      ),
  }
}
