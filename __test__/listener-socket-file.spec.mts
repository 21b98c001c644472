import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Client, ClientSync, Listener, type ListenerOptions, Pipe } from 'carom'
import {
  closing,
  connectedTo,
  isThere,
  listen,
  listeningForms,
  socketPath,
  temporaryDirectory,
} from './helpers/listeners.mjs'
import { testIf, testOnUnix } from './helpers/platform.mjs'
import { startProgram } from './helpers/programs.mjs'

const testOfFile = testOnUnix('there are no socket files')
const inUse = { code: 'EADDRINUSE', instanceOf: Error, message: /^EADDRINUSE: .*, listen / }

interface ScenarioOptions {
  options?: ListenerOptions
  stderr?: 'ignore'
}

function startScenario(
  t: ExecutionContext,
  scenario: string,
  path: string | null,
  { options = {}, stderr }: ScenarioOptions = {},
) {
  const args = [scenario, JSON.stringify(path), JSON.stringify(options)]
  return startProgram(t, 'listener-life.mjs', stderr ? { args, stderr } : { args })
}

/** The file of a socket on which nobody listens any more. */
async function makeStale(t: ExecutionContext, path: string): Promise<void> {
  const program = startScenario(t, 'serve', path)
  t.is(await program.report(), path)
  program.child.kill('SIGKILL')
  await program.exit
  t.true(statSync(path).isSocket())
}

for (const form of listeningForms) {
  testOfFile(`${form.name}: the file is there from the constructor to the close`, async t => {
    const path = socketPath(t)
    const listener = listen(t, path)
    t.true(statSync(path).isSocket())
    await form.close(listener)
    t.false(existsSync(path))
    t.deepEqual(readdirSync(dirname(path)), [])
  })
}

const endings: [scenario: string, options?: ScenarioOptions & { exit?: number }][] = [
  ['an idle listener'],
  ['exit'],
  ['exit while accepting'],
  ['throw', { stderr: 'ignore', exit: 1 }],
  ['rejection', { stderr: 'ignore', exit: 1 }],
  ['end of a thread'],
  ['exit of a thread'],
  ['error in a thread'],
  ['termination of a thread'],
  ['termination of a thread that accepts'],
  ['termination of a thread that accepts blocking'],
  ['process.exit with a thread'],
]

for (const [ending, { exit = 0, ...options } = {}] of endings) {
  test(`the file is removed at: ${ending}`, async t => {
    const path = socketPath(t)
    const program = startScenario(t, ending, path, options)
    t.is(await program.report(), path)
    t.is(await program.exit, exit)
    t.false(isThere(path))
  })

  testOfFile(`the private directory of a default address is removed at: ${ending}`, async t => {
    const program = startScenario(t, ending, null, options)
    const path = await program.report<string>()
    t.is(await program.exit, exit)
    t.false(existsSync(path))
    t.false(existsSync(dirname(path)))
  })
}

for (const ending of ['end of a thread', 'termination of a thread']) {
  test(`the file is removed at the ${ending} already, while the process goes on`, async t => {
    const path = socketPath(t)
    const program = startScenario(t, ending, path)
    t.is(await program.report(), path)
    t.is(await program.report(), 'at its end')
    t.is(await program.exit, 0)
    t.false(isThere(path))
  })
}

testOfFile('a relative path is removed even if the working directory has changed', async t => {
  const path = socketPath(t)
  const program = startScenario(t, 'change of directory', relative(process.cwd(), path))
  await program.report()
  t.is(await program.exit, 0)
  t.false(existsSync(path))
})

testOfFile('a file that has taken its place is not removed, and neither is what was renamed', async t => {
  const path = socketPath(t)
  const program = startScenario(t, 'another file in its place', path)
  t.is(await program.report(), path)
  t.is(await program.report(), 'replaced')
  t.is(await program.report(), 'closed')
  t.is(await program.exit, 0)
  t.deepEqual(readdirSync(dirname(path)), [`${basename(path)}.moved`])
})

testOfFile('what stands in its place when it closes stays', async t => {
  for (const [what, make] of Object.entries({
    file: (path: string) => writeFileSync(path, 'contents'),
    directory: (path: string) => mkdirSync(path),
    symlink: (path: string) => symlinkSync('elsewhere', path),
    nothing: () => {},
  })) {
    const path = socketPath(t)
    const listener = listen(t, path)
    unlinkSync(path)
    make(path)
    await listener.close()
    t.is(readdirSync(dirname(path)).length, what === 'nothing' ? 0 : 1, what)
  }
})

