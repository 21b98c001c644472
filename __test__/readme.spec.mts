/**
 * Every `js` block of the README is a program that runs, and prints the `text` block that follows it. One that says
 * `needs=python3` runs where that command is there.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = readme.matchAll(
  /^```js(?: needs=(?<command>\S+))?\n(?<program>.*?)^```\n\n```text\n(?<expected>.*?)^```$/gms,
)
const headings = [...readme.matchAll(/^#+ (.*)$/gm)]

let count = 0
for (const { index, groups } of blocks) {
  count++
  const { command, program = '', expected } = groups ?? {}
  if (command && spawnSync(command, ['--version']).status !== 0) continue
  const heading = headings.findLast(line => line.index < index)?.[1]
  test(`the program under '${heading}' prints what the README says`, t => {
    // Inside the package, where its own name can be imported, and not where git or npm would see it.
    mkdirSync(join(root, 'target'), { recursive: true })
    const folder = mkdtempSync(join(root, 'target', 'readme-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'program.mjs')
    writeFileSync(file, program)
    const { stdout, stderr, status } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 })
    t.is(stderr, '')
    t.is(stdout, expected)
    t.is(status, 0)
  })
}

test('no program of the README is left untested', t => {
  t.is(readme.match(/^```js/gm)?.length, count)
})
