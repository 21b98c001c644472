/**
 * A Node client joins a program of Python's multiprocessing, as one more of its workers.
 *
 * That program is started here only so that there is one. It knows nothing of Node: what comes to its `Listener` with its
 * key is a worker. `retryFor` has the client try again until the program listens.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, serializers } from 'carom'

const directory = mkdtempSync(join(tmpdir(), 'carom-pool-'))
const address = join(directory, 'socket')
const program = spawn('python3', [fileURLToPath(new URL('pool.py', import.meta.url)), address], { stdio: 'inherit' })
const ending = once(program, 'exit')

const conn = await Client(address, {
  authkey: 'secret',
  legacyAuth: true, // Python before 3.12
  retryFor: 10_000,
  serializer: serializers.pickle,
})
await conn.send('Node')
for await (const number of conn) await conn.send(number ** 2)
await conn.close()

const [code] = await ending
console.log('The program ended with exit code', code)
rmSync(directory, { recursive: true })
