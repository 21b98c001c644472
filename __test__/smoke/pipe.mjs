import assert from 'node:assert/strict'
import { Pipe, serializers } from 'carom'
import { test } from './smoke.mjs'

const values = [
  null,
  0,
  -1.5,
  2n ** 70n,
  'ä€😀',
  [1, [2]],
  { a: { b: [true, null] } },
  new Map([[1, 'one']]),
  new Date(5),
]

test('objects go both ways', async () => {
  const [a, b] = Pipe()
  for (const value of values) {
    await a.send(value)
    assert.deepEqual(await b.recv(), value)
    b.sendSync(value)
    assert.deepEqual(a.recvSync(), value)
  }
  await Promise.all([a.close(), b.close()])
})

for (const name of ['json', 'v8']) {
  test(`objects are carried by ${name}`, async () => {
    const [a, b] = Pipe({ serializer: serializers[name] })
    await a.send({ list: [1, 'two', { three: 3 }] })
    assert.deepEqual(await b.recv(), { list: [1, 'two', { three: 3 }] })
    await Promise.all([a.close(), b.close()])
  })
}

test('bytes arrive in their own messages, short and long, sent before they are received', async () => {
  const [reader, writer] = Pipe({ duplex: false })
  const messages = [0, 1, 16_000, 70_000, 5 * 2 ** 20].map(length => Buffer.alloc(length, length & 0xff))
  const sent = Promise.all(messages.map(message => writer.sendBytes(message)))
  for (const message of messages) assert.ok((await reader.recvBytes()).equals(message))
  await sent
  const target = Buffer.alloc(8)
  await writer.sendBytes(Buffer.from('abcde'), 1, 3)
  assert.equal(await reader.recvBytesInto(target, 2), 3)
  assert.equal(target.toString('latin1', 2, 5), 'bcd')
  await Promise.all([reader.close(), writer.close()])
})

test('a receive waits for a message that comes later, and for one that does not until its limit', async () => {
  const [a, b] = Pipe()
  setTimeout(() => b.send('later'), 50)
  assert.equal(await a.recv(), 'later')
  await assert.rejects(a.recv({ timeout: 20 }), { code: 'ERR_CAROM_TIMEOUT' })
  assert.throws(() => a.recvSync({ timeout: 20 }), { code: 'ERR_CAROM_TIMEOUT' })
  await assert.rejects(a.recv({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal(await a.poll(), false)
  assert.equal(a.pollSync(), false)
  b.sendSync('now')
  assert.equal(await a.poll(1_000), true)
  assert.equal(a.recvSync(), 'now')
  await Promise.all([a.close(), b.close()])
})

test('a hundred thousand messages arrive in order, and then the end', async () => {
  const count = 100_000
  const [reader, writer] = Pipe({ duplex: false })
  const send = async () => {
    for (let i = 0; i < count; i++) await writer.send(i)
    await writer.close()
  }
  const sending = send()
  let next = 0
  for await (const value of reader) assert.equal(value, next++)
  assert.equal(next, count)
  await sending
  await assert.rejects(reader.recv(), { code: 'ERR_CAROM_EOF' })
  await reader.close()
})

test('what is closed throws, and the peer learns of the end', async () => {
  const [a, b] = Pipe()
  await a.send('last')
  await a.close()
  await assert.rejects(a.send(1), { code: 'ERR_CAROM_CLOSED' })
  assert.equal(await b.recv(), 'last')
  await assert.rejects(b.recv(), { code: 'ERR_CAROM_EOF' })
  assert.throws(() => b.recvSync(), { code: 'ERR_CAROM_EOF' })
  await b.close()
})
