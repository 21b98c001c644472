/**
 * `npm run test:big-endian`: the codec of frames on a big-endian machine, which Miri interprets, with strict provenance.
 * What of its tests goes through sockets is left out, as Miri has no system calls.
 */
import { spawnSync } from 'node:child_process'
import { run } from '../installing.mjs'
import { countCargo, runAll } from '../runners.mjs'
import { root } from '../setup.mjs'

// A nightly that has Miri stays as it is.
if (spawnSync('cargo', ['+nightly', 'miri', '--version']).status !== 0) {
  const components = ['miri', 'rust-src'].flatMap(name => ['--component', name])
  run('rustup', ['toolchain', 'install', 'nightly', '--profile', 'minimal', ...components])
}
const miri = ['+nightly', 'miri', 'test', '-p', 'carom', '--test', 'frame', '--target', 's390x-unknown-linux-gnu']
// Proptest asks for the time and the working directory.
const MIRIFLAGS = '-Zmiri-strict-provenance -Zmiri-disable-isolation'
// The compiler's silence is none of the tests.
run('cargo', [...miri, '--no-run'], { cwd: root, env: { ...process.env, MIRIFLAGS } })
await runAll([
  {
    name: 'codec, big-endian',
    command: ['cargo', ...miri, '--', '--skip', 'connection::'],
    env: {
      MIRIFLAGS,
      // An interpreter is some hundred times slower than a processor; the properties have their thousands elsewhere.
      PROPTEST_CASES: '4',
    },
    count: countCargo,
  },
])
