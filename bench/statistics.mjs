/** What is said of the figures of several rounds: medians and spread, since one disturbed round must not count. */

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** `mad`: the median of the distances from the median. */
export function summarize(figures) {
  const middle = median(figures)
  return {
    median: middle,
    min: Math.min(...figures),
    max: Math.max(...figures),
    mad: median(figures.map(figure => Math.abs(figure - middle))),
  }
}

/** The median of the ratios round by round: what disturbs a round disturbs both, and cancels out. */
export function ratio(figures, baseline) {
  return median(figures.map((figure, round) => figure / baseline[round]))
}

/** The median of how much the figures are above the baseline's, round by round. */
export function difference(figures, baseline) {
  return median(figures.map((figure, round) => figure - baseline[round]))
}
