/** carom with the blocking forms: plain loops of a send and a receive, each of which holds its thread. */
import { attachPipe, launchPipe } from './carom-pipe.mjs'

export async function launch({ kind }, args) {
  return blockingEnd(launchPipe(args), kind)
}

export async function attach({ kind }) {
  return blockingEnd(attachPipe(), kind)
}

export function blockingEnd(conn, kind) {
  const { send, recv } = forms[kind](conn)

  return {
    send,
    recv,
    close: () => conn.closeSync(),
    pingPong(count, message, check) {
      for (let index = 0; index < count; index++) {
        send(message(index))
        check(index, recv())
      }
    },
    echo(count) {
      for (let index = 0; index < count; index++) send(recv())
    },
    sendAll(count, message) {
      for (let index = 0; index < count; index++) send(message(index))
    },
    receiveAll(count, check) {
      for (let index = 0; index < count; index++) check(index, recv())
    },
    receiveAllInto(buffer, count, check) {
      for (let index = 0; index < count; index++) {
        check(index, buffer.subarray(0, conn.recvBytesIntoSync(buffer)))
      }
    },
  }
}

const forms = {
  bytes: conn => ({ send: message => conn.sendBytesSync(message), recv: () => conn.recvBytesSync() }),
  objects: conn => ({ send: message => conn.sendSync(message), recv: () => conn.recvSync() }),
}
