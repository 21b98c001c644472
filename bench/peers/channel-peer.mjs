/**
 * Node's own channel between parent and child. It has no event for "there is room again": after a `send` that returned
 * false, the callbacks of all sends so far are awaited.
 */
import { callbackEnd } from './callback-end.mjs'
import { startResponder } from './responder-process.mjs'

export function channelPeer(serialization) {
  return {
    async launch(_messages, args) {
      return channelEnd(startResponder(args, { stdio: ['ipc'], serialization }))
    },
    async attach() {
      return channelEnd(process)
    },
  }
}

function channelEnd(channel) {
  let unsent = 0
  let onDrained

  function sent(error) {
    if (error) throw error
    if (--unsent === 0) onDrained?.()
  }

  return callbackEnd({
    send(message) {
      unsent++
      return channel.send(message, sent)
    },
    async drained() {
      if (unsent > 0) await new Promise(resolve => (onDrained = resolve))
    },
    listen: callback => channel.on('message', callback),
    close: async () => {
      if (channel.connected) channel.disconnect()
    },
  })
}
