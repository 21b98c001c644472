/** What keeps a process alive, and how it ends: one scenario for each argument. */
import { Listener, Pipe, Process } from 'carom'
import { connectLater, echo, printLength, sendLater } from './targets.mjs'

/** It does not keep this process alive. */
function startUnref(target, ...args) {
  new Process({ module: new URL('./targets.mjs', import.meta.url), target, args }).start().unref()
}

const scenarios = {
  idle() {
    globalThis.kept = [Pipe(), new Listener()]
  },

  async receive() {
    const [ours, theirs] = Pipe()
    startUnref(sendLater, theirs)
    console.log('got', await ours.recv())
  },

  unref() {
    const [ours, theirs] = Pipe()
    startUnref(echo, theirs)
    ours.unref().recv().then(console.log)
  },

  async accept() {
    const listener = new Listener()
    startUnref(connectLater, listener.address)
    await listener.accept()
    console.log('got a client')
  },

  async last() {
    const [ours, theirs] = Pipe()
    startUnref(printLength, theirs)
    await ours.recv()
    ours.sendBytes(Buffer.alloc(2_000_000))
  },

  async exit() {
    await scenarios.last()
    process.exit()
  },
}

// Not awaited: what nothing keeps alive would end as a top-level await that never settles.
scenarios[process.argv[2]]()
