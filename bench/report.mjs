/** A run in plain data, as `--json` writes it and `table.mjs` shows it. */
import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { ratio, summarize } from './statistics.mjs'

/** Where the figures come from; without this they say nothing. */
export function describeRun(settings) {
  return {
    command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replace(/ --$/, ''),
    date: new Date().toISOString(),
    machine: {
      processor: cpus()[0]?.model ?? process.arch,
      cores: availableParallelism(),
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      system: `${type()} ${release()}`,
    },
    versions: { node: process.version, v8: process.versions.v8, rust: versionOf('rustc') },
    settings,
    works: {},
  }
}

/** One work's part: `measured` maps each peer to its messages in a round and its nanoseconds per message. */
export function describeWork({ about, unit, baseline, pinned = false }, measured, baselineAsked) {
  const figures = new Map([...measured].map(([name, { samples }]) => [name, samples.map(unit.of)]))
  const named = baselineAsked ?? baseline
  const divisor = figures.get(named)
  return {
    about,
    pinned,
    unit: unit.name,
    best: unit.best,
    baseline: divisor && named,
    peers: Object.fromEntries(
      [...figures].map(([name, own]) => [
        name,
        {
          ...summarize(own),
          ratio: divisor && ratio(own, divisor),
          messages: measured.get(name).messages,
          figures: own,
        },
      ]),
    ),
  }
}

function versionOf(program) {
  try {
    return execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
