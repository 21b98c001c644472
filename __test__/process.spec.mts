import { constants } from 'node:os'
import { sep } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { isMainProcess, Process } from 'carom'
import { busy, outOfRange, wrongType, wrongValue } from './helpers/expectations.mjs'
import { openPipe } from './helpers/pipes.mjs'
import { onLinux, onWindows, testIf, testOnUnix } from './helpers/platform.mjs'
import { fixture, outcome, start } from './helpers/processes.mjs'
import { startProgram } from './helpers/programs.mjs'

const module = fixture('process-targets.mjs')
/** These fixtures are JavaScript: without the tests' loader children start faster. */
const execArgv: string[] = []

/** Blocks this thread, and with it the event loop. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

test('a process: before it starts, while it is alive, and afterwards', async t => {
  const child = new Process({ module, target: 'lastFor', args: [50], execArgv })
  t.teardown(() => child.kill())
  t.deepEqual([child.pid, child.alive, child.exitCode, child.signalCode], [undefined, false, undefined, undefined])
  t.is(child.start(), child)
  t.is(typeof child.pid, 'number')
  t.deepEqual([child.alive, child.exitCode, child.signalCode], [true, undefined, undefined])
  t.is(await child.join(), 0)
  t.deepEqual([child.alive, child.exitCode, child.signalCode], [false, 0, undefined])
  t.is(await child.join(), 0)
  t.is(child.joinSync(), 0)
})

test("its name is the target's unless it is given one", t => {
  function someFunction() {}
  t.is(new Process({ module, target: 'nothing' }).name, 'nothing')
  t.is(new Process({ module, target: someFunction }).name, 'someFunction')
  t.is(new Process({ module, target: 'nothing', name: 'Nobody' }).name, 'Nobody')
})

test('it starts once', async t => {
  const child = start(t, { module, target: 'nothing', execArgv })
  t.throws(() => child.start(), busy)
  await child.join()
  t.throws(() => child.start(), busy)
})

test('join before start is an error, in both forms', async t => {
  const child = new Process({ module, target: 'nothing', execArgv })
  await t.throwsAsync(child.join(), busy)
  t.throws(() => child.joinSync(), busy)
})

test('terminate, kill, ref, unref and dispose do nothing to what has not started or has ended', async t => {
  const child = new Process({ module, target: 'nothing', execArgv })
  const touch = async () => {
    child.terminate()
    child.kill('SIGKILL')
    t.is(child.ref().unref().ref(), child)
    child[Symbol.dispose]()
    await child[Symbol.asyncDispose]()
  }
  await touch()
  child.start()
  t.is(await child.join(), 0)
  await touch()
  t.is(child.exitCode, 0)
})

test('exit codes: of process.exit, of process.exitCode', async t => {
  t.is(await start(t, { module, target: 'exitWith', args: [7], execArgv }).join(), 7)
  t.is(await start(t, { module, target: 'exitCodeOf', args: [255], execArgv }).join(), 255)
})

testOnUnix('no such signal')('a signal: exitCode is minus its number, signalCode its name', async t => {
  const [ours, theirs] = openPipe(t)
  const child = start(t, { module, target: 'stay', args: [theirs], execArgv })
  await ours.recv()
  child.kill('SIGUSR2')
  t.is(await child.join(), -constants.signals.SIGUSR2)
  t.is(child.signalCode, 'SIGUSR2')
})

testOnUnix('SIGTERM ends every process')('terminate sends SIGTERM, kill SIGKILL', async t => {
  const [ours, theirs] = openPipe(t)
  const child = start(t, { module, target: 'resist', args: [theirs], execArgv })
  await ours.recv()
  child.terminate()
  t.is(await child.join(100), undefined)
  t.true(child.alive)
  child.kill()
  t.is(await child.join(), -9)
  t.is(child.signalCode, 'SIGKILL')
})

test('an unknown signal is an error', t => {
  const child = start(t, { module, target: 'stay', execArgv })
  t.throws(() => child.kill('SIGNAL' as 'SIGINT'), { code: 'ERR_UNKNOWN_SIGNAL' })
})

test('join with a limit resolves to undefined when the time runs out', async t => {
  const child = start(t, { module, target: 'stay', execArgv })
  for (const limit of [0, -1, 30, { timeout: 30 }]) t.is(await child.join(limit), undefined)
  t.true(child.alive)
  for (const limit of [0, -1, 30, { timeout: 30 }]) t.is(child.joinSync(limit), undefined)
  child.kill()
  t.is(await child.join({ timeout: 60_000 }), -9)
})

test('join with a signal rejects with its reason, and the process goes on', async t => {
  const child = start(t, { module, target: 'stay', execArgv })
  const controller = new AbortController()
  const joined = child.join({ signal: controller.signal, timeout: 60_000 })
  const reason = { any: 'reason' }
  controller.abort(reason)
  t.is(await joined.catch(error => error), reason)
  t.is(await child.join({ signal: controller.signal }).catch(error => error), reason)
  t.is(await child.join({ signal: AbortSignal.timeout(10) }).catch(error => error.name), 'TimeoutError')
  t.true(child.alive)
})

test('wrong limits', async t => {
  const child = start(t, { module, target: 'stay', execArgv })
  await t.throwsAsync(child.join(Number.NaN), outOfRange)
  t.throws(() => child.joinSync(Number.NaN), outOfRange)
  await t.throwsAsync(child.join('1' as unknown as number), wrongType)
  await t.throwsAsync(child.join({ signal: {} as AbortSignal }), wrongType)
})

test('joinSync needs no event loop, and join agrees with it', async t => {
  const child = start(t, { module, target: 'exitWith', args: [7], execArgv })
  const joined = child.join()
  t.is(child.joinSync(), 7)
  t.deepEqual([child.alive, child.exitCode], [false, 7])
  t.is(await joined, 7)
  t.is(await child.join(), 7)
})

test('joinSync of a process that a signal ended', t => {
  const child = start(t, { module, target: 'stay', execArgv })
  t.is(child.joinSync(10), undefined)
  child.kill('SIGKILL')
  t.is(child.joinSync(), -9)
  t.is(child.signalCode, 'SIGKILL')
})

test('joinSync after join, where both processes ended before the event loop could tell', async t => {
  const children = [1, 2, 3].map(code => start(t, { module, target: 'exitWith', args: [code], execArgv }))
  block(1500)
  const [first, ...others] = children
  t.is(await first.join(), 1)
  t.deepEqual(
    others.map(child => child.joinSync()),
    [2, 3],
  )
})

test('a function that throws, or whose promise rejects: its stack on stderr, and exit code 1', async t => {
  const now = await outcome(t, { module, target: 'fail', execArgv })
  t.is(now.exitCode, 1)
  t.regex(now.stderr, /Error: a failure\r?\n {4}at .*process-targets\.mjs/)
  const later = await outcome(t, { module, target: 'failLater', execArgv: ['--unhandled-rejections=none'] })
  t.is(later.exitCode, 1)
  const thrown = await outcome(t, { module, target: 'fail', args: ['a string'], execArgv })
  t.is(thrown.exitCode, 1)
  t.regex(thrown.stderr, /a string/)
})

test('what a function throws is an uncaught exception', async t => {
  const [ours, theirs] = openPipe<string>(t)
  const child = start(t, { module, target: 'failLater', args: [theirs], execArgv })
  t.is(await ours.recv(), 'a late failure')
  t.is(await child.join(), 1)
})

test('a promise that nothing can settle any more ends as a top-level await does', async t => {
  t.is(await start(t, { module, target: 'neverSettles', execArgv }).join(), 13)
})

test('streams, where stdio says so', async t => {
  const child = start(t, { module, target: 'shout', execArgv, stdio: 'pipe' })
  child.stdin?.end('hello')
  const { stdout, stderr } = child
  // Both at once: what nobody has begun to read when the process ends, Node drops.
  t.deepEqual(stdout && stderr && (await Promise.all([text(stdout), text(stderr)])), ['HELLO', 'listening'])
  t.is(await child.join(), 0)
})

test('stdio by descriptor: what is not given is inherited, or ignored beyond the third', t => {
  const child = new Process({
    module,
    target: 'stay',
    execArgv,
    stdio: ['ignore', 'pipe', undefined, undefined, 'pipe'],
  })
  t.teardown(() => child.kill())
  t.deepEqual([child.stdin, child.stdout, child.stderr], [null, null, null])
  child.start()
  t.is(child.stdin, null)
  t.truthy(child.stdout)
  t.is(child.stderr, null)
})

test('more descriptors than three, and connections besides', async t => {
  const [ours, theirs] = openPipe(t)
  const stdio = ['ignore', 'inherit', 'inherit', 'pipe', 'ignore'] as const
  start(t, { module, target: 'report', args: [theirs, 'arrived'], execArgv, stdio: [...stdio] })
  t.deepEqual(await ours.recv(), ['arrived'])
})

test('env, cwd and execArgv', async t => {
  const [ours, theirs] = openPipe<Record<string, unknown>>(t)
  const cwd = new URL('.', module)
  start(t, { module, target: 'identity', args: [theirs], env: { ONLY: 'this' }, cwd, execArgv: ['--no-warnings'] })
  const identity = await ours.recv()
  // Windows adds what programs cannot do without there.
  if (onWindows) t.like(identity.env, { ONLY: 'this', NODE_ENV: undefined })
  else t.deepEqual(identity.env, { ONLY: 'this' })
  t.is(`${identity.cwd}${sep}`, fileURLToPath(cwd))
  t.deepEqual(identity.execArgv, ['--no-warnings'])
  t.deepEqual(identity.argv, [process.execPath, fileURLToPath(module)])
})

test('isMainProcess: false in the child and in its worker threads, not in the processes that it starts otherwise', async t => {
  t.true(isMainProcess)
  const [ours, theirs] = openPipe<Record<string, unknown>>(t)
  start(t, { module, target: 'identity', args: [theirs], execArgv })
  const { isMainProcess: inChild, inWorker, inFork } = await ours.recv()
  t.deepEqual([inChild, inWorker, inFork], [false, false, true])
})

test('wrong options', t => {
  const wrong = (options: object) => () => new Process({ module, target: 'nothing', ...options })
  t.throws(() => new Process(undefined as never), wrongType)
  for (const options of [
    { module: 7 },
    { module: undefined },
    { target: 7 },
    { target: undefined },
    { args: 'x' },
    { args: {} },
    { name: 7 },
    { env: 'x' },
    { cwd: 7 },
    { execArgv: 'x' },
    { execArgv: [7] },
    { stdio: 7 },
    { daemon: 1 },
  ])
    t.throws(wrong(options), wrongType, Object.keys(options)[0])
  t.throws(wrong({ stdio: 'ipc' }), wrongValue)
  t.throws(wrong({ stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }), wrongValue)
  t.throws(wrong({ stdio: 'nonsense' }), wrongValue)
  t.throws(wrong({ stdio: [0, 'nonsense'] }), wrongValue)
})

test('a process that is let go does not keep its parent', async t => {
  const parent = startProgram(t, 'process-unref.mjs')
  const { pid } = await parent.report<{ pid: number }>()
  t.teardown(() => onWindows || process.kill(pid, 'SIGKILL'))
  t.is(await parent.exit, 0)
  // On Windows Node has children end with their parent.
  if (!onWindows) t.true(process.kill(pid, 0))
})

test('a process keeps its parent until it ends', async t => {
  const parent = startProgram(t, 'process-keeps-parent.mjs')
  t.deepEqual(await parent.report(), { exitCode: null })
  t.deepEqual(await parent.report(), { exitCode: 0 })
  t.is(await parent.exit, 0)
})

test('dispose terminates, and the async form waits for the end', async t => {
  const terminated = start(t, { module, target: 'stay', execArgv })
  terminated[Symbol.dispose]()
  t.true(terminated.alive)
  t.is(await terminated.join(), -15)
  const awaited = start(t, { module, target: 'stay', execArgv })
  await awaited[Symbol.asyncDispose]()
  t.is(awaited.signalCode, 'SIGTERM')
})

testIf(onLinux, 'no such signal')('joinSync of a process that a signal without a name ended', t => {
  const child = start(t, { module, target: 'stay', execArgv })
  process.kill(child.pid ?? 0, 40)
  t.is(child.joinSync(), -40)
  t.is(child.signalCode, undefined)
})
