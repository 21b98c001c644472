/**
 * `npm run bench:charts -- REPORT DIR`: draws what `--json` has written, an SVG for each group of works. Bars are
 * medians, the line across the end of each goes from the lowest round to the highest. Their colours show on light and on
 * dark, and their text follows the reader's scheme.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npmPackage } from './optional/install.mjs'
import { figure, versionsLine } from './table.mjs'

const WIDTH = 760
const LABELS = 150
const ROW = 20
const PADDING = 12
const LINE = 16
const TITLE = 14
const TEXT = 12
/** What fits into a line of text, with letters of a usual width. */
const COLUMNS = 112
/** Of the width of the bars, what the longest has: the figures stand behind. */
const LONGEST = 0.62
const CAROM = '#2f81f7'
const OTHERS = '#8b949e'

const groups = {
  roundtrip: ['roundtrip-64B', 'roundtrip-object', 'roundtrip-64B-free', 'roundtrip-object-free'],
  oneway: ['oneway-64B', 'oneway-1KiB', 'oneway-object'],
  large: ['oneway-1MiB', 'oneway-1MiB-into', 'oneway-64MiB', 'oneway-64MiB-into'],
  'fan-in': ['fan-in-wait', 'fan-in-recv'],
  wait: ['wait', 'wait-each'],
  beginning: ['accept', 'silent', 'child-start'],
  memory: ['memory-64MiB', 'memory-64MiB-into'],
}

/** Draws the groups of which the report has something. What is missing, if they cannot be drawn; else nothing. */
export async function drawCharts(report, directory) {
  const missing = await npmPackage('@observablehq/plot')
  if (missing) return missing
  const { Plot, document } = await import('./optional/plot.mjs')
  const grouped = Object.values(groups).flat()
  for (const name of Object.keys(report.works)) {
    if (!grouped.includes(name)) throw new Error(`"${name}" is in no group of charts`)
  }
  mkdirSync(directory, { recursive: true })
  for (const [group, names] of Object.entries(groups)) {
    const works = names.filter(name => report.works[name]).map(name => [name, report.works[name]])
    if (works.length === 0) continue
    const parts = works.map(([name, work]) => chart(Plot, document, name, work))
    writeFileSync(
      join(directory, `${group}.svg`),
      stack(works.map(([name]) => name).join(', '), [...parts, caption(report)]),
    )
  }
}

/** A part of a drawing is its markup and its height. */
function chart(Plot, document, name, work) {
  const rows = rowsOf(work)
  const height = rows.length * ROW
  const { about, unit, best } = work
  const head = textLines(about, { y: PADDING + LINE, size: TEXT })
  const top = PADDING + LINE + head.height
  const plot = Plot.plot({
    document,
    width: WIDTH,
    height,
    marginTop: 0,
    marginBottom: 0,
    marginLeft: LABELS,
    marginRight: 0,
    x: { axis: null, domain: [0, Math.max(...rows.map(({ max }) => max)) / LONGEST] },
    y: { label: null, tickSize: 0, domain: rows.map(({ entry }) => entry), padding: 0.2 },
    marks: [
      Plot.barX(rows, { x: 'median', y: 'entry', fill: ({ isCarom }) => (isCarom ? CAROM : OTHERS) }),
      Plot.ruleY(rows, { x1: 'min', x2: 'max', y: 'entry', stroke: 'currentColor', strokeWidth: 1.5 }),
      Plot.text(rows, { x: 'max', y: 'entry', text: 'label', textAnchor: 'start', dx: 6 }),
    ],
  })
  // Its style is for a page of its own.
  plot.querySelector('style').remove()
  return {
    height: top + height + PADDING,
    markup: [
      text(`${name} (${unit}, the ${best} is the best)`, { y: PADDING + LINE / 2, size: TITLE, weight: 600 }),
      head.markup,
      `<g transform="translate(0,${top})" font-size="${TEXT}" text-anchor="middle">${plot.innerHTML}</g>`,
    ].join('\n'),
  }
}

/** The best first; where there are variants, within each. */
function rowsOf({ peers, unit, best, baseline }) {
  const rows = Object.entries(peers).map(([entry, { median, min, max, ratio }]) => {
    const [peer, variant] = entry.split(' ')
    const against = ratio === undefined ? '' : `  (${figure(ratio)} × ${baseline})`
    return {
      entry,
      variant,
      isCarom: peer.startsWith('carom'),
      median,
      min,
      max,
      label: `${figure(median)} ${unit}${against}`,
    }
  })
  const variants = [...new Set(rows.map(({ variant }) => variant))]
  const sign = best === 'lowest' ? 1 : -1
  return rows.sort((a, b) => variants.indexOf(a.variant) - variants.indexOf(b.variant) || sign * (a.median - b.median))
}

function caption({ machine, versions, settings, command, date }) {
  const size = TEXT - 1
  const content = [
    `${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}; ${date.slice(0, 10)}`,
    versionsLine(versions),
    `${command}: medians of ${settings.rounds} interleaved rounds; the lines go from the lowest to the highest`,
  ].join('\n')
  const { markup, height } = textLines(content, { y: PADDING, size })
  return { height: height + 2 * PADDING, markup }
}

function stack(title, parts) {
  let height = 0
  const placed = parts.map(part => {
    const group = `<g transform="translate(0,${height})">\n${part.markup}\n</g>`
    height += part.height
    return group
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" \
font-family="system-ui, sans-serif" fill="currentColor">
<title>${title}</title>
<style>svg { color: #1f2328 } @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }</style>
${placed.join('\n')}
</svg>
`
}

/** Wrapped between words. */
function textLines(content, { y, size }) {
  const lines = content.match(new RegExp(`\\S.{0,${COLUMNS - 2}}(?!\\S)`, 'g'))
  return {
    height: lines.length * LINE,
    markup: lines.map((line, index) => text(line.trimEnd(), { y: y + (index + 0.5) * LINE, size })).join('\n'),
  }
}

function text(content, { y, size, weight = 400 }) {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${PADDING}" y="${y}" dy="0.32em" font-size="${size}" font-weight="${weight}">${escaped}</text>`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, directory] = process.argv.slice(2)
  if (directory === undefined) {
    console.error('npm run bench:charts -- REPORT DIR')
    process.exit(2)
  }
  const missing = await drawCharts(JSON.parse(readFileSync(file, 'utf8')), directory)
  if (missing) {
    console.error(missing)
    process.exitCode = 1
  }
}
