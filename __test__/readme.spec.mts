/**
 * The pages for users and contributors. Every `js` or `ts` block in them is a program that runs, and prints the `text`
 * block that follows it; one that says `needs=python3` runs where that command is there. Every link to a file or a
 * heading leads somewhere.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
// The pages' own way to write paths, which every system takes.
import { dirname, join, normalize } from 'node:path/posix'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'

interface Program {
  readonly title: string
  readonly language: string
  readonly source: string
  readonly expected: string
  /** A command without which it cannot run. */
  readonly command: string | undefined
}

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
/** By their paths from the root. */
const pages = new Map(
  ['.', 'bench', 'crates/carom', 'docs', 'npm']
    .flatMap(folder => readdirSync(join(root, folder)).map(name => normalize(`${folder}/${name}`)))
    .filter(path => path.endsWith('.md'))
    .map(path => [path, readFileSync(join(root, path), 'utf8')]),
)
const programs = [...pages].flatMap(([path, page]) => programsOf(path, page))

function programsOf(path: string, page: string): Program[] {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)]
  const blocks = page.matchAll(
    /^```(?<language>[jt]s)(?: needs=(?<command>\S+))?\n(?<source>.*?)^```\n\n```text\n(?<expected>.*?)^```$/gms,
  )
  return Array.from(blocks, ({ index, groups: { language = '', command, source = '', expected = '' } = {} }) => {
    const line = page.slice(0, index).split('\n').length
    const heading = headings.findLast(each => each.index < index)?.[1]
    return { title: `${path}, line ${line}, '${heading}'`, language, source, expected, command }
  })
}

/** Inside the package, where its own name can be imported, and not where git or npm would see it. */
function temporaryFolder(t: ExecutionContext): string {
  mkdirSync(join(root, 'target'), { recursive: true })
  const folder = mkdtempSync(join(root, 'target', 'pages-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

for (const { title, language, source, expected, command } of programs) {
  test(`the program prints what the page says: ${title}`, t => {
    if (command && spawnSync(command, ['--version']).status !== 0) {
      t.log(`left out: there is no ${command}`)
      t.pass()
      return
    }
    const file = join(temporaryFolder(t), `program.m${language}`)
    writeFileSync(file, source)
    const args = language === 'ts' ? ['--import=tsx', file] : [file]
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
    t.is(stderr, '')
    t.is(stdout, expected)
    t.is(status, 0)
  })
}

test('the programs in TypeScript compile', t => {
  const folder = temporaryFolder(t)
  const typed = programs.filter(({ language }) => language === 'ts')
  typed.forEach(({ source }, index) => {
    writeFileSync(join(folder, `program-${index}.mts`), source)
  })
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { rootDir: '../..', noEmit: true },
      include: ['*.mts'],
    }),
  )
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' })
  t.is(stdout, '')
  t.is(status, 0)
})

test('no program of a page is left untested', t => {
  const blocks = [...pages.values()].flatMap(page => page.match(/^```[jt]s\b/gm) ?? [])
  t.is(programs.length, blocks.length)
})

test('every link to a file or a heading leads somewhere', t => {
  for (const [path, page] of pages) {
    for (const [, link = ''] of withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      const [file = '', heading] = link.split('#')
      const target = file === '' ? path : normalize(join(dirname(path), file))
      t.true(existsSync(join(root, target)), `${path}: ${link}`)
      if (heading !== undefined) t.true(anchorsOf(pages.get(target) ?? '').includes(heading), `${path}: ${link}`)
    }
  }
})

test('every page of docs/ can be reached from the README', t => {
  for (const path of pages.keys())
    if (path.startsWith('docs/')) t.true(pages.get('README.md')?.includes(`](${path}`), path)
})

function withoutCode(page: string): string {
  return page.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '')
}

/** The headings' anchors, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const headings = page.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)
  return Array.from(headings, ([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}
