import test from 'ava'
import { type Connection, Process, wait, waitSync } from 'carom'
import { busy } from './helpers/expectations.mjs'
import { isPending, openPipe } from './helpers/pipes.mjs'
import { testOnUnix } from './helpers/platform.mjs'
import { fixture, start } from './helpers/processes.mjs'
import { startWorker } from './helpers/programs.mjs'
import { atMost, waitForms } from './helpers/waits.mjs'

const module = fixture('process-targets.mjs')
const execArgv: string[] = []

for (const form of waitForms) {
  test(`${form.name}: a process is ready when it has ended`, async t => {
    const child = start(t, { module, target: 'exitLater', args: [100, 3], execArgv })
    t.deepEqual(await form.wait([child], 0), [])
    t.deepEqual(await form.wait([child]), [child])
    for (let i = 0; i < 3; i++) t.deepEqual(await form.wait([child]), [child])
    t.is(await child.join(), 3)
    t.deepEqual([child.exitCode, child.signalCode, child.alive], [3, undefined, false])
    t.deepEqual(await form.wait([child], 0), [child])
  })

  test(`${form.name}: a process that a signal has ended`, async t => {
    const child = start(t, { module, target: 'neverSettles', execArgv, args: [] })
    const staying = start(t, { module, target: 'stay', execArgv })
    t.deepEqual(await form.wait([child, staying], 10), [])
    staying.kill()
    t.deepEqual(await form.wait([staying]), [staying])
    t.is(await staying.join(), -9)
    t.is(staying.signalCode, 'SIGKILL')
  })

  test(`${form.name}: several processes, some of them for longer, and connections`, async t => {
    const [near, far] = openPipe(t)
    const short = start(t, { module, target: 'exitWith', args: [4], execArgv })
    const long = start(t, { module, target: 'stay', args: [far], execArgv })
    const [, idle] = openPipe(t)
    const all = [idle, long, near, short]
    const seen = new Set<unknown>()
    while (seen.size < 2) for (const object of await form.wait(all, atMost)) seen.add(object)
    t.true(seen.has(short))
    t.true(seen.has(near))
    t.deepEqual(await form.wait(all), [near, short])
    t.is(await near.recv(), 'here')
    t.deepEqual(await form.wait(all), [short])
    const others = [idle, long, near]
    t.deepEqual(await form.wait(others, 10), [])
    long.terminate()
    // Its end of the pipe is closed before it is seen to have ended, or at the same time.
    t.deepEqual(await form.wait([idle, long]), [long])
    t.deepEqual(await form.wait(others), [long, near])
    t.is(await long.join(), -15)
    t.is(await short.join(), 4)
  })

  test(`${form.name}: a process that has ended, and been joined, before`, async t => {
    const child = start(t, { module, target: 'nothing', execArgv })
    t.is(await child.join(), 0)
    t.deepEqual(await form.wait([child]), [child])
    t.deepEqual(await form.wait([child, child], 0), [child, child])
    t.is(child.joinSync(), 0)
  })

  test(`${form.name}: a process that was joined blocking before`, async t => {
    const child = start(t, { module, target: 'exitWith', args: [7], execArgv })
    t.is(child.joinSync(), 7)
    t.deepEqual(await form.wait([child]), [child])
    t.is(await child.join(), 7)
  })

  test(`${form.name}: one that was not started is an error, and can be waited on later`, async t => {
    const child = new Process({ module, target: 'exitWith', args: [2], execArgv })
    const [, idle] = openPipe(t)
    await t.throwsAsync(form.wait([child]), busy)
    await t.throwsAsync(form.wait([idle, child], 0), busy)
    child.start()
    t.teardown(() => child.kill())
    t.deepEqual(await form.wait([idle, child]), [child])
    t.is(await child.join(), 2)
  })

  test(`${form.name}: after it has found the end, the blocking join gives the same code at once`, async t => {
    const child = start(t, { module, target: 'exitWith', args: [5], execArgv })
    t.deepEqual(await form.wait([child]), [child])
    t.is(child.joinSync(0), 5)
  })

  test(`${form.name}: a daemon`, async t => {
    const child = start(t, { module, target: 'exitLater', args: [50, 6], execArgv, daemon: true })
    t.deepEqual(await form.wait([child]), [child])
    t.is(await child.join(), 6)
  })
}

test('waits, joins and blocking waits on one process at once', async t => {
  const child = start(t, { module, target: 'stay', execArgv })
  const [, idle] = openPipe(t)
  const waits = [wait([child]), wait([idle, child]), wait([child], atMost)]
  const join = child.join()
  t.deepEqual(waitSync([child], 5), [])
  t.deepEqual(waitSync([idle, child], 5), [])
  t.true(await isPending(Promise.race(waits)))
  child.kill()
  t.deepEqual(waitSync([idle, child]), [child])
  t.deepEqual(await Promise.all(waits), [[child], [child], [child]])
  t.is(await join, -9)
})

test('the end of many processes at once', async t => {
  const children = Array.from({ length: 6 }, (_, i) =>
    start(t, { module, target: 'exitLater', args: [20 * i, i], execArgv }),
  )
  const running = new Set<Process<never> | Process>(children)
  const codes: (number | undefined)[] = []
  let blocking = false
  while (running.size > 0) {
    blocking = !blocking
    for (const child of blocking ? waitSync(running) : await wait(running)) {
      running.delete(child)
      codes.push(await child.join())
    }
  }
  t.deepEqual(codes.toSorted(), [0, 1, 2, 3, 4, 5])
})

test('a worker waits blocking for the end of its processes, while no event loop turns', async t => {
  const worker = await startWorker(t, 'wait-blocking-process.mjs')
  const { rounds, ...rest } = await worker.report<{ rounds: number }>()
  t.deepEqual(rest, { first: [3], conn: 'here', timedOut: 0, killed: [-15], again: 2 })
  t.true(rounds < 100, `${rounds} rounds`)
  t.is(await worker.exit, 0)
})

testOnUnix('no list of descriptors')(
  'waitSync leaves no descriptors behind, however many processes it has waited for',
  async t => {
    const { openDescriptors } = await import('./helpers/descriptors.mjs')
    const one = async (): Promise<Connection | undefined> => {
      const child = start(t, { module, target: 'nothing', execArgv })
      t.deepEqual(waitSync([child]), [child])
      await child.join()
      waitSync([child], 0)
      return undefined
    }
    await one()
    await new Promise(resolve => setTimeout(resolve, 50))
    const before = openDescriptors()
    for (let i = 0; i < 4; i++) await one()
    await new Promise(resolve => setTimeout(resolve, 50))
    // Other tests open and close some at the same time: this one is in a file of few.
    t.true(openDescriptors() - before < 40)
  },
)
