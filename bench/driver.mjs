/**
 * The end that measures: `node driver.mjs PEER WORK [VARIANT]`. It starts the responder, and for each line `COUNT WHOLE`
 * on standard input it does a round of that many messages (`WHOLE` 1: every byte is compared) and prints the nanoseconds.
 * The end of standard input ends both. `bench/limit` and `peers/python` serve the same lines.
 */
import { createInterface } from 'node:readline'
import { works } from './works/index.mjs'
import { checksOf } from './works/messages.mjs'

const [peerName, workName, variantName] = process.argv.slice(2)
const work = works[workName]
const { launch } = await import(`./peers/${work.ends ?? ''}${peerName}.mjs`)
const messages = work.makeMessages()
const end = await launch(messages, process.argv.slice(2), work.variants?.[variantName].value)

for await (const line of createInterface({ input: process.stdin })) {
  const [count, whole] = line.split(' ').map(Number)
  // The responder answers when it is ready: what it takes to begin is not measured.
  await end.send(messages.order.encode({ count, whole: whole === 1 }))
  await end.recv()
  const start = process.hrtime.bigint()
  // A work of which only parts are measured says itself how long they took.
  const measured = await work.drive(end, messages, count, checksOf(messages, whole === 1))
  console.log(String(measured ?? process.hrtime.bigint() - start))
}
await end.send(messages.order.encode({ count: 0, whole: false }))
await end.close()
