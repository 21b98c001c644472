/**
 * Accepting and authenticating: the driver listens, the responder connects, so many at once. Nothing is sent over a
 * connection but the handshake; where every byte is compared, a message goes there and back.
 */

export async function drive(end, messages, count, { whole, check }) {
  await end.acceptAll(count, whole ? message => check(numberOf(message, messages), message) : undefined)
  const acknowledged = messages.order.decode(await end.recv()).count
  if (acknowledged !== count) throw new Error(`${acknowledged} of ${count} clients are through`)
}

export async function respond(end, { message, order }, count, { whole, check }) {
  await end.connectAll(count, whole ? { message, check } : undefined)
  await end.send(order.encode({ count, whole: false }))
}

/** The messages of clients that connect at once come in any order; each begins with its number, as an order does. */
function numberOf(message, { order }) {
  return order.decode(message).count
}
