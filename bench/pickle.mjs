/**
 * `node bench/pickle.mjs`: the pickle serializer beside msgpackr without records, in nanoseconds for one value, and what
 * is long beside a copy of its bytes. What is read is what the `python3` in `PATH` writes. Each figure is the best of
 * many short rounds, in which the rivals take turns. Needs a build (`npm run setup`).
 */
import { execFileSync } from 'node:child_process'
import { python, serializers } from 'carom'
import { Packr } from 'msgpackr'
import { race } from './race.mjs'
import { values } from './values.mjs'

const LONG = 10_000_000

const { pickle } = serializers
const plain = new Packr({ useRecords: false })
const arena = Buffer.allocUnsafeSlow(1 << 20)
// It is loaded when it is first used.
pickle.encode(null)

print('ns', ['pack', 'encodeInto', 'encode', 'unpack', 'decodeFrom', 'unpack / decodeFrom'])
for (const [name, value] of Object.entries(values)) {
  const packed = Buffer.from(plain.pack(value))
  const pickled = byPython(value)
  const figures = race([
    () => plain.pack(value),
    () => pickle.encodeInto(value, arena, 0),
    () => pickle.encode(value),
    () => plain.unpack(packed),
    () => pickle.decodeFrom(pickled, 0, pickled.length),
  ])
  print(name, [...figures.map(figure => figure.toFixed(0)), (figures[3] / figures[4]).toFixed(2)])
}

console.log()
// A copy into memory that is there already shows how much of the others is memory that has to be had first.
print('us', ['copy over', 'copy', 'new Array', 'decodeFrom', 'decodeFrom / copy'])
const floats = Array.from({ length: LONG / 9 }, Math.random)
const numbers = Float64Array.from({ length: LONG / 8 }, Math.random)
for (const [name, message, value] of [
  ['10 MB of floats', byPython(floats), floats],
  ['10 MB of numpy', Buffer.from(pickle.encode(python.ndarray(numbers))), numbers],
]) {
  const target = Buffer.alloc(message.length)
  const figures = race([
    () => message.copy(target),
    () => Buffer.from(message),
    () => emptyLike(value),
    () => pickle.decodeFrom(message, 0, message.length),
  ])
  print(name, [...figures.map(figure => (figure / 1000).toFixed(0)), (figures[3] / figures[1]).toFixed(2)])
}

/** Of a list, the memory that it needs here, and nothing in it. */
function emptyLike(value) {
  if (!Array.isArray(value)) return new value.constructor(value.length)
  const array = [0.5]
  array.length = value.length
  return array
}

function byPython(value) {
  const program = 'import json, pickle, sys; sys.stdout.buffer.write(pickle.dumps(json.load(sys.stdin)))'
  return execFileSync('python3', ['-c', program], { input: JSON.stringify(value), maxBuffer: LONG * 2 })
}

function print(name, cells) {
  console.log(name.padEnd(18), ...cells.map(cell => cell.padStart(11)))
}
