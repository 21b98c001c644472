/**
 * What carom must reach: a figure of one entry (a peer, with its variant) in one work, against that of another entry in
 * the same run or against a plain number in the work's unit. Of several that are wanted, one is enough.
 */
import { median, ratio } from './statistics.mjs'

const atMost = (limit, against) => ({ words: 'at most', limit, against, isMet: reached => reached <= limit })
const atLeast = (limit, against) => ({ words: 'at least', limit, against, isMet: reached => reached >= limit })

const targets = [
  { work: 'roundtrip-64B', peer: 'carom', wanted: [atMost(1, 'net')] },
  { work: 'roundtrip-64B', peer: 'carom-sync', wanted: [atMost(1.6, 'limit')] },
  { work: 'oneway-64B', peer: 'carom', wanted: [atLeast(2), atLeast(0.6, 'net-batched')] },
  { work: 'oneway-object', peer: 'carom', wanted: [atLeast(1.5, 'net-batched')] },
  { work: 'oneway-object', peer: 'carom', wanted: [atLeast(6, 'child-process')] },
  { work: 'oneway-1MiB', peer: 'carom', wanted: [atLeast(0.6, 'limit')] },
  { work: 'oneway-1MiB-into', peer: 'carom', wanted: [atLeast(0.6, 'limit')] },
  { work: 'wait', peer: 'carom 1000', wanted: [atMost(1.5, 'carom 10')] },
  { work: 'wait', peer: 'carom-sync 1000', wanted: [atMost(1.5, 'carom-sync 10')] },
  { work: 'accept', peer: 'carom 1', wanted: [atLeast(3, 'python 1')] },
  { work: 'accept', peer: 'carom 16', wanted: [atLeast(3, 'python 16')] },
  { work: 'silent', peer: 'carom handshakes', wanted: [atMost(100)] },
  { work: 'silent', peer: 'carom queue', wanted: [atMost(100)] },
  { work: 'silent', peer: 'carom-sync handshakes', wanted: [atMost(100)] },
  { work: 'silent', peer: 'carom-sync queue', wanted: [atMost(100)] },
]

/** The targets of which something was measured; `works` is that of a report (see `report.mjs`). */
export function checkTargets(works) {
  return targets.flatMap(({ work, peer, wanted }) => {
    const { unit, peers = {} } = works[work] ?? {}
    const checks = wanted
      .filter(({ against }) => peers[peer] && (against === undefined || peers[against]))
      .map(({ words, limit, against, isMet }) => {
        const { figures } = peers[peer]
        const reached = against ? ratio(figures, peers[against].figures) : median(figures)
        return { wanted: `${words} ${limit} ${against ? `× ${against}` : unit}`, reached, met: isMet(reached) }
      })
    return checks.length > 0 ? [{ work, peer, checks, met: checks.some(({ met }) => met) }] : []
  })
}
