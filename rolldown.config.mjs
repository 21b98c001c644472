/**
 * The JavaScript of `dist`: two programs that share their modules. Node takes longer to find and read sixty small files
 * than to run what is in them.
 */
import { defineConfig } from 'rolldown'

export default defineConfig({
  input: { index: 'index.ts', bootstrap: 'lib/process/bootstrap.ts' },
  platform: 'node',
  external: [/^node:/, /^msgpackr/],
  output: {
    dir: 'dist',
    cleanDir: true,
    format: 'cjs',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'shared.js',
  },
})
