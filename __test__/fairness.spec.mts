import test from 'ava'
import { type Connection, TimeoutError, wait } from 'carom'
import { openPipe } from './helpers/pipes.mjs'

type Ends = [near: Connection, far: Connection]

const COUNT = 5000

/** Operations that end at once, however often they are done. */
const operations: Record<string, (ends: Ends, index: number) => Promise<unknown>> = {
  async send([near, far]) {
    await near.send('message')
    far.recvSync()
  },
  async sendBytes([near, far]) {
    await near.sendBytes(Buffer.alloc(64))
    far.recvBytesSync()
  },
  async 'recv with a limit'([near, far], index) {
    // All at once, so that they are there when they are received.
    if (index === 0) for (let i = 0; i < COUNT; i++) near.send(i)
    await far.recv({ timeout: 1000 })
  },
  async 'recv that finds nothing'([near]) {
    try {
      await near.recv({ timeout: 0 })
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error
    }
  },
  poll: ([near]) => near.poll(),
  'wait without waiting': ends => wait(ends, 0),
}

for (const [name, operation] of Object.entries(operations)) {
  test(`${name}: a loop of what never has to wait lets the event loop turn`, async t => {
    const ends: Ends = openPipe(t)
    let turns = 0
    let done = false
    const count = () => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    for (let i = 0; i < COUNT; i++) await operation(ends, i)
    done = true
    t.true(turns >= 10, `${turns} turns`)
  })
}
