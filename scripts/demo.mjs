/**
 * `npm run demo`: sets up what is missing, then runs the programs of `examples/` in turn. Those with Python are left out
 * where it does not have what they need. `npm run demo -- NAME` runs one of them.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withPythonEnvironment } from './python.mjs'
import { root, setup } from './setup.mjs'

const examples = [
  'sender-receiver',
  'bytes-with-polling',
  'echo-server',
  'wait-for-many',
  'producer-consumer',
  'request-response',
  'python/clients',
  'python/worker',
  'python/pool',
  'python/arrays',
]
/** What an example with Python imports there, besides the standard library. */
const imports = { 'python/arrays': 'numpy' }
const env = withPythonEnvironment()

const [wanted] = process.argv.slice(2)
if (wanted !== undefined && !examples.includes(wanted)) {
  console.error(`There is no example '${wanted}': choose among ${examples.join(', ')}.`)
  process.exit(1)
}

setup()
for (const name of wanted ? [wanted] : examples) {
  const missing = missingFor(name)
  if (missing) {
    console.log(`\n── examples/${name}.mjs is left out: ${missing}`)
    continue
  }
  const file = join(root, 'examples', `${name}.mjs`)
  console.log(`\n── examples/${name}.mjs: ${summary(file)}\n`)
  const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit', env })
  if (status !== 0) {
    console.error(`\nexamples/${name}.mjs failed`)
    process.exit(1)
  }
}

/** What the example needs and does not find, if it does not. */
function missingFor(name) {
  if (!name.startsWith('python/')) return undefined
  const module = imports[name] ?? 'multiprocessing.connection'
  const { status } = spawnSync('python3', ['-c', `import ${module}`], { stdio: 'ignore', env })
  return status === 0 ? undefined : `there is no python3 with ${module} (\`node scripts/python.mjs\` makes one)`
}

/** The first line of the comment that opens the program. */
function summary(file) {
  return readFileSync(file, 'utf8').match(/^\/\*\*\n \* (.*)/)?.[1]
}
