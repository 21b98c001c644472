/**
 * What the `node:net` peers share: a Unix socket, frames, and msgpackr for objects. They differ in how they write:
 * `makeWriter(socket)` gives a function that takes a payload and says whether there is room for more.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Packr } from 'msgpackr'
import { callbackEnd } from './callback-end.mjs'
import { frameReader } from './frames.mjs'
import { startResponder } from './responder-process.mjs'

export function socketPeer(makeWriter) {
  return {
    async launch({ kind }, args) {
      const directory = await mkdtemp(join(tmpdir(), 'carom-bench-'))
      const path = join(directory, 'socket')
      const server = createServer().listen(path)
      await once(server, 'listening')
      startResponder([...args, path])
      const [socket] = await once(server, 'connection')
      server.close()
      await rm(directory, { recursive: true })
      return socketEnd(socket, kind, makeWriter)
    },
    async attach({ kind }) {
      const socket = connect(process.argv.at(-1))
      await once(socket, 'connect')
      return socketEnd(socket, kind, makeWriter)
    },
  }
}

function socketEnd(socket, kind, makeWriter) {
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

const codecs = {
  bytes: () => ({ encode: message => message, decode: payload => payload }),
  objects: () => {
    const packr = new Packr({ useRecords: false })
    return { encode: message => packr.pack(message), decode: payload => packr.unpack(payload) }
  },
}
