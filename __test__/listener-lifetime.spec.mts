import test, { type ExecutionContext } from 'ava'
import { type BoundAddress, Client } from 'carom'
import { closing, listen, socketPath } from './helpers/listeners.mjs'
import { startProgram } from './helpers/programs.mjs'

const authkey = 'battery staple'

/** Long enough that a child which nothing keeps alive would have ended. */
const aWhile = () => new Promise(resolve => setTimeout(resolve, 200))

function startScenario(t: ExecutionContext, scenario: string, options: object = {}) {
  return startProgram(t, 'listener-life.mjs', {
    args: [scenario, JSON.stringify(socketPath(t)), JSON.stringify(options)],
  })
}

for (const scenario of [
  'an idle listener',
  'a listener that has accepted',
  'a client that nobody accepts',
  'an accept that timed out',
  'an accept that was aborted',
  'an accept whose listener was closed',
  'a loop that was left',
  'a blocking accept that timed out',
  'an unref before the accept',
  'an unref during the accept',
  'an unref before the loop',
]) {
  test(`after ${scenario} a process ends by itself`, async t => {
    t.is(await startScenario(t, scenario).exit, 0)
  })
}

for (const scenario of ['a listener that has accepted', 'an accept that timed out', 'a loop that was left']) {
  test(`after ${scenario} with a key a process ends by itself`, async t => {
    t.is(await startScenario(t, scenario, { authkey }).exit, 0)
  })
}

for (const [scenario, options] of [
  ['accept', {}],
  ['accept', { authkey }],
  ['accept with a limit', {}],
  ['for await', {}],
  ['for await', { authkey }],
  ['accept after unref and ref', {}],
  ['accept, then unref and ref', {}],
] as const) {
  test(`a pending ${scenario} ${'authkey' in options ? 'with a key ' : ''}keeps the process alive`, async t => {
    const program = startScenario(t, scenario, options)
    const address = await program.report<BoundAddress>()
    t.is(await program.report(), 'waiting')
    await aWhile()
    t.is(program.child.exitCode, null)
    closing(t, await Client(address, options))
    t.is(await program.report(), 'done')
    t.is(await program.exit, 0)
  })
}

for (const options of [{}, { authkey }])
  test(`a client ${'authkey' in options ? 'with a key ' : ''}that tries again keeps the process alive, and then no more`, async t => {
    const program = startScenario(t, 'client that tries again', options)
    const path = await program.report<string>()
    t.is(await program.report(), 'waiting')
    await aWhile()
    t.is(program.child.exitCode, null)
    closing(t, await listen(t, path, options).accept())
    t.is(await program.report(), 'done')
    t.is(await program.exit, 0)
  })
