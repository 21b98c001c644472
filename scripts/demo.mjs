/**
 * `npm run demo`: sets up what is missing, then runs the programs of `examples/` in turn.
 * `npm run demo -- NAME` runs one of them.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, setup } from './setup.mjs'

const examples = [
  'sender-receiver',
  'bytes-with-polling',
  'echo-server',
  'wait-for-many',
  'producer-consumer',
  'request-response',
]

const [wanted] = process.argv.slice(2)
if (wanted !== undefined && !examples.includes(wanted)) {
  console.error(`There is no example '${wanted}': choose among ${examples.join(', ')}.`)
  process.exit(1)
}

setup()
for (const name of wanted ? [wanted] : examples) {
  const file = join(root, 'examples', `${name}.mjs`)
  console.log(`\n── examples/${name}.mjs: ${summary(file)}\n`)
  const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\nexamples/${name}.mjs failed`)
    process.exit(1)
  }
}

/** The first line of the comment that opens the program. */
function summary(file) {
  return readFileSync(file, 'utf8').match(/^\/\*\*\n \* (.*)/)?.[1]
}
