/** The pipe of the carom peers: the driver makes it, and the responder finds its end at descriptor 3. */
import { closeSync } from 'node:fs'
import { Connection, Pipe } from 'carom'
import { startResponder } from './responder-process.mjs'

const INHERITED = 3

export function launchPipe(args) {
  const [ours, theirs] = Pipe()
  const { fd } = theirs.detach()
  startResponder(args, { stdio: [fd] })
  closeSync(fd)
  return ours
}

export function attachPipe() {
  return Connection.from(INHERITED)
}

/** What a round is ordered and acknowledged over, where the messages themselves take other ways. */
export const orders = control => ({
  send: message => control.sendBytes(message),
  recv: () => control.recvBytes(),
  close: () => control.close(),
})

/** The same, blocking. */
export const ordersSync = control => ({
  send: message => control.sendBytesSync(message),
  recv: () => control.recvBytesSync(),
  close: () => control.closeSync(),
})
