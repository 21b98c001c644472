/**
 * One child process sends messages, another receives them until the end of the stream.
 *
 * A pipe is made here, in the main process, and its two ends are handed to the children as arguments: they move, so
 * that each end belongs to one process only. When the sender is done and its end closes, the receiver's loop ends.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainProcess, Pipe, Process } from 'carom'

export async function sender(conn, messages) {
  for (const message of messages) {
    console.log(`Sending: ${message}`)
    await conn.send(message)
    await sleep(200)
  }
  await conn.close()
}

export async function receiver(conn) {
  for await (const message of conn) console.log(`Received: ${message}`)
  console.log('The sender is done')
}

// The children import this module too: only the main process starts them.
if (isMainProcess) {
  const [parentEnd, childEnd] = Pipe()
  const messages = ['Hello', 'World', 'From', 'carom']
  const processes = [
    new Process({ module: import.meta.url, target: sender, args: [parentEnd, messages] }).start(),
    new Process({ module: import.meta.url, target: receiver, args: [childEnd] }).start(),
  ]
  for (const child of processes) console.log(`${child.name} ended with exit code ${await child.join()}`)
}
