/**
 * `npm run test:big-endian`: the codec of frames on a big-endian machine, which Miri interprets, with strict provenance.
 * What of its tests goes through sockets is left out, as Miri has no system calls.
 */
import { spawnSync } from 'node:child_process'
import { run } from '../installing.mjs'
import { countCargo, runAll } from '../runners.mjs'

// A nightly that has Miri stays as it is.
if (spawnSync('cargo', ['+nightly', 'miri', '--version']).status !== 0) {
  const components = ['miri', 'rust-src'].flatMap(name => ['--component', name])
  run('rustup', ['toolchain', 'install', 'nightly', '--profile', 'minimal', ...components])
}
await runAll([
  {
    name: 'codec, big-endian',
    command: [
      ...['cargo', '+nightly', 'miri', 'test', '-p', 'carom', '--test', 'frame', '--target', 's390x-unknown-linux-gnu'],
      ...['--', '--skip', 'connection::'],
    ],
    env: {
      // Proptest asks for the time and the working directory.
      MIRIFLAGS: '-Zmiri-strict-provenance -Zmiri-disable-isolation',
      // An interpreter is some hundred times slower than a processor; the properties have their thousands elsewhere.
      PROPTEST_CASES: '4',
    },
    count: countCargo,
  },
])
