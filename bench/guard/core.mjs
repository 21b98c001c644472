/** Counts what the runs of the core take (`src/`): callgrind its instructions and system calls, they their allocations. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = join(ROOT, 'target/guard/guard')
/** Where a processor has fast string instructions, glibc uses them, and callgrind counts each byte that they move. */
const ENVIRONMENT = { ...process.env, GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-ERMS' }

/** The figures per message of each run, and what they depend on. */
export function countCore() {
  const valgrind = run('valgrind', ['--version']).trim()
  run('cargo', ['build', '--profile', 'guard', '--package', 'guard', '--target-dir', 'target', '--locked', '--quiet'])
  const rustc = run('rustc', ['--version']).trim()
  const names = run(PROGRAM, []).trim().split('\n')
  const folder = mkdtempSync(join(tmpdir(), 'carom-guard-'))
  try {
    const runs = Object.fromEntries(names.map(name => [`core: ${name}`, count(name, join(folder, name))]))
    return { versions: { architecture: process.arch, rustc, valgrind }, runs }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function count(name, profile) {
  const options = ['--quiet', '--collect-systime=yes', '--compress-strings=no', `--callgrind-out-file=${profile}`]
  const { messages, allocations } = JSON.parse(run('valgrind', ['--tool=callgrind', ...options, PROGRAM, name]))
  const { instructions, systemCalls } = costOfMeasured(readFileSync(profile, 'utf8'))
  return {
    instructions: instructions / messages,
    systemCalls: systemCalls / messages,
    allocations: allocations / messages,
  }
}

/**
 * What the one call of `measured` has cost, with all that it called: a line `cfn=…`, one that counts the calls, and one
 * with the place of the call and the costs, of which zeros at the end are left out.
 */
function costOfMeasured(profile) {
  const [, events] = profile.match(/^events: (.*)$/m) ?? []
  const [, calls, costs] = profile.match(/^cfn=.*guard.*measured.*\ncalls=(\d+) .*\n\S+ (.*)$/m) ?? []
  if (events !== 'Ir sysCount sysTime' || calls !== '1')
    throw new Error('callgrind has not seen one call of `measured`')
  const [instructions, systemCalls = 0] = costs.split(' ').map(Number)
  return { instructions, systemCalls }
}

/** What a program prints. */
function run(program, args) {
  const { error, status, signal, stdout } = spawnSync(program, args, {
    cwd: ROOT,
    env: ENVIRONMENT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (error?.code === 'ENOENT') throw new Error(`${program} was not found: install it (as in \`apt install valgrind\`)`)
  if (error) throw error
  if (status !== 0)
    throw new Error(`\`${[program, ...args].join(' ')}\` has failed (${signal ?? `exit status ${status}`})`)
  return stdout
}
