/**
 * Zig, which links for an old glibc, for musl, and for other systems than this one. It comes, like the part that cargo
 * calls it through, as a package of Python.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { debianPackages, kept, run } from '../installing.mjs'

const PACKAGES = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.0']

/** Installs it, and gives the environment in which `napi build --cross-compile` finds it. */
export function zigEnvironment() {
  const home = join(kept, 'zig')
  const bin = join(home, 'bin')
  const shim = join(bin, 'zig')
  if (!existsSync(shim)) {
    mkdirSync(home, { recursive: true })
    debianPackages('python3-venv')
    run('python3', ['-m', 'venv', home])
    run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...PACKAGES])
    writeFileSync(shim, `#!/bin/sh\nexec '${join(bin, 'python3')}' -m ziglang "$@"\n`)
    chmodSync(shim, 0o755)
  }
  return { PATH: `${bin}${delimiter}${process.env.PATH}` }
}
