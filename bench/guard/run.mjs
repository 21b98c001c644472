/**
 * `npm run guard`: counts what fixed runs take, and compares it with `expected.json`. Fails when anything takes more
 * than it did, or cannot be counted. `npm run guard -- --record` writes what was counted to that file.
 */
import { parseArgs } from 'node:util'
import { columns } from '../table.mjs'
import { countCore } from './core.mjs'
import { judge, readExpected, record } from './expected.mjs'
import { countFace } from './face/index.mjs'

try {
  guard(parseArgs({ options: { record: { type: 'boolean', default: false } } }).values)
} catch (error) {
  console.error(`guard: ${error.message}`)
  process.exitCode = 1
}

function guard({ record: isRecording }) {
  const core = countCore()
  const face = countFace()
  const measured = {
    versions: { ...core.versions, ...face.versions },
    runs: { ...core.runs, ...face.runs },
  }
  const expected = readExpected()
  const judgements = judge(expected, measured)
  console.log(table(judgements))
  for (const [name, before] of Object.entries(expected.versions)) {
    const now = measured.versions[name]
    if (now !== before)
      console.log(`\nRecorded with ${before}, measured with ${now}: figures may differ by that alone.`)
  }
  if (isRecording) {
    record(expected, measured)
    console.log('\nRecorded in bench/guard/expected.json.')
    return
  }
  const count = (...verdicts) => judgements.filter(({ verdict }) => verdicts.includes(verdict)).length
  const [kept, better] = [count('ok'), count('better')]
  const failed = judgements.length - kept - better
  if (better + failed > 0)
    console.log('\n`npm run guard -- --record` makes what was measured the expectation: say why in the commit.')
  console.log(`\n${kept} as expected, ${better} better, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

function table(judgements) {
  const figure = number => number?.toFixed(3) ?? ''
  const rows = judgements.map(({ run, name, expected, measured, verdict }) => [
    run,
    name,
    figure(expected),
    figure(measured),
    verdict,
  ])
  return columns([['per message', '', 'expected', 'measured', ''], ...rows], [1, 4]).join('\n')
}
