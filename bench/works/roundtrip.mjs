/** Round trips with one message in flight: the driver sends, the responder sends the same back. */

export const shape = 'roundtrip'

export async function drive(end, { message }, count, { check }) {
  await end.pingPong(count, message, check)
}

export async function respond(end, _messages, count) {
  await end.echo(count)
}
