/**
 * `node bench/serializers.mjs`: the msgpack serializer beside plain msgpackr without records, in nanoseconds for one
 * value. Each figure is the best of many short rounds, in which the rivals take turns: what disturbs the machine slows
 * a round, and nothing makes one too fast. Needs a build (`npm run setup`).
 */
import { serializers } from 'carom'
import { Packr } from 'msgpackr'

const ROUNDS = 60
const ROUND_TIME = 4e6

const item = i => ({
  id: i,
  name: `name number ${i}`,
  email: `person${i}@example.org`,
  score: i / 3,
  active: i % 2 === 0,
})
const values = {
  'small object': { id: 1, name: 'x', tags: ['red', 'green', 'blue'], nested: { a: 1, b: 'two', c: true } },
  'object of 10 rows': {
    id: 123456,
    type: 'order.created',
    rows: Array.from({ length: 10 }, (_, i) => item(i)),
    ok: true,
  },
  '1000 objects': Array.from({ length: 1000 }, (_, i) => item(i)),
  'text of 1000': { text: 'lorem ipsum dolor sit amet '.repeat(37) },
  '20 strings of 40': Array.from({ length: 20 }, (_, i) => `a string of forty characters or so: ${i * 1000}`),
  'no ASCII': { name: 'Zoë Ångström', city: '東京都', mood: 'smile 😀 ok', long: 'ünïcödé '.repeat(20) },
  '100 floats': Array.from({ length: 100 }, (_, i) => i / 7),
  '1 integer': 5,
}

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

/** The nanoseconds that each function takes at its best. */
function race(functions) {
  const runners = functions.map(run => ({ run, times: timesFor(run), best: Number.POSITIVE_INFINITY }))
  for (let round = 0; round < ROUNDS; round++) {
    for (const runner of runners) runner.best = Math.min(runner.best, measure(runner.run, runner.times))
  }
  return runners.map(({ best }) => best)
}

/** How often a function runs in a round; warms it up on the way. */
function timesFor(run) {
  let times = 1
  while (measure(run, times) * times < ROUND_TIME) times *= 2
  return times
}

function measure(run, times) {
  const start = process.hrtime.bigint()
  for (let i = 0; i < times; i++) run()
  return Number(process.hrtime.bigint() - start) / times
}
