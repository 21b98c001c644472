/**
 * Running the test runners and adding up what they report, so that each command that tests ends with one line:
 * `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { root } from './setup.mjs'

/** Ava's command line, to be run by the Node that is tested. */
export const ava = join(root, 'node_modules/ava/entrypoints/cli.mjs')

/** Milliseconds without a word after which a runner is interrupted: ava's own limit ends where a test sets one. */
const LONGEST_SILENCE = 5 * 60_000

/**
 * Runs each of `{ name, command, count, env }` in turn, reports the sum, and sets the exit code: 1 when anything failed.
 * `count` is {@link countCargo}, {@link countAva} or {@link countClosingLine}.
 */
export async function runAll(runners) {
  const results = []
  for (const { name, command, env, count } of runners) {
    console.log(`\n── ${name}\n`)
    const { output, status } = await run(command, env)
    results.push({ name, ...judge(count(output), status) })
  }
  report(results)
}

/** Shows the output as it comes, and gives it with the exit status. */
function run([program, ...args], env) {
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const silence = setTimeout(() => child.kill('SIGINT'), LONGEST_SILENCE)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    silence.refresh()
    output += text
    process.stdout.write(text)
  })
  child.stderr.on('data', text => {
    silence.refresh()
    process.stderr.write(text)
  })
  return new Promise(resolve => {
    child.on('close', status => {
      clearTimeout(silence)
      // Node on Windows ends lines with two characters.
      resolve({ output: stripVTControlCharacters(output).replaceAll('\r', ''), status })
    })
  })
}

/** Cargo closes each test program with `test result: ok. 3 passed; 0 failed; 0 ignored; …`. */
export function countCargo(output) {
  const lines = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)]
  const sum = group => lines.reduce((total, line) => total + Number(line[group]), 0)
  return { passed: sum(1), failed: sum(2), skipped: sum(3) }
}

/**
 * Ava closes, below a rule, with lines such as `12 tests passed`, `1 test failed`, `1 uncaught exception`. When some
 * failed it does not say how many passed: then the lines with a tick count.
 */
export function countAva(output) {
  const closing = output.slice(output.lastIndexOf('\n  ─\n'))
  const sum = pattern => [...closing.matchAll(pattern)].reduce((total, line) => total + Number(line[1]), 0)
  return {
    passed: sum(/^ {2}(\d+) tests? passed$/gm) || output.match(/^ {2}[✔√] /gm)?.length || 0,
    failed: sum(
      /^ {2}(\d+) (?:tests? failed|hooks? failed|unhandled rejections?|uncaught exceptions?|tests? remained pending)/gm,
    ),
    skipped: sum(/^ {2}(\d+) tests? (?:skipped|todo)$/gm),
  }
}

/** Our own programs close with the line that this module writes. */
export function countClosingLine(output) {
  const [, passed = 0, failed = 0, skipped = 0] =
    [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1) ?? []
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }
}

/** A runner that failed without naming a test, or that ran none, counts as one failure. */
function judge(counts, status) {
  if (counts.passed + counts.failed === 0) return { ...counts, failed: 1, note: 'ran no test' }
  if (status !== 0 && counts.failed === 0) return { ...counts, failed: 1, note: `exit status ${status}` }
  return counts
}

function report(results) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  console.log('\n── all tests\n')
  for (const { name, note, ...counts } of results) {
    for (const key of Object.keys(total)) total[key] += counts[key]
    console.log(`${name.padEnd(22)}${line(counts)}${note ? ` (${note})` : ''}`)
  }
  console.log(`\n${line(total)}`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

function line({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`
}
