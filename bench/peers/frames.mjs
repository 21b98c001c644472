/**
 * Messages in a byte stream, for the `node:net` peers: a length of four bytes before each. Small ones are handed out as
 * views of the chunk they came in; one that is cut goes into memory of its own length, so that nothing is copied twice.
 */

export const HEADER = 4

/** From here on copying a message costs more than writing it in two pieces. */
export const LARGE = 64 << 10

/** Writes header and message as one `writev`, without a copy. */
export function writeLarge(socket, payload) {
  const header = Buffer.allocUnsafe(HEADER)
  header.writeUInt32LE(payload.length, 0)
  socket.cork()
  socket.write(header)
  const room = socket.write(payload)
  socket.uncork()
  return room
}

/** A function that takes the stream's chunks and calls `onMessage` for each message in them (none is ever empty). */
export function frameReader(onMessage) {
  const header = Buffer.alloc(HEADER)
  let headerFilled = 0
  let body
  let bodyFilled = 0

  function fillBody(chunk, at) {
    const end = Math.min(chunk.length, at + body.length - bodyFilled)
    chunk.copy(body, bodyFilled, at, end)
    bodyFilled += end - at
    if (bodyFilled === body.length) {
      const message = body
      body = undefined
      onMessage(message)
    }
    return end
  }

  function startBody(length) {
    body = Buffer.allocUnsafe(length)
    bodyFilled = 0
  }

  function fillHeader(chunk, at) {
    const end = Math.min(chunk.length, at + HEADER - headerFilled)
    chunk.copy(header, headerFilled, at, end)
    headerFilled += end - at
    if (headerFilled === HEADER) {
      headerFilled = 0
      startBody(header.readUInt32LE(0))
    }
    return end
  }

  return chunk => {
    let at = 0
    while (at < chunk.length) {
      if (body !== undefined) {
        at = fillBody(chunk, at)
      } else if (headerFilled > 0 || chunk.length - at < HEADER) {
        at = fillHeader(chunk, at)
      } else {
        const start = at + HEADER
        const end = start + chunk.readUInt32LE(at)
        if (end <= chunk.length) {
          onMessage(chunk.subarray(start, end))
          at = end
        } else {
          startBody(end - start)
          at = start
        }
      }
    }
  }
}
