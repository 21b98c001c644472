/** An end without a responder: nobody is to be told of rounds. */
export function alone(start) {
  return { start, async send() {}, async recv() {}, async close() {} }
}
