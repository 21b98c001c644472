import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from './smoke.mjs'

const program = new URL('./life-program.mjs', import.meta.url).pathname

const scenarios = {
  'an idle connection and an idle listener do not keep the process alive': ['idle', ''],
  'a receive that waits keeps the process alive': ['receive', 'got later\n'],
  "one of a connection that was unref'd does not": ['unref', ''],
  'an accept that waits keeps the process alive': ['accept', 'got a client\n'],
  'what was sent last is delivered at the end of the process': ['last', 'got 2000000 bytes\n'],
  'and at process.exit()': ['exit', 'got 2000000 bytes\n'],
}

for (const [what, [scenario, printed]] of Object.entries(scenarios)) {
  test(what, async () => {
    const { stdout, status, signal } = spawnSync(process.execPath, [program, scenario], {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    assert.deepEqual({ stdout, end: signal ?? status }, { stdout: printed, end: 0 })
  })
}
