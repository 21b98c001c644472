import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { Process } from 'carom'
import { wrongType, wrongValue } from './helpers/expectations.mjs'
import { fixture, outcome } from './helpers/processes.mjs'
import { startProgram } from './helpers/programs.mjs'

const execArgv: string[] = []

/** What the target of that name prints. */
async function printed(t: ExecutionContext, file: string, target: string | (() => unknown)): Promise<string> {
  const { stdout, stderr, exitCode } = await outcome(t, { module: fixture(file), target, execArgv })
  return exitCode === 0 ? stdout.trim() : stderr
}

test('a target is found by the name of its export, which goes before its own', async t => {
  t.is(await printed(t, 'process-exports.mjs', 'plain'), 'plain')
  t.is(await printed(t, 'process-exports.mjs', 'arrow'), 'arrow')
  t.is(await printed(t, 'process-exports.mjs', 'renamed'), 'inner')
  t.is(await printed(t, 'process-exports.mjs', 'default'), 'defaultOne')
  t.is(await printed(t, 'process-exports.mjs', 'disputed'), 'exported as disputed')
})

test('a target is found by its own name, when one exported function has it', async t => {
  t.is(await printed(t, 'process-exports.mjs', function inner() {}), 'inner')
  t.is(await printed(t, 'process-exports.mjs', function defaultOne() {}), 'defaultOne')
})

test('targets of CommonJS modules, as .cjs and as .js', async t => {
  for (const file of ['process-commonjs.cjs', 'process-commonjs/assigned.js', 'process-commonjs/computed.js']) {
    t.is(await printed(t, file, 'work'), `work in ${file.slice(file.lastIndexOf('/') + 1)}`)
  }
  t.is(await printed(t, 'process-commonjs/computed.js', 'work'), 'work in computed.js')
  t.is(await printed(t, 'process-commonjs/only.js', 'only'), 'only')
})

test('an export that is not there: the child says what to do', async t => {
  for (const target of ['missing', 'notAFunction', 'hidden']) {
    const { exitCode, stderr } = await outcome(t, { module: fixture('process-exports.mjs'), target, execArgv })
    t.is(exitCode, 1)
    t.regex(
      stderr,
      new RegExp(`process-exports\\.mjs.*\\(${target}\\): export it, or give the worker a file of its own`),
    )
  }
})

test('a name that several exported functions have: the child says what to do', async t => {
  const { exitCode, stderr } = await outcome(t, { module: fixture('process-exports.mjs'), target: 'twin', execArgv })
  t.is(exitCode, 1)
  t.regex(stderr, /several functions .*\(twin\): give the name of the export/)
})

test('an anonymous target is refused, with the remedy', t => {
  const module = fixture('process-exports.mjs')
  const anonymous = (() => () => {})()
  const error = t.throws(() => new Process({ module, target: anonymous }), wrongValue)
  t.regex(error.message, /name it and export/)
  t.throws(() => new Process({ module, target: '' }), wrongValue)
})

test('a module can be a path, a relative path, a file URL as text or as an object', async t => {
  const url = fixture('process-exports.mjs')
  const path = fileURLToPath(url)
  const relative = path.replace(`${process.cwd()}/`, '')
  for (const module of [url, url.href, path, relative, `${url.href}?query#hash`]) {
    const { stdout } = await outcome(t, { module, target: 'plain', execArgv })
    t.is(stdout.trim(), 'plain', String(module))
  }
})

test('a module that does not exist, or that a child could not import, is refused, with the remedy', t => {
  for (const module of [
    './nowhere.mjs',
    fixture('nowhere.mjs'),
    fixture('.'),
    '[eval1]',
    'carom',
    'data:text/javascript,1',
    'node:fs',
    'https://example.com/x.js',
  ]) {
    const error = t.throws(() => new Process({ module, target: 'run' }), wrongValue, String(module))
    t.regex(error.message, /a file of its own/)
  }
  for (const module of [undefined, null, 7, {}]) {
    t.throws(() => new Process({ module: module as never, target: 'run' }), wrongType)
  }
})

