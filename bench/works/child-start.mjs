/** How long a child takes to its first message, one child after the other; there is no responder. Its end is not measured. */

/** What every child says. */
export const GREETING = 'here'

export async function drive(end, _messages, count) {
  let measured = 0n
  for (let index = 0; index < count; index++) {
    const start = process.hrtime.bigint()
    const { message, ended } = await end.start()
    measured += process.hrtime.bigint() - start
    if (message !== GREETING) throw new Error(`Child ${index} has not said what it should`)
    await ended()
  }
  return measured
}
