/**
 * A service in one child process answers the requests of a client in another, over a pipe that goes both ways.
 *
 * The service needs no message that tells it to stop: when the client's end closes, its loop ends and so does it.
 */
import { isMainProcess, Pipe, Process } from 'carom'

export async function service(conn) {
  for await (const request of conn) await conn.send(`Processed: ${request}`)
}

export async function clientRequests(conn) {
  for (let i = 0; i < 3; i++) {
    await conn.send(`request_${i}`)
    // A service that does not answer in time is a TimeoutError, and its answer is not lost: the next receive gets it.
    const response = await conn.recv({ timeout: 10_000 })
    console.log(`Got response: ${response}`)
  }
  await conn.close()
}

if (isMainProcess) {
  const [serviceEnd, clientEnd] = Pipe()
  const processes = [
    new Process({ module: import.meta.url, target: service, args: [serviceEnd] }).start(),
    new Process({ module: import.meta.url, target: clientRequests, args: [clientEnd] }).start(),
  ]
  for (const child of processes) console.log(`${child.name} ended with exit code ${await child.join()}`)
}
