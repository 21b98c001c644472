/**
 * A worker in Python gets lists of numbers over a pipe that Node hands it, and sends back what it makes of them.
 *
 * A child of any kind gets a connection as a descriptor: in `stdio`, after the three standard streams, it becomes the
 * child's number 3. This process closes its copy, so that the end of either side is the end of the stream at the other.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Pipe, serializers } from 'carom'

const [conn, workerEnd] = Pipe({ serializer: serializers.pickle })
const worker = spawn('python3', [fileURLToPath(new URL('worker.py', import.meta.url))], {
  stdio: ['ignore', 'inherit', 'inherit', workerEnd.fd],
})
workerEnd.closeSync()
const ending = once(worker, 'exit')

for (const samples of [
  [1, 2, 6],
  [2.5, 3.5, 4.5, 7.5],
]) {
  await conn.send(samples)
  const { mean, median } = await conn.recv()
  console.log(`Of ${samples} the mean is ${mean} and the median ${median}`)
}

await conn.close() // The worker reads the end of the stream.
const [code] = await ending
console.log('The worker ended with exit code', code)
