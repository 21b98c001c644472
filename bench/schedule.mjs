/**
 * Measures one work: all its entries are started and warmed up, and then take turns, round after round, each time another
 * one first, so that whatever else the machine does hits all alike. A round takes about the same time with every entry.
 */
import { Session } from './session.mjs'

/** Messages of which every byte is compared before anything is measured. */
const COMPARED = 100

/** Maps the name of each entry to the number of `messages` in a round and the nanoseconds per message of each round. */
export function measure(work, entries, settings) {
  return work.fresh ? measureFresh(entries, settings) : measureInTurn(work, entries, settings)
}

async function measureInTurn({ compared = COMPARED, share = 1 }, entries, settings) {
  const { prefix, rounds } = settings
  const roundTime = settings.roundTime * share
  const warmUpTime = settings.warmUpTime * share
  const sessions = entries.map(({ name, command }) => new Session(name, [...prefix, ...command]))
  try {
    const turns = []
    for (const session of sessions) {
      turns.push({ session, count: await warmUp(session, { compared, warmUpTime, roundTime }), samples: [] })
    }
    for (let round = 0; round < rounds; round++) {
      for (const turn of rotate(turns, round)) {
        turn.samples.push((await turn.session.round(turn.count)) / turn.count)
      }
    }
    await Promise.all(sessions.map(session => session.close()))
    return new Map(turns.map(({ session, count, samples }) => [session.name, { messages: count, samples }]))
  } finally {
    for (const session of sessions) session.kill()
  }
}

/** A process for each round, in which one message is compared and measured at once. */
async function measureFresh(entries, { prefix, rounds }) {
  const turns = entries.map(({ name, command }) => ({ name, command: [...prefix, ...command], samples: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const { name, command, samples } of rotate(turns, round)) {
      const session = new Session(name, command)
      try {
        samples.push(await session.round(1, { whole: true }))
        await session.close()
      } finally {
        session.kill()
      }
    }
  }
  return new Map(turns.map(({ name, samples }) => [name, { messages: 1, samples }]))
}

/** Doubles the round until one takes `warmUpTime`; the number of messages that take `roundTime`. */
async function warmUp(session, { compared, warmUpTime, roundTime }) {
  await session.round(compared, { whole: true })
  for (let count = 1; ; count *= 2) {
    const milliseconds = (await session.round(count)) / 1e6
    if (milliseconds >= warmUpTime) return Math.max(1, Math.round((count * roundTime) / milliseconds))
  }
}

function rotate(list, by) {
  const first = by % list.length
  return [...list.slice(first), ...list.slice(0, first)]
}
