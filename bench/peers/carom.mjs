/**
 * carom with promises: requests and replies are awaited one by one, a stream of messages is sent without awaiting each
 * and received by `for await`.
 */
import { attachPipe, launchPipe } from './carom-pipe.mjs'

/** Unsent bytes beyond which the sender waits for room. */
const AHEAD = 64 << 10

export async function launch({ kind }, args) {
  return asyncEnd(launchPipe(args), kind)
}

export async function attach({ kind }) {
  return asyncEnd(attachPipe(), kind)
}

export function asyncEnd(conn, kind) {
  const { send, recv, received } = forms[kind](conn)

  return {
    send,
    recv,
    close: () => conn.close(),
    async pingPong(count, message, check) {
      for (let index = 0; index < count; index++) {
        await send(message(index))
        check(index, await recv())
      }
    },
    async echo(count) {
      let index = 0
      for await (const message of received()) {
        await send(message)
        if (++index === count) break
      }
    },
    async sendAll(count, message) {
      for (let index = 0; index < count; index++) {
        const accepted = send(message(index))
        if (conn.bufferedAmount > AHEAD) await accepted
      }
    },
    async receiveAll(count, check) {
      let index = 0
      for await (const message of received()) {
        check(index, message)
        if (++index === count) break
      }
    },
    async receiveAllInto(buffer, count, check) {
      for (let index = 0; index < count; index++) {
        check(index, buffer.subarray(0, await conn.recvBytesInto(buffer)))
      }
    },
  }
}

const forms = {
  bytes: conn => ({
    send: message => conn.sendBytes(message),
    recv: () => conn.recvBytes(),
    received: () => conn.bytes(),
  }),
  objects: conn => ({
    send: message => conn.send(message),
    recv: () => conn.recv(),
    received: () => conn.messages(),
  }),
}
