/**
 * What carom must reach: a figure of one entry (a peer, with its variant) in one work, against that of another entry in
 * the same run or against a plain number in the work's unit. Of several that are wanted, one is enough.
 */
import { difference, median, ratio } from './statistics.mjs'

const atMost = (limit, against) => ({ words: 'at most', limit, against, isMet: reached => reached <= limit })
const atLeast = (limit, against) => ({ words: 'at least', limit, against, isMet: reached => reached >= limit })
/** So much above the other's figure, in the work's unit. */
const atMostMore = (limit, against) => ({ ...atMost(limit, against), isDifference: true })

const targets = [
  { work: 'roundtrip-64B', peer: 'carom', wanted: [atMost(1.7, 'limit')] },
  { work: 'roundtrip-64B', peer: 'carom', wanted: [atMost(0.85, 'net')] },
  { work: 'roundtrip-64B', peer: 'carom-sync', wanted: [atMost(1.3, 'limit')] },
  // Its bounded spin against a limit that does not spin.
  { work: 'roundtrip-64B-free', peer: 'carom-sync', wanted: [atMost(0.4, 'limit')] },
  { work: 'roundtrip-object', peer: 'carom', wanted: [atMost(0.7, 'net')] },
  { work: 'roundtrip-64B', peer: 'carom-python', wanted: [atMost(1, 'python')] },
  { work: 'roundtrip-64B', peer: 'carom-sync-python', wanted: [atMost(1, 'python')] },
  { work: 'roundtrip-object', peer: 'carom-python', wanted: [atMost(1, 'python')] },
  { work: 'roundtrip-object', peer: 'carom-sync-python', wanted: [atMost(1, 'python')] },
  { work: 'oneway-object', peer: 'carom-python', wanted: [atLeast(1.5, 'python')] },
  { work: 'oneway-64B', peer: 'carom', wanted: [atLeast(1.3, 'net-batched')] },
  // The limit does a system call for each message.
  { work: 'oneway-64B', peer: 'carom', wanted: [atLeast(6, 'limit')] },
  { work: 'oneway-1KiB', peer: 'carom', wanted: [atLeast(1.6, 'net-batched')] },
  { work: 'oneway-object', peer: 'carom', wanted: [atLeast(3, 'net-batched')] },
  { work: 'oneway-object', peer: 'carom', wanted: [atLeast(15, 'child-process')] },
  { work: 'oneway-1MiB', peer: 'carom', wanted: [atLeast(0.65, 'limit')] },
  { work: 'oneway-64MiB', peer: 'carom', wanted: [atLeast(0.65, 'limit')] },
  { work: 'oneway-1MiB-into', peer: 'carom', wanted: [atLeast(0.9, 'limit')] },
  { work: 'oneway-64MiB-into', peer: 'carom', wanted: [atLeast(0.9, 'limit')] },
  { work: 'fan-in-wait', peer: 'carom 64', wanted: [atLeast(1.2, 'net-batched 64')] },
  { work: 'fan-in-wait', peer: 'carom 1000', wanted: [atLeast(2, 'net-batched 1000')] },
  { work: 'fan-in-recv', peer: 'carom 64', wanted: [atLeast(1.2, 'net-batched 64')] },
  { work: 'fan-in-recv', peer: 'carom 1000', wanted: [atLeast(2, 'net-batched 1000')] },
  { work: 'memory-64MiB', peer: 'carom', wanted: [atMost(64 + 16)] },
  { work: 'memory-64MiB-into', peer: 'carom', wanted: [atMost(64 + 16)] },
  { work: 'child-start', peer: 'carom', wanted: [atMostMore(5, 'child-process')] },
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
      .map(({ words, limit, against, isDifference, isMet }) => {
        const { figures } = peers[peer]
        const others = peers[against]?.figures
        if (isDifference) {
          const reached = difference(figures, others)
          return { wanted: `${words} ${limit} ${unit} above ${against}`, reached, met: isMet(reached) }
        }
        const reached = others ? ratio(figures, others) : median(figures)
        return { wanted: `${words} ${limit} ${others ? `× ${against}` : unit}`, reached, met: isMet(reached) }
      })
    return checks.length > 0 ? [{ work, peer, checks, met: checks.some(({ met }) => met) }] : []
  })
}
