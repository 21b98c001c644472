/** Waiting for many connections of which one has something: each wake-up is a wait, a receive and an answer. */

export async function drive(end, _messages, count, { check }) {
  await end.answerAll(count, check)
}

export async function respond(end, { message }, count, { check }) {
  await end.wakeAll(count, message, check)
}
