/**
 * Messages in one direction, as many as the peer's backpressure lets go: from the first send until the driver has the
 * responder's acknowledgement of the last.
 */

export const shape = 'oneway'

export async function drive(end, { message, order }, count) {
  await end.sendAll(count, message)
  const acknowledged = order.decode(await end.recv()).count
  if (acknowledged !== count) throw new Error(`${acknowledged} of ${count} messages have arrived`)
}

export async function respond(end, messages, count, { check }) {
  await end.receiveAll(count, check)
  await acknowledge(end, messages, count)
}

/** As `respond`, with one buffer into which every message is received. For the peers that can do so. */
export async function respondInto(end, messages, count, { check }) {
  await end.receiveAllInto(Buffer.allocUnsafeSlow(messages.size), count, check)
  await acknowledge(end, messages, count)
}

function acknowledge(end, { order }, count) {
  return end.send(order.encode({ count, whole: false }))
}
