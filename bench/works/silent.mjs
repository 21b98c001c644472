/**
 * How long a client with the key takes to get through while a thousand others say nothing: the driver is the good
 * client, the responder listens, and a third process is silent. Measured from the connect until a message has come back.
 */

export async function drive(end, { message, order }, count, { check }) {
  let measured = 0n
  for (let index = 0; index < count; index++) {
    await end.besiege()
    await end.send(order.encode({ count, whole: false }))
    await end.recv()
    const start = process.hrtime.bigint()
    const received = await end.getThrough(message(index))
    measured += process.hrtime.bigint() - start
    check(index, received)
  }
  return measured
}

export async function respond(end, { order }, count) {
  for (let index = 0; index < count; index++) {
    await end.recv()
    await end.send(order.encode({ count, whole: false }))
    await end.letThrough()
  }
}
