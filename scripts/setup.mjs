/**
 * All the set-up that `npm run demo` and `npm test` share: the dependencies, the native addon, the compiled
 * TypeScript. Plain Node, since it is what installs the rest. A step whose inputs are as they were when it last
 * succeeded is left out.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const steps = [
  {
    name: 'dependencies',
    // Not `npm ci`: it refuses the lock file that npm 11 writes for the optional platform packages of @napi-rs/cli.
    // This takes it, keeps to its versions, and does not write it.
    command: 'npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error',
    inputs: ['package.json', 'package-lock.json'],
    isThere: () => existsSync(join(root, 'node_modules/.package-lock.json')),
  },
  {
    name: 'native addon',
    command: 'npm run --silent build:native',
    inputs: ['package.json', 'Cargo.toml', 'Cargo.lock', 'crates'],
    isThere: () => filesIn('native').some(file => file.endsWith('.node')),
  },
  {
    name: 'TypeScript',
    command: 'npm run --silent build:ts',
    inputs: ['package.json', 'rolldown.config.mjs', 'tsconfig.json', 'index.ts', 'lib'],
    isThere: () => existsSync(join(root, 'dist/index.js')),
  },
]

/** Runs the steps that are needed; leaves the process with a reason when one fails. */
export function setup() {
  requireCargo()
  for (const step of steps) {
    const stamp = join(root, 'node_modules/.cache/carom', step.name.replaceAll(' ', '-'))
    const state = digest(step.inputs)
    if (step.isThere() && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) continue
    console.log(`\nset-up: ${step.name}`)
    rmSync(stamp, { force: true })
    const { status } = spawnSync(step.command, { cwd: root, shell: true, stdio: 'inherit' })
    if (status !== 0) fail(`\`${step.command}\` failed, see above.`)
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, state)
  }
}

function requireCargo() {
  if (spawnSync('cargo', ['--version']).status !== 0)
    fail('cargo was not found: carom is built with Rust, install a stable toolchain with rustup.')
}

function fail(reason) {
  console.error(`set-up: ${reason}`)
  process.exit(1)
}

/** Of the contents, not the times: a fresh checkout and a changed branch have times that say nothing. */
function digest(inputs) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of inputs.flatMap(filesIn)) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** `path` itself when it is a file, all files below it when it is a folder, none when it is not there. */
function filesIn(path) {
  const stats = statSync(join(root, path), { throwIfNoEntry: false })
  if (!stats?.isDirectory()) return stats ? [path] : []
  return readdirSync(join(root, path))
    .sort()
    .flatMap(name => filesIn(`${path}/${name}`))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup()
