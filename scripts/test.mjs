/**
 * `npm test`: sets up what is missing, then runs every test of both languages: cargo's, and ava's on each of the two
 * reactors.
 */
import { setUpPython } from './python.mjs'
import { ava, countAva, countCargo, runAll } from './runners.mjs'
import { setup } from './setup.mjs'

setup()
const missing = setUpPython()
if (missing) console.log(`What needs packages of PyPI is left out: ${missing}`)
await runAll([
  { name: 'cargo test', command: ['cargo', 'test', '--workspace', '--no-fail-fast'], count: countCargo },
  ...['loop', 'thread'].map(reactor => ({
    name: `ava, ${reactor} reactor`,
    command: [process.execPath, ava],
    env: { CAROM_REACTOR: reactor },
    count: countAva,
  })),
])
