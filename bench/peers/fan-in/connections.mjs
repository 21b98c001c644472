/** carom's connections for this work, which are made as those of `../wait`, and what all forms of receiving share. */
import { orders } from '../carom-pipe.mjs'
import { attachConnections } from '../wait/connections.mjs'
import { spread } from './spreading.mjs'

export { launchConnections } from '../wait/connections.mjs'

/** Unsent bytes of a connection beyond which the sender waits for room. */
const AHEAD = 64 << 10

/** The sender is the same for all. */
export async function attach(_messages, variant) {
  const { control, conns } = await attachConnections(variant)
  return {
    ...orders(control),
    sendAll: (messages, message) =>
      spread(messages, conns.length, message, (position, bytes) => {
        const conn = conns[position]
        const accepted = conn.sendBytes(bytes)
        return conn.bufferedAmount > AHEAD ? () => accepted : undefined
      }),
  }
}

/** For messages that come one by one from connections that are ready: each is checked as the next of its connection. */
export function inOrder(conns, check) {
  const next = new Map(conns.map((conn, position) => [conn, position]))
  return (conn, message) => {
    const index = next.get(conn)
    check(index, message)
    next.set(conn, index + conns.length)
  }
}
