/**
 * What the `node:net` peers share: a Unix socket, frames, and msgpackr for objects. They differ in how they write:
 * `makeWriter(socket)` gives a function that takes a payload and says whether there is room for more.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callbackEnd } from './callback-end.mjs'
import { codecs } from './codecs.mjs'
import { frameReader } from './frames.mjs'
import { startResponder } from './responder-process.mjs'

export function socketPeer(makeWriter) {
  return {
    async launch({ kind }, args) {
      const [socket] = await accept(1, args)
      return socketEnd(socket, kind, makeWriter)
    },
    async attach({ kind }) {
      const socket = connect(process.argv.at(-1))
      await once(socket, 'connect')
      return socketEnd(socket, kind, makeWriter)
    },
  }
}

/** Starts the responder, and gives the sockets that it connects, in that order. */
export async function accept(count, args) {
  const directory = await mkdtemp(join(tmpdir(), 'carom-bench-'))
  const path = join(directory, 'socket')
  const sockets = []
  const server = createServer().listen(path)
  await once(server, 'listening')
  const accepted = new Promise(resolve =>
    server.on('connection', socket => {
      if (sockets.push(socket) === count) resolve()
    }),
  )
  startResponder([...args, path])
  await accepted
  server.close()
  await rm(directory, { recursive: true })
  return sockets
}

export function socketEnd(socket, kind, makeWriter) {
  const write = makeWriter(socket)
  const { encode, decode } = codecs[kind]()
  return callbackEnd({
    send: message => write(encode(message)),
    drained: () => new Promise(resolve => socket.once('drain', resolve)),
    listen: callback =>
      socket.on(
        'data',
        frameReader(payload => callback(decode(payload))),
      ),
    close: async () => socket.end(),
  })
}
