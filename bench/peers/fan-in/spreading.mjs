/**
 * How every sender of this work goes about it: a burst of as many messages for each connection, in turn over all of
 * them, and then the event loop, so that what is sent together leaves together; after a burst that has filled a
 * connection, when there is room in that.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

const BURST_MIN = 1024
const BURST_EACH = 16

/** `send(position, message)` gives nothing, or when that connection is full a function that awaits room in it. */
export async function spread(count, connections, message, send) {
  const burst = Math.max(BURST_MIN, BURST_EACH * connections)
  for (let index = 0; index < count; ) {
    let room = nextTurn
    for (const end = Math.min(count, index + burst); index < end; index++) {
      room = send(index % connections, message(index)) ?? room
    }
    await room()
  }
}
