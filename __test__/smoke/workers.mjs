import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Pipe } from 'carom'
import { test } from './smoke.mjs'

const uninterrupted = 'Deno 2.9 does not end a thread that an addon blocks before the call ends'

/** What the thread does: `echo`, `echoSync`. */
function startThread(end, target) {
  return new Worker(new URL('./thread.mjs', import.meta.url), { workerData: { end: end.detach(), target } })
}

for (const target of ['echo', 'echoSync']) {
  test(`a worker thread answers, and ends with its connection: ${target}`, async () => {
    const [ours, theirs] = Pipe()
    const exited = once(startThread(theirs, target), 'exit')
    for (let i = 0; i < 1_000; i++) {
      await ours.send(i)
      assert.equal(await ours.recv(), i)
    }
    await ours.close()
    assert.deepEqual(await exited, [0])
  })

  test(
    `a worker thread is terminated in ${target}, and its connection ends`,
    async () => {
      const [ours, theirs] = Pipe()
      const worker = startThread(theirs, target)
      await ours.send('hello')
      assert.equal(await ours.recv(), 'hello')
      await worker.terminate()
      await assert.rejects(ours.recv({ timeout: 10_000 }), { code: 'ERR_CAROM_EOF' })
      await ours.close()
    },
    { deno: target === 'echoSync' && uninterrupted },
  )
}
