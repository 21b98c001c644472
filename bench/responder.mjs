/** The other end: `node responder.mjs PEER WORK …`, started by the driver. It answers, or receives and acknowledges. */
import { works } from './works/index.mjs'

const [peerName, workName] = process.argv.slice(2)
const { attach } = await import(`./peers/${peerName}.mjs`)
const work = works[workName]
const messages = work.makeMessages()
const end = await attach(messages)

for (;;) {
  const order = await end.recv()
  const { count, whole } = messages.order.decode(order)
  if (count === 0) break
  await end.send(order)
  await work.respond(end, messages, count, whole ? messages.checkWhole : messages.check)
}
await end.close()
