import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { Process } from 'carom'
import { openPipe } from './helpers/pipes.mjs'
import { onWindows, testOnUnix } from './helpers/platform.mjs'
import { fixture, outcome, start } from './helpers/processes.mjs'
import { startProgram } from './helpers/programs.mjs'

const module = fixture('process-targets.mjs')
const execArgv: string[] = []

for (const [what, cwd, code] of [
  ['that is not there', fixture('nowhere'), 'ENOENT'],
  ['that is a file', fixture('process-targets.mjs'), 'ENOTDIR'],
] as const) {
  test(`a working directory ${what}: the system's error, and nothing has moved`, t => {
    const [ours, theirs] = openPipe<string>(t)
    const child = new Process({ module, target: 'nothing', args: [theirs], cwd, execArgv })
    const error = t.throws(() => child.start()) as NodeJS.ErrnoException
    t.is(error.code, code)
    t.is(typeof error.errno, 'number')
    t.true(error.path?.startsWith(fileURLToPath(cwd)))
    t.deepEqual([child.pid, child.alive], [undefined, false])
    theirs.sendSync('still there')
    t.is(ours.recvSync(), 'still there')
  })
}

test("a program that cannot be started: the system's error from start, and nothing has moved", async t => {
  const program = startProgram(t, 'process-cannot-start.mjs')
  t.deepEqual(await program.report(), {
    code: 'ENOENT',
    syscall: 'spawn',
    path: '/nowhere/node',
    pid: null,
    message: 'still there',
  })
  t.is(await program.exit, 0)
})

testOnUnix('no limit')(
  'no descriptor left: EMFILE from start until there are enough, and nothing has moved or leaked',
  async t => {
    const program = startProgram(t, 'process-no-descriptors.mjs')
    const { codes, leaked, message, exitCode } = await program.report<Record<string, unknown>>()
    t.deepEqual(codes, ['EMFILE'])
    t.is(leaked, 0)
    t.is(message, 'still there')
    t.is(exitCode, 0)
  },
)

test("execArgv is the parent's, without what runs, watches, tests or debugs it", async t => {
  const inherited = ['--no-warnings', '--conditions', 'some-condition', '--max-http-header-size=20000']
  const file = JSON.stringify(fixture('process-targets.mjs').href)
  const code = `
    import { Pipe, Process } from 'carom'
    const [ours, theirs] = Pipe()
    new Process({ module: ${file}, target: 'identity', args: [theirs] }).start()
    const { execArgv } = await ours.recv()
    console.log(JSON.stringify(execArgv))`
  for (const [...dropped] of [
    ['--input-type', 'module', '-e', code],
    ['--input-type=module', '--inspect-port', '0', '--eval', code],
    ['--input-type=module', '--test-name-pattern', 'x', '--test-only', `--eval=${code}`],
    ['--inspect=127.0.0.1:0', '--input-type=module', '--eval', code],
  ]) {
    const [first, ...others] = inherited
    const program = startProgram(t, '', { execArgv: [first, ...dropped.slice(0, -2), ...others, ...dropped.slice(-2)] })
    t.deepEqual(await program.report(), inherited, dropped[0])
  }
})

test('execArgv that is given is taken as it is', async t => {
  const { stdout } = await outcome(t, {
    module,
    target: 'printExecArgv',
    execArgv: ['--no-warnings', '--inspect-port=0'],
  })
  t.deepEqual(JSON.parse(stdout), ['--no-warnings', '--inspect-port=0'])
})

for (const [how, args] of [
  ['comes to its end', []],
  ['calls process.exit', ['exit']],
  ['fails', ['fail']],
  ['is killed', ['kill']],
] as const) {
  test(`a daemon does not keep its parent, and goes when that ${how}`, async t => {
    const [ours, theirs] = openPipe(t)
    const child = start(t, {
      module: fixture('process-daemon.mjs'),
      target: 'parent',
      args: [theirs, ...args],
      execArgv,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    t.is(await ours.recv(), 'here')
    // The daemon shares the stream, which ends when both are gone.
    t.is(child.stdout && (await text(child.stdout)), '')
    // On Windows only who sends a signal knows of it.
    t.is(await child.join(), { exit: 5, fail: 1, kill: onWindows ? 1 : -9, none: 0 }[args[0] ?? 'none'])
  })
}

test('a daemon that is being joined keeps its parent', async t => {
  const program = startProgram(t, 'process-joins-daemon.mjs')
  t.is(await program.report(), 3)
  t.is(await program.exit, 0)
})

test('many daemons are no leak of listeners', async t => {
  const listeners = process.listenerCount('exit')
  const children = Array.from({ length: 12 }, () => start(t, { module, target: 'nothing', execArgv, daemon: true }))
  await Promise.all(children.map(child => child.join()))
  t.true(process.listenerCount('exit') <= listeners + 2)
})

testOnUnix('children end with their parent')(
  'a parent that ends right after start leaves a child that has everything',
  async t => {
    const program = startProgram(t, 'process-leaves-at-once.mjs')
    t.is(await program.report(), 10 * 1024 * 1024)
  },
)
