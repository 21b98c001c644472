/**
 * A MessagePort to a worker thread: the one peer that is not two processes. Messages are cloned, as between processes.
 * A port has no backpressure: the receiver gives credit with a bare number for each half window that it has taken, and
 * the sender stops when it is a window ahead.
 */
import { MessageChannel, Worker, workerData } from 'node:worker_threads'
import { callbackEnd } from './callback-end.mjs'
import { RESPONDER } from './responder-process.mjs'

export async function launch(messages, args) {
  const { port1, port2 } = new MessageChannel()
  new Worker(RESPONDER, { argv: args, workerData: port2, transferList: [port2] })
  return portEnd(port1, messages)
}

export async function attach(messages) {
  return portEnd(workerData, messages)
}

function portEnd(port, { window }) {
  const credit = Math.max(1, window / 2)
  let ahead = 0
  let taken = 0
  let onCredit

  return callbackEnd({
    send(message) {
      port.postMessage(message)
      return ++ahead < window
    },
    drained: () => new Promise(resolve => (onCredit = resolve)),
    listen(callback) {
      port.on('message', message => {
        if (typeof message === 'number') {
          ahead -= message
          onCredit?.()
          return
        }
        callback(message)
        if (++taken === credit) {
          taken = 0
          port.postMessage(credit)
        }
      })
    },
    close: async () => port.close(),
  })
}
