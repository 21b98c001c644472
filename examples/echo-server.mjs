/**
 * A server answers three clients, one after the other; both sides prove first that they know the same key.
 *
 * All four start at once: `retryFor` has a client try again until the server listens, and one that comes while another
 * is being served waits for its turn. The address is a path in a directory that only this user can enter. Windows has no
 * such paths and takes the name of a pipe; `{ host: '127.0.0.1', port: 6000 }` is an address on every system.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, isMainProcess, Listener, Process } from 'carom'

const authkey = 'secret'

export async function server(address) {
  const listener = new Listener(address, { authkey })
  console.log('Server listening')
  for (let i = 1; i <= 3; i++) {
    const conn = await listener.accept({ timeout: 10_000 })
    console.log(`Connection ${i}`)
    for await (const message of conn) {
      console.log(`Server received: ${message}`)
      await conn.send(`Echo: ${message}`)
    }
    await conn.close()
    console.log(`Client of connection ${i} disconnected`)
  }
  await listener.close() // This removes the socket's file.
}

export async function client(address, id) {
  const conn = await Client(address, { authkey, retryFor: 10_000 })
  for (let i = 0; i < 3; i++) {
    await conn.send(`Message ${i} from client ${id}`)
    console.log(`Client ${id} got response: ${await conn.recv()}`)
    await sleep(100)
  }
  await conn.close()
}

if (isMainProcess) {
  const address =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\carom-echo-${process.pid}`
      : join(mkdtempSync(join(tmpdir(), 'carom-echo-')), 'socket')
  const start = (target, ...args) => new Process({ module: import.meta.url, target, args: [address, ...args] }).start()

  const processes = [start(server), start(client, 0), start(client, 1), start(client, 2)]
  for (const child of processes) console.log(`${child.name} ended with exit code ${await child.join()}`)
  if (process.platform !== 'win32') rmSync(dirname(address), { recursive: true })
}