test('code from the command line has no module for a child', async t => {
  for (const [type, module] of [
    ['module', 'import.meta.url'],
    ['commonjs', '__filename'],
  ]) {
    const code = `
      ${type === 'module' ? "import { Process } from 'carom'" : "const { Process } = require('carom')"}
      function work() {}
      try { new Process({ module: ${module}, target: work }) } catch (error) { console.log(JSON.stringify(error.message)) }`
    const program = startProgram(t, '', { execArgv: [`--input-type=${type}`, '-e', code] })
    t.regex(await program.report(), /a file of its own/)
  }
})

test('a module that fails to load gives exit code 1 and its error', async t => {
  const { exitCode, stderr } = await outcome(t, {
    module: fixture('process-fails-to-load.mjs'),
    target: 'run',
    execArgv,
  })
  t.is(exitCode, 1)
  t.regex(stderr, /Error: it does not load/)
})

test('TypeScript modules, with the loader that the parent runs with', async t => {
  for (const file of ['process-typed.mts', 'process-typed.cts', 'process-typed-default.cts', 'process-typed.ts']) {
    const { exitCode, stdout, stderr } = await outcome(t, { module: fixture(file), target: 'work' })
    t.is(exitCode, 0, stderr)
    t.is(stdout.trim(), `work in ${file}`)
  }
  const byOutputName = await outcome(t, { module: fixture('process-typed.mjs'), target: 'work' })
  t.is(byOutputName.stdout.trim(), 'work in process-typed.mts')
})

test("the loader is found from the parent's directory, whatever the child's is", async t => {
  const { stdout } = await outcome(t, { module: fixture('process-typed.mts'), target: 'work', cwd: '/' })
  t.is(stdout.trim(), 'work in process-typed.mts')
})

for (const [title, file] of [
  ['at the top level', 'process-forgotten.mjs'],
  ['in CommonJS', 'process-forgotten.cjs'],
  ['after a top-level await', 'process-forgotten-await.mjs'],
  ['in what the import left running', 'process-forgotten-later.mjs'],
  ['in a worker thread that the import made', 'process-forgotten-worker.mjs'],
] as const) {
  test(`a forgotten guard starts nothing: ${title}`, async t => {
    const { exitCode, stdout, stderr } = await outcome(t, { module: fixture(file), target: 'run', execArgv })
    t.regex(stderr, /ERR_CAROM_BOOTSTRAP/)
    t.regex(stderr, /if \(isMainProcess\)/)
    t.is(stdout.match(/loaded/g)?.length, 1)
    t.is(exitCode, 1)
  })
}

test('a forgotten guard in a preloaded module starts nothing', async t => {
  const preload = ['--import', fixture('process-forgotten.mjs').href]
  const { exitCode, stdout, stderr } = await outcome(t, {
    module: fixture('process-exports.mjs'),
    target: 'plain',
    execArgv: preload,
  })
  t.regex(stderr, /ERR_CAROM_BOOTSTRAP/)
  t.is(stdout.match(/loaded/g)?.length, 1)
  t.not(exitCode, 0)
})

test('the main process of a program without a guard goes on, and so does all else', async t => {
  const program = startProgram(t, 'process-forgotten.mjs', { args: ['main'] })
  t.is(await program.report(), 'loaded')
  t.is(await program.report(), 'loaded')
  t.deepEqual(await program.report(), { exitCode: 1 })
  t.is(await program.exit, 0)
})

test('a child may start processes of its own when its module is loaded', async t => {
  const { exitCode, stdout, stderr } = await outcome(t, {
    module: fixture('process-nested.mjs'),
    target: 'countdown',
    args: [3],
    execArgv,
  })
  t.is(exitCode, 0, stderr)
  t.deepEqual(stdout.trim().split('\n'), ['3', '2', '1', '0'])
})
