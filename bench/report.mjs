/** A run in plain data, as `--json` writes it and `table.mjs` shows it. */
import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { baselineOf } from './entries.mjs'
import { peers } from './peers/index.mjs'
import { ratio, summarize } from './statistics.mjs'

/** Where the figures come from; without this they say nothing. */
export function describeRun(settings, present) {
  return {
    command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replace(/ --$/, ''),
    date: new Date().toISOString(),
    machine: {
      processor: cpus()[0]?.model ?? process.arch,
      cores: availableParallelism(),
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      system: `${type()} ${release()}`,
    },
    versions: {
      carom: firstLine('git', 'describe', '--always', '--dirty', '--abbrev=10'),
      Node: process.versions.node,
      V8: process.versions.v8,
      Rust: numberIn(firstLine('rustc', '--version')),
      ...Object.fromEntries(present.filter(name => peers[name].version).map(name => [name, peers[name].version()])),
    },
    settings,
    works: {},
  }
}

/** One work's part: `measured` maps each entry to its messages in a round and its nanoseconds per message. */
export function describeWork(work, entries, measured, baselineAsked) {
  const { about, unit, baseline, baselineVariant, pinned = false } = work
  const figures = new Map([...measured].map(([name, { samples }]) => [name, samples.map(unit.of)]))
  const divisors = new Map(entries.map(entry => [entry.name, figures.get(baselineOf(entry, work, baselineAsked))]))
  return {
    about,
    pinned,
    unit: unit.name,
    best: unit.best,
    baseline: [...divisors.values()].some(Boolean) ? (baselineAsked ?? baseline ?? baselineVariant) : undefined,
    peers: Object.fromEntries(
      [...figures].map(([name, own]) => [
        name,
        {
          ...summarize(own),
          ratio: divisors.get(name) && ratio(own, divisors.get(name)),
          messages: measured.get(name).messages,
          figures: own,
        },
      ]),
    ),
  }
}

/** What a program says of itself; `undefined` when it is not there. */
function firstLine(program, ...args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n', 1)[0]
  } catch {
    return undefined
  }
}

function numberIn(line) {
  return line?.match(/\d[\w.-]*/)?.[0]
}
