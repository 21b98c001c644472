/**
 * `node bench/serializers.mjs`: the msgpack serializer beside plain msgpackr without records, in nanoseconds for one
 * value. Each figure is the best of many short rounds, in which the rivals take turns: what disturbs the machine slows
 * a round, and nothing makes one too fast. Needs a build (`npm run setup`).
 */
import { serializers } from 'carom'
import { Packr } from 'msgpackr'
import { race } from './race.mjs'
import { values } from './values.mjs'

const { msgpack } = serializers
const plain = new Packr({ useRecords: false })
const arena = Buffer.allocUnsafeSlow(1 << 20)
const at = 5000

console.log('ns                  pack  encodeInto   encode  unpack  unpack at 5000  decodeFrom at 5000')
for (const [name, value] of Object.entries(values)) {
  const packed = Buffer.from(plain.pack(value))
  const source = Buffer.allocUnsafeSlow(at + packed.length + 1000)
  packed.copy(source, at)
  const end = at + packed.length
  const figures = race([
    () => plain.pack(value),
    () => msgpack.encodeInto(value, arena, at),
    () => msgpack.encode(value),
    () => plain.unpack(packed),
    () => plain.unpack(source, { start: at, end }),
    () => msgpack.decodeFrom(source, at, end),
  ])
  const widths = [8, 12, 9, 8, 16, 20]
  console.log(name.padEnd(17), ...figures.map((figure, i) => figure.toFixed(0).padStart(widths[i] - 1)))
}
