import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { openPipe } from './helpers/pipes.mjs'
import { onWindows, testIf } from './helpers/platform.mjs'
import { fixture } from './helpers/processes.mjs'
import { startProgram, startWorker } from './helpers/programs.mjs'

/** Waits for descriptors there are on Unix alone. */
const testWay = (how: string, declare?: typeof test.serial) =>
  testIf(!(onWindows && how.endsWith('descriptor')), 'no waits for descriptors', declare)

/** What a program reports of its wait and then ends by itself, or `undefined` when it stays. */
const lifetimes: Record<string, unknown[] | undefined> = {
  connection: undefined,
  'connection unref': [],
  'connections unref': [],
  'one of two unref': undefined,
  'unref during the wait': [],
  'ref during the wait': undefined,
  'unref and ref before the wait': undefined,
  'unref, then a wait, then ref and a wait': undefined,
  'a time': [0],
  'a time unref': [],
  aborted: ['The operation was aborted due to timeout'],
  ended: [1],
  listener: undefined,
  'listener unref': [],
  'listener unref during the wait': [],
  process: undefined,
  'process unref': [],
  'process unref during the wait': [],
  'process ref during the wait': undefined,
  daemon: undefined,
  descriptor: undefined,
  custom: undefined,
  'custom unref': [],
}
for (const [how, reports] of Object.entries(lifetimes)) {
  testWay(how, test.serial)(
    `${reports === undefined ? 'keeps the process alive' : 'lets the process end'}: ${how}`,
    async t => {
      const program = startProgram(t, 'wait-lifetime.mjs', { args: [how] })
      const seen = new Set<unknown>()
      while (!seen.has('begun')) seen.add(await program.report())
      if (reports === undefined) {
        t.is(await Promise.race([program.exit, delay(250, 'stays')]), 'stays')
        program.child.kill('SIGKILL')
      } else {
        for (const report of reports) if (!seen.has(report)) t.is(await program.report(), report)
        t.is(await Promise.race([program.exit, delay(10_000, 'stays')]), 0)
      }
    },
  )
}

test('what was waited on and dropped is closed by the collector; what is waited on is not', async t => {
  const program = startProgram(t, 'wait-collect.mjs', { execArgv: ['--expose-gc'] })
  const { descriptors, endedAlone, ...rest } = await program.report<{
    descriptors: number
    endedAlone: number
  }>()
  t.deepEqual(rest, { endedBeside: 1, alive: 0, results: [1, 2, 1] })
  // The lists that were waited on last are remembered.
  t.true(endedAlone >= 90, `${endedAlone}`)
  t.true(descriptors <= 20, `${descriptors}`)
  t.is(await program.exit, 0)
})

for (const how of [
  'wait',
  'waitSync',
  'waitSync with a process',
  'a half message',
  'unread messages',
  'unread messages, and no wait',
  'a receive is pending',
  'after the end',
]) {
  test.serial(`a wait sleeps: ${how}`, async t => {
    const program = startProgram(t, 'wait-sleeps.mjs', { args: [how] })
    const { cpu, took, result } = await program.report<{ cpu: number; took: number; result: number }>()
    t.is(result, 0)
    t.true(took >= 590, `${took} ms`)
    t.true(cpu < took / 2, `${cpu} ms of ${took}`)
  })
}

for (const how of [
  'wait on a connection',
  'wait on all kinds',
  'waitSync on a connection',
  'waitSync with a limit',
  'waitSync on a listener',
  'waitSync on a descriptor',
  'waitSync on a process',
  'waitSync on all kinds',
]) {
  testWay(how)(`terminate() ends a worker in ${how}, and its connection with it`, async t => {
    const [conn, end] = openPipe(t)
    const { worker, exit } = await startWorker(t, 'wait-parked.mjs', { end, how })
    await delay(50)
    const begin = performance.now()
    await worker.terminate()
    const took = performance.now() - begin
    t.true(took < 5_000, `terminate() took ${took} ms`)
    t.is(await exit, 1)
    await t.throwsAsync(conn.recv(), { code: 'ERR_CAROM_EOF' })
  })
}

/** Whether this machine lets a program be watched. */
const watched = spawnSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0
for (const form of ['async', 'blocking']) {
  const name = `${form}: a wait over the same thousand connections makes no system call for each`
  if (!watched) {
    test(`${name} (left out: there is no strace)`, t => t.false(watched))
    continue
  }
  test.serial(name, async t => {
    const directory = await mkdtemp(join(tmpdir(), 'carom-strace-'))
    t.teardown(() => rm(directory, { recursive: true, force: true }))
    const trace = join(directory, 'trace')
    const program = fileURLToPath(fixture('wait-thousand.mjs'))
    const child = spawn('strace', ['-f', '-qq', '-o', trace, process.execPath, program, form, '1000'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    let printed = ''
    child.stdout.on('data', chunk => {
      printed += chunk
    })
    t.deepEqual(await once(child, 'close'), [0, null])
    t.deepEqual(JSON.parse(printed), { wrong: 0, together: true })
    const lines = (await readFile(trace, 'utf8')).split('\n')
    const counts: number[] = []
    let counting = false
    for (const line of lines) {
      if (line.includes('"mark begin')) {
        counting = true
        counts.push(0)
      } else if (line.includes('"mark end')) {
        counting = false
      } else if (counting) {
        counts[counts.length - 1]++
      }
    }
    t.is(counts.length, 5)
    // Node's own threads are among them, by far less than one for each connection.
    for (const count of counts) t.true(count < 500, `${counts}`)
  })
}
