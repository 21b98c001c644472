/**
 * `npm run build:packages`: the packages as they are published, in `target/packages`: carom's own, and for each platform
 * one with its addon, which has to be in `target/addons`.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../installing.mjs'
import { root } from '../setup.mjs'
import { addons } from './addon.mjs'
import { npm } from './npm.mjs'

const packages = join(root, 'target/packages')
/** What carom's own package has in it. */
const main = join(packages, 'carom')

/**
 * Makes the packages; gives the folder and the archive of each, carom's own last.
 * @param addonFiles Those of the platforms that there are to be packages for.
 */
export function makePackages(addonFiles) {
  rmSync(packages, { recursive: true, force: true })
  mkdirSync(main, { recursive: true })
  // By its name alone: one of the programs of this name takes what is before a colon for a machine's.
  run('tar', ['-xzf', basename(pack(root)), '--strip-components=1', '-C', basename(main)], { cwd: packages })
  // From the targets in package.json, with what each runs on.
  npm(['exec', '--', 'napi', 'create-npm-dirs', '--cwd', main], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  const folders = addonFiles.map(addonPackage)
  const { version } = readManifest(main)
  changeManifest(main, {
    optionalDependencies: Object.fromEntries(folders.map(folder => [readManifest(folder).name, version])),
  })
  rmSync(join(main, 'npm'), { recursive: true })
  return [...folders, main].map(folder => ({ folder, archive: pack(folder) }))
}

/** Completes what napi has made for a platform. */
function addonPackage(file) {
  const platform = basename(file).split('.')[1]
  const folder = join(packages, platform)
  renameSync(join(main, 'npm', platform), folder)
  copyFileSync(file, join(folder, basename(file)))
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const { name, repository } = readManifest(folder)
  const home = repository.url.replace(/^git\+|\.git$/g, '')
  writeFileSync(join(folder, 'README.md'), `# ${name}\n\nThe native addon of [carom](${home}), which installs it.\n`)
  changeManifest(folder, { description: `The native addon of carom for ${platform}`, keywords: undefined })
  return folder
}

/** Every addon that is built; none may be missing where all packages are published. */
function allAddons() {
  const { napi } = readManifest(root)
  return napi.targets.map(target => {
    const folder = join(addons, target)
    const file = existsSync(folder) && readdirSync(folder).find(name => name.endsWith('.node'))
    if (!file) throw new Error(`there is no addon for ${target}: npm run build:addon ${target}`)
    return join(folder, file)
  })
}

function pack(folder) {
  const output = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', packages], { cwd: folder })
  return join(packages, JSON.parse(output)[0].filename)
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

function changeManifest(folder, changes) {
  const manifest = { ...readManifest(folder), ...changes }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const { archive } of makePackages(allAddons())) console.log(archive)
