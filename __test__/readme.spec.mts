/**
 * Every `js` and `python` block of the README and of docs/python.md is a program that runs, and prints the `text` block
 * that follows it; or it is a file of that program, which says `file=NAME`. One that says `needs=python3`, or names a
 * module of Python, runs where that is there.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { withPythonEnvironment } from '../scripts/python.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const env = withPythonEnvironment()
const found = new Map<string, boolean>()

/** Whether there is a `python3`, with that module if it is one. */
function isThere(needed: string): boolean {
  const module = needed === 'python3' ? 'multiprocessing.connection' : needed
  const there = found.get(module) ?? spawnSync('python3', ['-c', `import ${module}`], { env }).status === 0
  found.set(module, there)
  return there
}

for (const document of ['README.md', 'docs/python.md']) {
  const text = readFileSync(join(root, document), 'utf8')
  const headings = [...text.matchAll(/^#+ (.*)$/gm)]
  const blocks = text.matchAll(
    /^```(?<language>js|python)(?: needs=(?<needs>\S+)| file=(?<file>\S+))?\n(?<code>.*?)^```$(?:\n\n```text\n(?<expected>.*?)^```$)?/gms,
  )
  let files: { name: string; code: string }[] = []
  let count = 0
  for (const { index, groups } of blocks) {
    count++
    const {
      language = '',
      needs = language === 'python' ? 'python3' : undefined,
      file,
      code = '',
      expected,
    } = groups ?? {}
    if (file !== undefined) {
      files.push({ name: file, code })
      continue
    }
    const program = language === 'js' ? 'program.mjs' : 'program.py'
    const command = language === 'js' ? process.execPath : 'python3'
    const all = [...files, { name: program, code }]
    files = []
    const heading = headings.findLast(line => line.index < index)?.[1]
    const title = `${document}: the program under '${heading}' (${count}) prints what is said`
    if (needs !== undefined && !isThere(needs)) {
      test(`${title} (left out: there is no ${needs})`, t => t.false(isThere(needs)))
      continue
    }
    test(title, t => {
      // Inside the package, where its own name can be imported, and not where git or npm would see it.
      mkdirSync(join(root, 'target'), { recursive: true })
      const folder = mkdtempSync(join(root, 'target', 'readme-'))
      t.teardown(() => rmSync(folder, { recursive: true }))
      for (const { name, code } of all) writeFileSync(join(folder, name), code)
      const { stdout, stderr, status } = spawnSync(command, [program], {
        cwd: folder,
        encoding: 'utf8',
        env,
        timeout: 60_000,
      })
      t.is(stderr, '')
      t.is(stdout, expected)
      t.is(status, 0)
    })
  }

  test(`${document}: no program is left untested`, t => {
    t.true(count > 0)
    t.is(text.match(/^```(?:js|python)/gm)?.length, count)
    t.deepEqual(files, [])
  })
}
