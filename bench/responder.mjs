/** The other end: `node responder.mjs PEER WORK [VARIANT] …`, started by the driver, which orders each round. */
import { works } from './works/index.mjs'
import { checksOf } from './works/messages.mjs'

const [peerName, workName, variantName] = process.argv.slice(2)
const work = works[workName]
const { attach } = await import(`./peers/${work.ends ?? ''}${peerName}.mjs`)
const messages = work.makeMessages()
const end = await attach(messages, work.variants?.[variantName].value)

for (;;) {
  const order = await end.recv()
  const { count, whole } = messages.order.decode(order)
  if (count === 0) break
  await end.send(order)
  await work.respond(end, messages, count, checksOf(messages, whole))
}
await end.close()
