/**
 * The pages for users and contributors. Every `js`, `ts` or `python` block in them is a program that runs, and prints the
 * `text` block that follows it; or it is a file of that program, which says `file=NAME`. One that says `needs=python3`, or
 * names a module of Python, runs where that is there. Every link to a file or a heading leads somewhere.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
// The pages' own way to write paths, which every system takes.
import { dirname, join, normalize } from 'node:path/posix'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { withPythonEnvironment } from '../scripts/python.mjs'
import { testIf } from './helpers/platform.mjs'

type Language = 'js' | 'ts' | 'python'

interface File {
  readonly name: string
  readonly source: string
}

interface Program {
  readonly title: string
  readonly language: Language
  /** The program is the last one. */
  readonly files: readonly File[]
  readonly expected: string | undefined
  /** `python3`, or a module of Python. */
  readonly needs: string | undefined
}

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
/** By their paths from the root. */
const pages = new Map(
  ['.', 'bench', 'crates/carom', 'docs']
    .flatMap(folder => readdirSync(join(root, folder)).map(name => normalize(`${folder}/${name}`)))
    .filter(path => path.endsWith('.md'))
    .map(path => [path, readFileSync(join(root, path), 'utf8')]),
)
const programs = [...pages].flatMap(([path, page]) => programsOf(path, page))
const env = withPythonEnvironment()
const found = new Map<string, boolean>()

function programsOf(path: string, page: string): Program[] {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)]
  const blocks = page.matchAll(
    /^```(?<language>js|ts|python)(?: needs=(?<needs>\S+)| file=(?<file>\S+))?\n(?<source>.*?)^```$(?:\n\n```text\n(?<expected>.*?)^```$)?/gms,
  )
  const programs: Program[] = []
  let files: File[] = []
  for (const { index, groups } of blocks) {
    const { language, needs, file, source = '', expected } = groups as Record<string, string | undefined>
    files.push({ name: file ?? `program.${language === 'python' ? 'py' : `m${language}`}`, source })
    if (file !== undefined) continue
    const line = page.slice(0, index).split('\n').length
    const heading = headings.findLast(each => each.index < index)?.[1]
    programs.push({
      title: `${path}, line ${line}, '${heading}'`,
      language: language as Language,
      files,
      expected,
      needs: needs ?? (language === 'python' ? 'python3' : undefined),
    })
    files = []
  }
  return programs
}

/** Whether there is a `python3`, with that module if it is one. */
function isThere(needed: string): boolean {
  const module = needed === 'python3' ? 'multiprocessing.connection' : needed
  const there = found.get(module) ?? spawnSync('python3', ['-c', `import ${module}`], { env }).status === 0
  found.set(module, there)
  return there
}

/** Inside the package, where its own name can be imported, and not where git or npm would see it. */
function temporaryFolder(t: ExecutionContext): string {
  mkdirSync(join(root, 'target'), { recursive: true })
  const folder = mkdtempSync(join(root, 'target', 'pages-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

for (const { title, language, files, expected, needs } of programs) {
  const possible = needs === undefined || isThere(needs)
  testIf(possible, `there is no ${needs}`)(`the program prints what the page says: ${title}`, t => {
    const folder = temporaryFolder(t)
    for (const { name, source } of files) writeFileSync(join(folder, name), source)
    const program = files.at(-1)?.name as string
    const command = language === 'python' ? 'python3' : process.execPath
    const args = language === 'ts' ? ['--import=tsx', program] : [program]
    const { stdout, stderr, status } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env, timeout: 60_000 })
    t.is(stderr, '')
    t.is(stdout, expected ?? '')
    t.is(status, 0)
  })
}

test('the programs in TypeScript compile', t => {
  const folder = temporaryFolder(t)
  const typed = programs.filter(({ language }) => language === 'ts')
  typed.forEach(({ files }, index) => {
    writeFileSync(join(folder, `program-${index}.mts`), files.at(-1)?.source as string)
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
  const blocks = [...pages.values()].flatMap(page => page.match(/^```(?:[jt]s|python)\b/gm) ?? [])
  t.is(programs.flatMap(({ files }) => files).length, blocks.length)
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
