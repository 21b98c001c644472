/**
 * The end that measures: `node driver.mjs PEER WORK`. It starts the responder, and for each line `COUNT WHOLE` on
 * standard input it does a round of that many messages (`WHOLE` 1: every byte is compared) and prints the nanoseconds.
 * The end of standard input ends both. `bench/limit` serves the same lines.
 */
import { createInterface } from 'node:readline'
import { works } from './works/index.mjs'

const [peerName, workName] = process.argv.slice(2)
const { launch } = await import(`./peers/${peerName}.mjs`)
const work = works[workName]
const messages = work.makeMessages()
const end = await launch(messages, [peerName, workName])

for await (const line of createInterface({ input: process.stdin })) {
  const [count, whole] = line.split(' ').map(Number)
  // The responder answers when it is ready: what it takes to begin is not measured.
  await end.send(messages.order.encode({ count, whole: whole === 1 }))
  await end.recv()
  const start = process.hrtime.bigint()
  await work.drive(end, messages, count, whole ? messages.checkWhole : messages.check)
  console.log(String(process.hrtime.bigint() - start))
}
await end.send(messages.order.encode({ count: 0, whole: false }))
await end.close()
