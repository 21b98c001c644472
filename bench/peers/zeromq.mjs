/**
 * zeromq, a pair of PAIR sockets over ipc://. A send must be over before the next begins: it is awaited, and waits for
 * room by itself.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pair } from '../optional/zeromq.mjs'
import { codecs } from './codecs.mjs'
import { startResponder } from './responder-process.mjs'

export async function launch({ kind }, args) {
  const directory = await mkdtemp(join(tmpdir(), 'carom-bench-'))
  const address = `ipc://${join(directory, 'socket')}`
  const socket = new Pair()
  await socket.bind(address)
  startResponder([...args, address])
  const end = pairEnd(socket, kind)
  return {
    ...end,
    async close() {
      await end.close()
      await rm(directory, { recursive: true })
    },
  }
}

export async function attach({ kind }) {
  const socket = new Pair()
  socket.connect(process.argv.at(-1))
  return pairEnd(socket, kind)
}

function pairEnd(socket, kind) {
  const { encode, decode } = codecs[kind]()
  const send = message => socket.send(encode(message))
  const recv = async () => decode((await socket.receive())[0])

  return {
    send,
    recv,
    // What was sent leaves before: a socket lingers.
    close: async () => socket.close(),
    async pingPong(count, message, check) {
      for (let index = 0; index < count; index++) {
        await send(message(index))
        check(index, await recv())
      }
    },
    async echo(count) {
      for (let index = 0; index < count; index++) await send(await recv())
    },
    async sendAll(count, message) {
      for (let index = 0; index < count; index++) await send(message(index))
    },
    async receiveAll(count, check) {
      for (let index = 0; index < count; index++) check(index, await recv())
    },
  }
}
