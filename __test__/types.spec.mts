import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const project = fileURLToPath(new URL('types/tsconfig.json', import.meta.url))

test('the types are those of the contract, and programs that use them compile or fail to as they should', t => {
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' })
  t.is(stdout, '')
  t.is(status, 0)
})
