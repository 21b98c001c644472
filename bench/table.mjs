/** The parts of a report as tables in plain text. */

export function runTable({ machine, versions, settings, command }) {
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}`,
    versionsLine(versions),
    `${command}: medians of ${settings.rounds} interleaved rounds of ${settings.roundTime} ms`,
  ].join('\n')
}

/** What has no version here is left out. */
export function versionsLine(versions) {
  return Object.entries(versions)
    .filter(([, version]) => version)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
}

/** `peers`: pairs of name and description. */
export function peerTable(peers) {
  return columns(peers, [1]).join('\n')
}

export function workTable(name, { about, unit, best, baseline, peers }) {
  const rows = Object.entries(peers).map(([peer, { median, min, max, mad, ratio }]) => [
    peer,
    figure(median),
    figure(min),
    figure(max),
    figure(mad),
    ratio === undefined ? '' : figure(ratio),
  ])
  const title = `${name}: ${about} (${unit}, the ${best} is the best)`
  return [title, ...columns([['', 'median', 'min', 'max', '± MAD', baseline ? `× ${baseline}` : ''], ...rows])].join(
    '\n',
  )
}

export function targetTable(targets) {
  const rows = targets.flatMap(({ work, peer, checks, met }) =>
    checks.map(({ wanted, reached }, index) =>
      index === 0
        ? [`${work}, ${peer}`, wanted, figure(reached), met ? 'yes' : 'NO']
        : ['', `or ${wanted}`, figure(reached), ''],
    ),
  )
  return ['Targets', ...columns([['', 'wanted', 'reached', 'met'], ...rows], [1])].join('\n')
}

/** Three digits, and more only before the point. */
export function figure(number) {
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.max(number, 0.01))))
  return number.toFixed(Math.min(decimals, 3))
}

/** Lines in columns: figures to the right, the first column and those in `texts` to the left. */
export function columns(rows, texts = []) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)))
  return rows.map(row =>
    [
      '',
      ...row.map((cell, column) =>
        column === 0 || texts.includes(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      ),
    ]
      .join('  ')
      .trimEnd(),
  )
}
