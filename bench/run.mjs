/**
 * `npm run bench`: carom beside other ways for two processes to exchange messages, in one run. Prints a table for each
 * work, and what carom must reach beside what it has reached. `npm run bench -- --help` names the options.
 */
import { writeFileSync } from 'node:fs'
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
  for (const name of options.peers) await peers[name].prepare()

  const pin = pinToOneCore()
  const report = describeRun({ ...options.settings, pinned: pin !== undefined })
  console.log(runTable(report))
  console.log(peerTable(options.peers.map(name => [name, peers[name].about])))
  if (!pin) console.log('There is no taskset here: round trips run on any core, and measure mostly its wake-up.')

  for (const name of options.works) {
    const work = works[name]
    const taking = options.peers.filter(peer => peers[peer].takesPart(work))
    if (taking.length === 0) continue
    const measured = await measure(
      name,
      work,
      taking.map(peer => [peer, peers[peer]]),
      { ...options.settings, prefix: work.pinned && pin ? pin : [] },
    )
    report.works[name] = describeWork(work, measured, options.baseline)
    console.log(`\n${workTable(name, report.works[name])}`)
  }

  report.targets = checkTargets(report.works)
  if (report.targets.length > 0) console.log(`\n${targetTable(report.targets)}`)
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
}
