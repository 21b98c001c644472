/**
 * What receiving one message costs the receiver in memory: by how many bytes the peak of its resident set is above what
 * it had before. Its own copy of the messages, for comparing, is there from the start. For fresh processes: a second
 * message could use the memory of the first.
 */
import { readFileSync } from 'node:fs'

/** The acknowledgement carries the growth, in units that fit into its 32 bits. */
const KIB = 1024

export async function drive(end, { message, order }, count) {
  await end.sendAll(count, message)
  return order.decode(await end.recv()).count * KIB
}

export function respond(end, messages, count, { check }) {
  return measureGrowth(end, messages, () => end.receiveAll(count, check))
}

/** As `respond`; the buffer is not touched before it is received into, and so counts as the message. */
export function respondInto(end, messages, count, { check }) {
  return measureGrowth(end, messages, () => end.receiveAllInto(Buffer.allocUnsafeSlow(messages.size), count, check))
}

async function measureGrowth(end, { order }, receive) {
  const before = process.memoryUsage.rss()
  await receive()
  const growth = Math.max(0, peak() - before)
  await end.send(order.encode({ count: Math.round(growth / KIB), whole: false }))
}

/** Linux counts in a process's `maxRSS` what its parent had when it was forked; its status file does not. */
function peak() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * KIB
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * KIB
}
