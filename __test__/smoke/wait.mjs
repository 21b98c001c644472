import assert from 'node:assert/strict'
import { Client, Listener, Pipe, wait, waitSync } from 'carom'
import { test } from './smoke.mjs'

test('wait gives the connections that are ready', async () => {
  const pipes = Array.from({ length: 20 }, () => Pipe())
  const ends = pipes.map(([end]) => end)
  assert.deepEqual(await wait(ends, 0), [])
  setTimeout(() => pipes[7][1].send('hello'), 50)
  assert.deepEqual(await wait(ends), [ends[7]])
  pipes[3][1].sendSync('hello')
  assert.deepEqual(new Set(await wait(ends)), new Set([ends[3], ends[7]]))
  assert.deepEqual(new Set(waitSync(ends)), new Set([ends[3], ends[7]]))
  assert.equal(ends[7].recvSync(), 'hello')
  assert.deepEqual(waitSync(ends), [ends[3]])
  for (const end of pipes.flat()) end.closeSync()
  assert.deepEqual(waitSync([]), [])
})

test('wait knows the end of a peer, and a limit', async () => {
  const [a, b] = Pipe()
  assert.deepEqual(await wait([a], 30), [])
  assert.deepEqual(waitSync([a], 30), [])
  await b.close()
  assert.deepEqual(await wait([a]), [a])
  await a.close()
})

test('wait knows a listener to whom somebody comes', async () => {
  const listener = new Listener()
  const connecting = Client(listener.address)
  assert.deepEqual(await wait([listener]), [listener])
  const accepted = await listener.accept()
  const client = await connecting
  await Promise.all([client.close(), accepted.close()])
  await listener.close()
})

test('wait knows a bare descriptor', async () => {
  const [a, b] = Pipe()
  const { fd } = a.detach()
  assert.deepEqual(waitSync([fd], 0), [])
  b.sendSync('hello')
  assert.deepEqual(await wait([fd]), [fd])
  assert.deepEqual(waitSync([fd]), [fd])
  b.closeSync()
})
