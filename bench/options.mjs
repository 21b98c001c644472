/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util'
import { peers } from './peers/index.mjs'
import { works } from './works/index.mjs'

const FULL = { rounds: 9, roundTime: 250, warmUpTime: 500 }
const QUICK = { rounds: 3, roundTime: 100, warmUpTime: 250 }

const HELP = `npm run bench -- [options]

  --peers a,b      only these peers (default: all)
  --work a,b       only these works (default: all)
  --baseline a     the peer that figures are divided by (default: one that fits each work)
  --rounds N       rounds of each peer in each work (default: ${FULL.rounds})
  --quick          a short run, for a first look: ${QUICK.rounds} rounds of ${QUICK.roundTime} ms
  --json FILE      write everything to FILE as well
  --charts DIR     draw it as well, an SVG for each group of works (npm run bench:charts -- FILE DIR: from that FILE)

Peers
${list(peers)}

Works
${list(works)}
`

/** The options asked for. Prints the help, or what is wrong, and ends the process when there is nothing to run. */
export function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        peers: { type: 'string' },
        work: { type: 'string' },
        baseline: { type: 'string' },
        rounds: { type: 'string' },
        quick: { type: 'boolean' },
        json: { type: 'string' },
        charts: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      console.log(HELP)
      process.exit(0)
    }
    const settings = values.quick ? QUICK : FULL
    return {
      peers: pick('peer', peers, values.peers),
      works: pick('work', works, values.work),
      baseline: values.baseline && pick('peer', peers, values.baseline)[0],
      json: values.json,
      charts: values.charts,
      settings: { ...settings, rounds: readRounds(values.rounds, settings.rounds) },
    }
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`)
    process.exit(2)
  }
}

/** The names asked for, in the order asked for. */
function pick(what, known, asked) {
  if (asked === undefined) return Object.keys(known)
  const names = asked.split(',')
  for (const name of names) {
    if (!Object.hasOwn(known, name)) throw new Error(`There is no ${what} "${name}"`)
  }
  return names
}

function readRounds(asked, otherwise) {
  const rounds = asked === undefined ? otherwise : Number(asked)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds must be a whole number from 1, not "${asked}"`)
  return rounds
}

function list(known) {
  return Object.entries(known)
    .map(([name, { about }]) => `  ${name.padEnd(20)}${about}`)
    .join('\n')
}
