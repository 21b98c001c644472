/** The pipe of the carom peers: the driver makes it, and the responder finds its end at descriptor 3. */
import { closeSync } from 'node:fs'
import { Connection, Pipe, serializers } from 'carom'
import { works } from '../works/index.mjs'
import { respondingTo } from './python.mjs'
import { startProgram, startResponder } from './responder-process.mjs'

const INHERITED = 3

export function launchPipe(args) {
  const [ours, theirs] = Pipe()
  handOver(theirs, stdio => startResponder(args, stdio))
  return ours
}

/** The same with a CPython as responder. */
export function launchPythonPipe([, workName]) {
  const [ours, theirs] = Pipe({ serializer: serializers.pickle })
  handOver(theirs, stdio => startProgram(respondingTo(INHERITED, works[workName]), stdio))
  return ours
}

function handOver(end, start) {
  const { fd } = end.detach()
  start({ stdio: [fd] })
  closeSync(fd)
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
