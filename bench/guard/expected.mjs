/** What the runs are expected to take, and how that compares with what they do. */
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = new URL('expected.json', import.meta.url)

/** `versions`: what it was recorded with; `tolerances`: for each kind of figure; `runs`: the figures of each. */
export function readExpected() {
  return JSON.parse(readFileSync(FILE, 'utf8'))
}

/** Makes `measured` the expectation; the tolerances stay. */
export function record({ tolerances }, { versions, runs }) {
  const rounded = (_, value) => (typeof value === 'number' ? Number(value.toFixed(4)) : value)
  writeFileSync(FILE, `${JSON.stringify({ versions, tolerances, runs }, rounded, 2)}\n`)
}

/** Every figure of every run that is expected or measured, each with its verdict. */
export function judge({ tolerances, runs }, measured) {
  return keysOf(runs, measured.runs).flatMap(run =>
    keysOf(runs[run], measured.runs[run]).map(name => {
      const figures = { expected: runs[run]?.[name], measured: measured.runs[run]?.[name] }
      return { run, name, ...figures, verdict: verdictOf(figures, tolerances[name]) }
    }),
  )
}

/** What is only on one side fails, too: a run must not cease to be guarded unnoticed. */
function verdictOf({ expected, measured }, { relative, absolute }) {
  if (expected === undefined) return 'NOT RECORDED'
  if (measured === undefined) return 'NOT MEASURED'
  const tolerance = Math.max(expected * relative, absolute)
  if (measured > expected + tolerance) return 'OVER'
  return measured < expected - tolerance ? 'better' : 'ok'
}

function keysOf(...objects) {
  return [...new Set(objects.flatMap(object => Object.keys(object ?? {})))]
}
