/**
 * Measures one work: all its peers are started and warmed up, and then take turns, round after round, each time another
 * one first, so that whatever else the machine does hits all alike. A round takes about the same time with every peer.
 */
import { Session } from './session.mjs'

/** Messages of which every byte is compared before anything is measured. */
const COMPARED = 100

/** Maps the name of each peer to the number of `messages` in a round and the nanoseconds per message of each round. */
export async function measure(workName, work, peers, { prefix, rounds, roundTime, warmUpTime }) {
  const sessions = peers.map(([name, peer]) => new Session(name, [...prefix, ...peer.command(work, workName)]))
  try {
    const turns = []
    for (const session of sessions) {
      turns.push({ session, count: await warmUp(session, warmUpTime, roundTime), samples: [] })
    }
    for (let round = 0; round < rounds; round++) {
      for (const turn of rotate(turns, round)) {
        turn.samples.push((await turn.session.round(turn.count)) / turn.count)
      }
    }
    await Promise.all(sessions.map(session => session.close()))
    return new Map(turns.map(({ session, count, samples }) => [session.peerName, { messages: count, samples }]))
  } finally {
    for (const session of sessions) session.kill()
  }
}

/** Doubles the round until one takes `warmUpTime`; the number of messages that take `roundTime`. */
async function warmUp(session, warmUpTime, roundTime) {
  await session.round(COMPARED, { whole: true })
  for (let count = 1; ; count *= 2) {
    const milliseconds = (await session.round(count)) / 1e6
    if (milliseconds >= warmUpTime) return Math.max(1, Math.round((count * roundTime) / milliseconds))
  }
}

function rotate(list, by) {
  const first = by % list.length
  return [...list.slice(first), ...list.slice(0, first)]
}
