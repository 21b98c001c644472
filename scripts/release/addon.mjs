/**
 * `npm run build:addon [TARGET]`: the native addon as it is published, for one of Rust's targets, in `target/addons`.
 * Without a name it is this machine's. What must not be published ends it with the reason.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, rustTargets } from '../installing.mjs'
import { root } from '../setup.mjs'
import { npm } from './npm.mjs'
import { zigEnvironment } from './zig.mjs'

/** Where the addons are put, under the names that the packages have them by. */
export const addons = join(root, 'target/addons')

/** The oldest glibc with which the addon has to load: that of RHEL 7, older than Node's own. */
const GLIBC = '2.17'

/** Without the slash at the end. */
const here = root.replace(/[/\\]$/, '')
const cargoHome = process.env.CARGO_HOME ?? join(homedir(), '.cargo')

/** Builds the addon and checks it; gives its file. */
export function buildAddon(target = host()) {
  const directory = join(addons, target)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  rustTargets(target)
  // Their sources have to be there, so that their folders are known.
  run('cargo', ['fetch', '--quiet', '--locked', '--target', target], { cwd: root })
  const isGnu = target.includes('-linux-gnu')
  // What a machine of its own kind builds needs no other linker.
  const isLinkedByZig = /-linux-|-freebsd$/.test(target)
  npm(
    ['exec', '--', 'napi', 'build', '--platform', '--release', '--manifest-path', 'crates/carom-node/Cargo.toml']
      .concat('--no-js', '--output-dir', directory, '--target', isGnu ? `${target}.${GLIBC}` : target)
      .concat(isLinkedByZig ? '--cross-compile' : []),
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...(isLinkedByZig ? zigEnvironment() : {}), RUSTFLAGS: flags(target).join(' ') },
    },
  )
  const [name] = readdirSync(directory).filter(name => name.endsWith('.node'))
  const file = join(directory, name)
  checkAddon(file)
  return file
}

/** The target that Rust builds for when none is named. */
function host() {
  return /^host: (.*)$/m.exec(run('rustc', ['-vV']))[1]
}

/** The places of sources, which messages of panics have, are told from where they are the same on all machines. */
function flags(target) {
  const registry = join(cargoHome, 'registry/src')
  const sysroot = run('rustc', ['--print', 'sysroot']).trim()
  const remapped = [
    ...readdirSync(registry).map(name => [join(registry, name), 'registry']),
    [join(sysroot, 'lib/rustlib/src/rust'), 'rust'],
    [here, 'carom'],
  ]
  const flags = remapped.map(([from, to]) => `--remap-path-prefix=${from}=${to}`)
  // A Windows without Visual C++ has no DLL of its run-time library; Node has it built in, too.
  return target.endsWith('-msvc') ? [...flags, '-Ctarget-feature=+crt-static'] : flags
}

function checkAddon(file) {
  const content = readFileSync(file)
  const path = machinePath(content)
  if (path) throw new Error(`${file} tells a path of this machine: ${path}`)
  const glibc = newestGlibc(content)
  if (glibc && newer(glibc, GLIBC)) throw new Error(`${file} needs glibc ${glibc}, and is to load with ${GLIBC}`)
  console.log(`${file}: ${content.length} bytes${glibc ? `, glibc ${glibc}` : ''}`)
}

/** A path of the machine that a file was made on, if it has one in it. */
export function machinePath(content) {
  const places = [here, cargoHome, homedir()].flatMap(path => [path, path.replaceAll('\\', '/')])
  return places.find(path => content.includes(path))
}

/** The newest version of glibc by which an addon names what it needs of it. */
export function newestGlibc(content) {
  const versions = [...content.toString('latin1').matchAll(/GLIBC_(\d+\.\d+)/g)].map(match => match[1])
  return versions.reduce((newest, version) => (newest && newer(newest, version) ? newest : version), undefined)
}

function newer(a, b) {
  const [[major, minor], [otherMajor, otherMinor]] = [a, b].map(version => version.split('.').map(Number))
  return major > otherMajor || (major === otherMajor && minor > otherMinor)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildAddon(process.argv[2])
