/** Short functions beside each other: they take turns, so that what disturbs the machine slows a round of all. */

const ROUNDS = 60
const ROUND_TIME = 4e6

/** The nanoseconds that each function takes at its best. */
export function race(functions) {
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
