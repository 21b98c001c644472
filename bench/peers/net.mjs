/** `node:net` over a Unix socket, as most would write it: a frame for each message, and a `socket.write` for each frame. */
import { HEADER, LARGE, writeLarge } from './frames.mjs'
import { socketPeer } from './socket-peer.mjs'

export const { launch, attach } = socketPeer(socket => payload => {
  if (payload.length >= LARGE) return writeLarge(socket, payload)
  const frame = Buffer.allocUnsafe(HEADER + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.set(payload, HEADER)
  return socket.write(frame)
})