testOfFile('a directory that has gone does not keep it from closing', async t => {
  const path = socketPath(t)
  const listener = listen(t, path)
  rmSync(dirname(path), { recursive: true })
  await t.notThrowsAsync(listener.close())
  const fresh = listen(t)
  rmSync(dirname(fresh.address as string), { recursive: true })
  await t.notThrowsAsync(fresh.close())
})

testOfFile('a private directory in which others have put something stays, and closing does not fail', async t => {
  const listener = listen(t)
  const directory = dirname(listener.address as string)
  t.teardown(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'more'), 'theirs')
  await t.notThrowsAsync(listener.close())
  t.deepEqual(readdirSync(directory), ['more'])
})

testOfFile('a process that has a copy of the descriptor does not remove the file at its end', async t => {
  const path = socketPath(t)
  const listener = listen(t, path)
  const child = spawn(process.execPath, ['-e', '0'], { stdio: ['ignore', 'ignore', 'inherit', listener.fd] })
  t.is((await once(child, 'exit'))[0], 0)
  t.true(existsSync(path))
  await connectedTo(t, listener)
})

testOfFile('SIGKILL leaves the file, and replaceStale replaces it', async t => {
  const path = socketPath(t)
  await makeStale(t, path)
  for (const form of listeningForms) await t.throwsAsync(form.connect(path), { code: 'ECONNREFUSED' })
  const error = t.throws(() => new Listener(path), inUse) as NodeJS.ErrnoException
  t.is(error.path, path)
  t.throws(() => new Listener(path, { replaceStale: false }), inUse)
  t.true(existsSync(path))
  const listener = listen(t, path, { replaceStale: true })
  t.is(listener.address, path)
  const [client, accepted] = await connectedTo(t, listener)
  await client.send('anew')
  t.is(await accepted.recv(), 'anew')
  await listener.close()
  t.false(existsSync(path))
})

testOfFile('replaceStale where there is no file', async t => {
  const path = socketPath(t)
  await connectedTo(t, listen(t, path, { replaceStale: true }))
  const fresh = listen(t, undefined, { replaceStale: true, mode: 0o600 })
  await connectedTo(t, fresh)
  t.is(statSync(fresh.address as string).mode & 0o777, 0o600)
})

testOfFile('replaceStale leaves a live one alone: of this process, of another one, with a full backlog', async t => {
  const mine = listen(t, socketPath(t))
  t.throws(() => new Listener(mine.address, { replaceStale: true }), inUse)
  const other = socketPath(t)
  const program = startScenario(t, 'serve', other)
  await program.report()
  t.throws(() => new Listener(other, { replaceStale: true }), inUse)
  const full = listen(t, socketPath(t), { backlog: 0 })
  closing(t, ClientSync(full.address))
  await t.throwsAsync(Client(full.address, { timeout: 20 }), { code: 'ERR_CAROM_TIMEOUT' })
  t.throws(() => new Listener(full.address, { replaceStale: true }), inUse)

  // They go on.
  const client = closing(t, await Client(other))
  await client.send('echo')
  t.is(await client.recv(), 'echo')
  t.is(existsSync(full.address as string), true)
  closing(t, await full.accept())
  await connectedTo(t, full)
})

testOfFile('a look at a live one by replaceStale does not show up as a client with a message', async t => {
  const listener = listen(t, socketPath(t))
  t.throws(() => new Listener(listener.address, { replaceStale: true }), inUse)
  const client = closing(t, await Client(listener.address))
  await client.send('real')
  for (;;) {
    const accepted = closing(t, await listener.accept())
    const received = await accepted.recv().catch((error: unknown) => error)
    if (received === 'real') break
    t.is((received as NodeJS.ErrnoException).code, 'ERR_CAROM_EOF')
  }
  t.pass()
})

testOfFile('replaceStale never replaces anything but a socket', async t => {
  for (const [what, make] of Object.entries({
    file: (path: string) => writeFileSync(path, 'contents'),
    'empty file': (path: string) => writeFileSync(path, ''),
    directory: (path: string) => mkdirSync(path),
    'dangling symlink': (path: string) => symlinkSync('elsewhere', path),
    'symlink to a file': (path: string) => {
      writeFileSync(`${path}.file`, 'contents')
      symlinkSync(`${path}.file`, path)
    },
  })) {
    const path = socketPath(t)
    make(path)
    const before = lstatSync(path)
    t.throws(() => new Listener(path, { replaceStale: true }), inUse, what)
    const after = lstatSync(path)
    t.deepEqual([after.ino, after.mode, after.size], [before.ino, before.mode, before.size], what)
    if (what === 'file') t.is(readFileSync(path, 'utf8'), 'contents')
  }
})

