import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseTriple } from '@napi-rs/cli'
import test from 'ava'
import { SUPPORTED } from '../lib/platform.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { engines, napi, version } = createRequire(import.meta.url)('../package.json')
const folder = realpathSync.native(mkdtempSync(join(tmpdir(), 'carom-addon-')))

test.after.always(() => rmSync(folder, { recursive: true, force: true }))

/** What loading carom throws, after `before` has run, and with `addon` named by the environment. */
function failure({ before = '', addon }: { before?: string; addon?: string }): { code: string; message: string } {
  const program = `${before}; try { require('carom') } catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }`
  const { NAPI_RS_NATIVE_LIBRARY_PATH: _, ...env } = process.env
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    cwd: root,
    env: addon === undefined ? env : { ...env, NAPI_RS_NATIVE_LIBRARY_PATH: addon },
    encoding: 'utf8',
  })
  return stdout ? JSON.parse(stdout) : { code: 'none', message: stderr }
}

/** As if this were another machine. */
const on = (platform: string, arch: string) =>
  `Object.defineProperties(process, { platform: { value: '${platform}' }, arch: { value: '${arch}' } })`

const onNode = (version: string) => `Object.defineProperty(process.versions, 'node', { value: '${version}' })`

function write(name: string, content: string): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

test('on a platform without an addon it says which ones have one', t => {
  const { code, message } = failure({ before: on('aix', 'ppc64') })
  t.is(code, 'ERR_CAROM_UNSUPPORTED_PLATFORM')
  t.regex(message, /no native addon for aix-ppc64, only for linux-x64-gnu, .*NAPI_RS_NATIVE_LIBRARY_PATH/)
})

test('the platforms that the loader knows are those that the addon is built for', t => {
  const built = napi.targets.map((target: string) => parseTriple(target).platformArchABI)
  t.deepEqual([...SUPPORTED].sort(), built.sort())
})

test('where the package of the platform is missing it names the package and how to get it', t => {
  const { code, message } = failure({ before: on('freebsd', 'x64') })
  t.is(code, 'ERR_CAROM_ADDON_MISSING')
  t.regex(message, /freebsd-x64, .* no package @carom-ipc\/addon-freebsd-x64, .*--omit=optional.*lock file/)
})

test('an addon that the environment names, and that is not there, is named', t => {
  const file = join(folder, 'none.node')
  const { code, message } = failure({ addon: file })
  t.is(code, 'ERR_CAROM_ADDON_MISSING')
  t.true(message.includes(file), message)
})

test('of a damaged addon the file and the reason of the system are told', t => {
  const file = write('damaged.node', 'no library')
  const { code, message } = failure({ addon: file })
  t.is(code, 'ERR_CAROM_ADDON_UNUSABLE')
  t.true(message.startsWith(`carom's native addon cannot be loaded, ${file}: `), message)
})

test('an addon of another version is refused, and both versions are told', t => {
  const older = failure({ addon: write('older.cjs', "exports.VERSION = '0.0.1'") })
  t.is(older.code, 'ERR_CAROM_ADDON_VERSION')
  t.true(
    older.message.startsWith(`This is carom ${version}, and its native addon is of version 0.0.1, `),
    older.message,
  )
  const foreign = failure({ addon: write('foreign.cjs', '') })
  t.regex(foreign.message, /its native addon is of an unknown version/)
})

test('a Node below the engine is told so, the first of the engine is not', t => {
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node)!.map(Number)
  for (const found of [`${major}.${minor - 1}.0`, `${major - 2}.99.0`, '6.0.0']) {
    const { code, message } = failure({ before: onNode(found) })
    t.is(code, 'ERR_CAROM_NODE_TOO_OLD', found)
    t.true(message.startsWith(`carom needs Node.js ${major}.${minor} or later, this is ${found}: `), message)
  }
  for (const found of [`${major}.${minor}.0`, `${major + 1}.0.0`])
    t.is(failure({ before: `${onNode(found)}; ${on('aix', 'ppc64')}` }).code, 'ERR_CAROM_UNSUPPORTED_PLATFORM', found)
})

test('the addon is built with the version of the package', t => {
  const [, built] = /^version = "(.*)"$/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))!
  t.is(built, version)
})
