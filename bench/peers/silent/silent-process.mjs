/**
 * The silent clients: `fork` this module with the listener's address. For each message, it closes those that it has,
 * connects as many as the message says, and answers when all are connected.
 */
import { once } from 'node:events'
import { connect } from 'node:net'

const address = process.argv[2]
let silent = []

process.on('message', async count => {
  for (const socket of silent) socket.destroy()
  silent = []
  while (silent.length < count) {
    const socket = connect(address)
    // The listener may drop it, to make room for another.
    socket.on('error', () => {})
    silent.push(socket)
    await once(socket, 'connect')
  }
  process.send(count)
})
