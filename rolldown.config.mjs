/**
 * The JavaScript of `dist`: two programs that share their modules, and what few of them load later. Node takes longer
 * to find and read sixty small files than to run what is in them.
 */
import { defineConfig } from 'rolldown'

export default defineConfig({
  input: { index: 'index.ts', bootstrap: 'lib/process/bootstrap.ts', pickle: 'lib/serializers/pickle/codec.ts' },
  platform: 'node',
  external: [/^node:/, /^#pickle$/, /^msgpackr/],
  output: {
    dir: 'dist',
    cleanDir: true,
    format: 'cjs',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    // One file, whichever of the three share a module.
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
  },
})
