/**
 * `node:net` over a Unix socket, batched by hand: the frames of a tick are packed one behind the other and leave with
 * one `socket.write` at its end, or as soon as 64 KiB are full. (`Buffer.concat` of the frames, and `cork`, are slower.)
 */
import { HEADER, LARGE, writeLarge } from './frames.mjs'
import { socketPeer } from './socket-peer.mjs'

const ARENA = 64 << 10

export function makeWriter(socket) {
  let arena = Buffer.allocUnsafeSlow(ARENA)
  let written = 0
  let used = 0
  let scheduled = false

  function flush() {
    scheduled = false
    // The socket keeps what it was given until the kernel has it, so the next frames go behind it.
    if (used > written) socket.write(arena.subarray(written, used))
    written = used
  }

  function startArena() {
    flush()
    arena = Buffer.allocUnsafeSlow(ARENA)
    written = used = 0
  }

  return payload => {
    if (payload.length >= LARGE - HEADER) {
      flush()
      return writeLarge(socket, payload)
    }
    if (used + HEADER + payload.length > ARENA) startArena()
    if (!scheduled) {
      scheduled = true
      queueMicrotask(flush)
    }
    arena.writeUInt32LE(payload.length, used)
    arena.set(payload, used + HEADER)
    used += HEADER + payload.length
    return !socket.writableNeedDrain
  }
}

export const { launch, attach } = socketPeer(makeWriter)
