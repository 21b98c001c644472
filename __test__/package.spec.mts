import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import * as imported from 'carom'
import { onWindows, testIf, underWine } from './helpers/platform.mjs'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))

/** The contract's names. */
const names = [
  'AuthenticationError',
  'BufferTooShortError',
  'Client',
  'ClientSync',
  'ClosedError',
  'Connection',
  'EOFError',
  'Listener',
  'MessageTooLongError',
  'Pipe',
  'Process',
  'SerializerError',
  'TimeoutError',
  'WouldBlockError',
  'isMainProcess',
  'serializers',
  'wait',
  'waitSync',
  'waitable',
]

test('import and require give the same objects, under the names of the contract', t => {
  const required: Record<string, unknown> = require('carom')
  t.deepEqual(Object.keys(imported).sort(), names)
  t.deepEqual(Object.keys(required).sort(), names)
  for (const [name, value] of Object.entries(imported)) t.is(required[name], value, name)
})

test('plain Node loads it both ways', t => {
  const programs = {
    module:
      "import { createRequire } from 'node:module'; import { join } from 'node:path'; import { Pipe } from 'carom'; console.log(Pipe === createRequire(join(process.cwd(), 'x'))('carom').Pipe)",
    commonjs: "import('carom').then(({ Pipe }) => console.log(Pipe === require('carom').Pipe))",
  }
  for (const [type, program] of Object.entries(programs)) {
    const output = execFileSync(process.execPath, [`--input-type=${type}`, '-e', program], {
      cwd: root,
      encoding: 'utf8',
    })
    t.is(output, 'true\n', type)
  }
})

test('it keeps no process alive that has only loaded it, and prints nothing', t => {
  const output = execFileSync(process.execPath, ['-e', "require('carom')"], { cwd: root, timeout: 10_000 })
  t.is(output.length, 0)
})

testIf(!underWine, 'no npm')('the archive that npm publishes has what the exports name, and no sources', t => {
  const [{ files }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      shell: onWindows,
    }),
  )
  const paths: string[] = files.map((file: { path: string }) => file.path)
  for (const path of [
    'index.mjs',
    'index.d.mts',
    'dist/index.js',
    'dist/index.d.ts',
    'native/binding.js',
    'README.md',
    'LICENSE',
  ])
    t.true(paths.includes(path), path)
  t.deepEqual(
    paths.filter(path => /^(crates|__test__|bench|examples|scripts|lib)\/|\.rs$|\.node$/.test(path)),
    [],
  )
})
