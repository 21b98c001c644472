/**
 * Typed arrays become numpy arrays, and numpy arrays typed arrays, with their shape and without a loop over the items.
 *
 * A plain typed array has one dimension in Python, `python.ndarray` gives it more; what comes from there is a typed array
 * that knows its `shape`. This one needs numpy.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Pipe, python, serializers } from 'carom'

const [conn, workerEnd] = Pipe({ serializer: serializers.pickle })
spawn('python3', [fileURLToPath(new URL('arrays.py', import.meta.url))], {
  stdio: ['ignore', 'inherit', 'inherit', workerEnd.fd],
})
workerEnd.closeSync()

for (const Items of [Float64Array, Int32Array]) {
  await conn.send(python.ndarray(Items.of(1, 2, 3, 4, 5, 6), [2, 3]))
  const product = await conn.recv()
  const [rows, columns] = product.shape
  console.log(`Node has a matrix of ${rows} x ${columns} and ${product.dtype}, a ${product.constructor.name}:`)
  for (let row = 0; row < rows; row++) console.log([...product.subarray(row * columns, (row + 1) * columns)])
}
await conn.close()