testOfFile('replaceStale leaves a symlink to a stale socket alone', async t => {
  const path = socketPath(t)
  await makeStale(t, path)
  const link = `${path}.link`
  symlinkSync(path, link)
  t.throws(() => new Listener(link, { replaceStale: true }), inUse)
  t.is(readlinkSync(link), path)
  t.true(statSync(path).isSocket())
})

testOfFile('replaceStale in a directory that is not there', t => {
  const path = join(temporaryDirectory(t), 'no such', 'socket')
  const error = t.throws(() => new Listener(path, { replaceStale: true }), { code: 'ENOENT' }) as NodeJS.ErrnoException
  t.deepEqual([error.syscall, error.path], ['listen', path])
})

testOfFile('of processes that replace a stale file at once, one wins, and the others say EADDRINUSE', async t => {
  const path = socketPath(t)
  await makeStale(t, path)
  const programs = Array.from({ length: 3 }, () => {
    const [start, end] = Pipe({ duplex: false })
    // Descriptor 3 of the child is readable as soon as this end sends.
    return { writer: closing(t, end), program: startProgram(t, 'listener-replace.mjs', { end: start, args: [path] }) }
  })
  for (const { program } of programs) t.is(await program.report(), 'ready')
  for (const { writer } of programs) writer.sendSync('go')
  const reports = await Promise.all(programs.map(({ program }) => program.report<string>()))
  t.deepEqual(reports.sort(), ['EADDRINUSE', 'EADDRINUSE', 'won'])
  const client = closing(t, await Client(path))
  t.is(typeof (await client.recv()), 'number')
})

for (const [umask, mode, expected] of [
  ['000', '600', 0o600],
  ['022', '666', 0o666],
  ['077', '777', 0o777],
  ['777', '660', 0o660],
  ['022', '000', 0o000],
  ['022', 'none', 0o755],
  ['077', 'none', 0o700],
] as const) {
  testOfFile(`under the umask ${umask} a mode of ${mode} is what the file has`, async t => {
    const program = startProgram(t, 'listener-mode.mjs', { args: [umask, mode, socketPath(t), '1'] })
    t.deepEqual(await program.report(), [expected, Number.parseInt(umask, 8)])
    t.is(await program.exit, 0)
  })
}

testOfFile('mode is for the file of a default address too', t => {
  for (const mode of [0o600, 0o666]) t.is(statSync(listen(t, undefined, { mode }).address as string).mode & 0o777, mode)
})

const isRoot = process.getuid?.() === 0

testIf(isRoot, 'only root can be another user')(
  'there is no moment at which one whom mode shuts out gets in',
  async t => {
    const directory = temporaryDirectory(t)
    const { chmodSync } = await import('node:fs')
    chmodSync(directory, 0o755)
    const path = join(directory, 'socket')
    // Another user, who tries again and again; every answer but a connection is right. The permissions alone must be
    // right too: whoever they let through may find it listening a moment later.
    const intruder = spawn(
      '/usr/bin/python3',
      [
        '-c',
        `
import os, signal, socket, sys
done = False
def stop(*_):
    global done
    done = True
signal.signal(signal.SIGINT, stop)
print('ready', flush=True)
seen = set()
while not done:
    s = socket.socket(socket.AF_UNIX)
    try:
        if os.stat(sys.argv[1]).st_mode & 0o177:
            seen.add('wide')
        s.connect(sys.argv[1])
        seen.add('in')
    except OSError as error:
        seen.add(error.strerror)
    finally:
        s.close()
print(' and '.join(sorted(seen)), flush=True)
`,
        path,
      ],
      { uid: 65_534, gid: 65_534, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    t.teardown(() => intruder.kill('SIGKILL'))
    let output = ''
    intruder.stdout.setEncoding('utf8').on('data', text => {
      output += text
    })
    await once(intruder.stdout, 'data')
    const rounds = 1_000
    const program = startProgram(t, 'listener-mode.mjs', { args: ['000', '600', path, String(rounds)] })
    for (let i = 0; i < rounds; i++) await program.report()
    t.is(await program.exit, 0)
    intruder.kill('SIGINT')
    await once(intruder, 'close')
    t.is(output, 'ready\nNo such file or directory and Permission denied\n')
  },
)

testOfFile('a hard link to the file does not matter', async t => {
  const path = socketPath(t)
  const listener = listen(t, path)
  linkSync(path, `${path}.other`)
  const client = closing(t, await Client(`${path}.other`))
  const accepted = closing(t, await listener.accept())
  await client.send(1)
  t.is(await accepted.recv(), 1)
  renameSync(path, `${path}.moved`)
  await listener.close()
  t.true(existsSync(`${path}.moved`))
})
