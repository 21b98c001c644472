/**
 * An end of a transport that calls back for each message: the loops of all such peers, without a promise per message.
 * The transport has `send(message)` (false: wait for `drained()` before the next), `listen(callback)` and `close()`.
 */
export function callbackEnd({ send, drained, listen, close }) {
  const early = []
  const keep = message => early.push(message)
  let receiver = keep
  listen(message => receiver(message))

  /** Gives each message to `take` until that says true. */
  function receiveUntil(take) {
    return new Promise(resolve => {
      receiver = message => {
        if (!take(message)) return
        receiver = keep
        resolve(message)
      }
      while (early.length > 0 && receiver !== keep) receiver(early.shift())
    })
  }

  return {
    send,
    close,
    recv: () => receiveUntil(() => true),
    pingPong(count, message, check) {
      let index = 0
      const done = receiveUntil(reply => {
        check(index, reply)
        if (++index === count) return true
        send(message(index))
        return false
      })
      send(message(0))
      return done
    },
    echo(count) {
      let index = 0
      return receiveUntil(message => {
        send(message)
        return ++index === count
      })
    },
    async sendAll(count, message) {
      for (let index = 0; index < count; index++) {
        if (!send(message(index))) await drained()
      }
    },
    receiveAll(count, check) {
      let index = 0
      return receiveUntil(message => {
        check(index, message)
        return ++index === count
      })
    },
  }
}
