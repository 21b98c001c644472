/**
 * `npm run bench`: carom beside other ways for two processes to exchange messages, in one run. Prints a table for each
 * work, and what carom must reach beside what it has reached. `npm run bench -- --help` names the options.
 */
import { writeFileSync } from 'node:fs'
import { drawCharts } from './charts.mjs'
import { entriesOf, takesPart } from './entries.mjs'
import { readOptions } from './options.mjs'
import { peers } from './peers/index.mjs'
import { pinToOneCore } from './pinning.mjs'
import { describeRun, describeWork } from './report.mjs'
import { measure } from './schedule.mjs'
import { peerTable, runTable, targetTable, workTable } from './table.mjs'
import { checkTargets } from './targets.mjs'
import { works } from './works/index.mjs'

const options = readOptions()

try {
  await run()
} catch (error) {
  console.error(error)
  process.exitCode = 1
}

async function run() {
  const present = await preparePeers()
  const pin = pinToOneCore()
  const report = describeRun({ ...options.settings, pinned: pin !== undefined }, present)
  console.log(runTable(report))
  console.log(peerTable(present.map(name => [name, peers[name].about])))
  if (!pin) console.log('There is no taskset here: round trips run on any core, and measure mostly its wake-up.')

  for (const name of options.works) {
    const work = works[name]
    const taking = present.filter(peer => takesPart(peer, work))
    const entries = entriesOf(name, work, taking, skip)
    if (entries.length === 0) continue
    const measured = await measure(work, entries, { ...options.settings, prefix: work.pinned && pin ? pin : [] })
    report.works[name] = describeWork(work, entries, measured, options.baseline)
    console.log(`\n${workTable(name, report.works[name])}`)
  }

  report.targets = checkTargets(report.works)
  if (report.targets.length > 0) console.log(`\n${targetTable(report.targets)}`)
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
  if (options.charts) {
    const missing = await drawCharts(report, options.charts)
    if (missing) skip('--charts', missing)
  }
}

/** Those of the peers asked for that something is to be done with and that are there. */
async function preparePeers() {
  const present = []
  for (const name of options.peers) {
    if (!options.works.some(work => takesPart(name, works[work]))) continue
    const missing = await peers[name].prepare()
    if (missing) skip(name, missing)
    else present.push(name)
  }
  return present
}

function skip(name, why) {
  console.log(`${name} is left out: ${why}`)
}
