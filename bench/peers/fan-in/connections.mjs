/** carom's connections for this work, made as those of `../wait`, and their sender, which all forms of receiving share. */
import { Client, Listener } from 'carom'
import { attachPipe, launchPipe } from '../carom-pipe.mjs'
import { spread } from './spreading.mjs'

/** Unsent bytes of a connection beyond which the sender waits for room. */
const AHEAD = 64 << 10

export async function launchConnections(args, { count }) {
  const listener = new Listener()
  const control = launchPipe([...args, listener.address])
  const conns = []
  while (conns.length < count) conns.push(await listener.accept())
  await listener.close()
  return { control, conns }
}

export async function attach(_messages, { count }) {
  const control = attachPipe()
  const conns = []
  while (conns.length < count) conns.push(await Client(process.argv.at(-1)))

  return {
    send: message => control.sendBytes(message),
    recv: () => control.recvBytes(),
    close: () => control.close(),
    sendAll: (messages, message) =>
      spread(messages, count, message, (position, bytes) => {
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
