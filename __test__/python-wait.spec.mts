/** Waiting, with real Pythons at the other ends: theirs for ours, and ours for theirs. */
import test from 'ava'
import { Listener, wait, waitSync } from 'carom'
import { everyPython, needsPackages, startPython } from './helpers/pythons.mjs'
import { turn } from './helpers/turns.mjs'

const LONG = 60_000
const authkey = 'the key of both'

needsPackages('billiard')

for (const python of everyPython) {
  test(`${python.name}: it waits for several of our connections, and we for several of its`, async t => {
    await turn(t)
    const listener = new Listener({ authkey, legacyAuth: python.isOld, handshakeTimeout: LONG })
    t.teardown(() => listener.closeSync())
    const setting = { address: listener.address, family: 'AF_UNIX', authkey, times: 3 }
    const program = startPython(t, python, 'wait', setting)
    const conns = [await listener.accept(), await listener.accept(), await listener.accept()]
    t.deepEqual(await program.report(), [])
    const waiting = new Set(conns)
    while (waiting.size > 0) for (const conn of await wait(waiting)) waiting.delete(conn)
    t.deepEqual(
      conns.map(conn => conn.recvBytesSync().toString()),
      ['0', '1', '2'],
    )
    for (const [i, waits] of [
      [2, wait],
      [0, async (...args: Parameters<typeof waitSync>) => waitSync(...args)],
      [1, wait],
    ] as const) {
      t.deepEqual(await wait(conns, 0), [])
      t.deepEqual(waitSync(conns, 0), [])
      conns[i].sendBytesSync(Buffer.from(`for ${i}`))
      t.deepEqual(await program.report(), [i, `for ${i}`])
      t.deepEqual(await waits(conns, LONG), [conns[i]])
      t.is(conns[i].recvBytesSync().toString(), 'thanks')
    }
    for (const conn of conns) conn.closeSync()
    t.is(await program.report(), 'done')
  })
}
