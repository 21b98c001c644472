/**
 * Four children send a message each, after a while that nobody knows beforehand; `wait` tells which have come.
 *
 * It gives the connections on which a receive would not wait, in the order of the list, and consumes nothing. When the
 * time runs out it gives an empty list. Listeners, processes and descriptors can be in the list as well.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainProcess, Pipe, Process, wait } from 'carom'

export async function delayedSender(writer, delay, message) {
  await sleep(delay)
  await writer.send(message)
  await writer.close()
}

if (isMainProcess) {
  const processes = []
  const connections = new Set()
  for (let i = 0; i < 4; i++) {
    const [reader, writer] = Pipe({ duplex: false })
    const args = [writer, 500 + 1500 * Math.random(), `Message from connection ${i}`]
    processes.push(new Process({ module: import.meta.url, target: delayedSender, args }).start())
    connections.add(reader)
  }

  console.log('Waiting for messages from multiple connections')
  while (connections.size > 0) {
    const ready = await wait(connections, 10_000)
    if (ready.length === 0) {
      console.log('Nothing came for ten seconds')
      break
    }
    for (const conn of ready) {
      console.log(`Received: ${await conn.recv()}`)
      connections.delete(conn)
      await conn.close()
    }
  }

  for (const child of processes) await child.join()
  console.log('All have ended')
}
