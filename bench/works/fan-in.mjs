/**
 * Messages from many connections into one process: the responder spreads them evenly, message i over connection i modulo
 * their number; the driver receives, and measures from its order until it has them all.
 */

export async function drive(end, _messages, count, { check }) {
  await end.receiveAll(count, check)
}

export async function respond(end, { message }, count) {
  await end.sendAll(count, message)
}
