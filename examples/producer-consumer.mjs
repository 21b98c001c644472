/**
 * A producer makes items faster than the consumer uses them; `null` says that there are no more.
 *
 * The pipe holds what the consumer has not come to yet. When it is full, `await writer.send(…)` waits, so that a fast
 * producer never fills the memory.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainProcess, Pipe, Process } from 'carom'

export async function producer(writer) {
  for (let i = 0; i < 5; i++) {
    const item = `item_${i}`
    await writer.send(item)
    console.log(`Produced: ${item}`)
    await sleep(100)
  }
  await writer.send(null)
}

export async function consumer(reader) {
  for await (const item of reader) {
    if (item === null) break
    console.log(`Consumed: ${item}`)
    await sleep(150)
  }
  await reader.close()
}

if (isMainProcess) {
  const [reader, writer] = Pipe({ duplex: false })
  const processes = [
    new Process({ module: import.meta.url, target: producer, args: [writer] }).start(),
    new Process({ module: import.meta.url, target: consumer, args: [reader] }).start(),
  ]
  for (const child of processes) await child.join()
}
