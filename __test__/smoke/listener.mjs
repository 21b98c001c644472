import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { Client, ClientSync, Listener } from 'carom'
import { test } from './smoke.mjs'

const authkey = Buffer.from('a key for the smoke suite')

const places = {
  'the default family': undefined,
  TCP: { host: '127.0.0.1', port: 0 },
}

for (const [where, address] of Object.entries(places)) {
  test(`a listener and its clients meet on ${where}, with a key`, async () => {
    const listener = new Listener(address, { authkey })
    for (let round = 0; round < 3; round++) {
      const [client, accepted] = await Promise.all([Client(listener.address, { authkey }), listener.accept()])
      await client.send({ hello: 'listener' })
      assert.deepEqual(await accepted.recv(), { hello: 'listener' })
      accepted.sendSync(Buffer.alloc(100_000).toString())
      assert.equal((await client.recv()).length, 100_000)
      await Promise.all([client.close(), accepted.close()])
    }
    await listener.close()
  })

  test(`a client with another key is refused on ${where}, and the next one is not`, async () => {
    const failures = []
    const listener = new Listener(address, { authkey, onAuthenticationFailed: error => failures.push(error.code) })
    const refused = Client(listener.address, { authkey: 'another' })
    const accepting = listener.accept()
    await assert.rejects(refused, { code: 'ERR_CAROM_AUTH' })
    const client = await Client(listener.address, { authkey })
    await (await accepting).send('welcome')
    assert.equal(client.recvSync(), 'welcome')
    assert.deepEqual(failures, ['ERR_CAROM_AUTH'])
    client.closeSync()
    await listener.close()
  })
}

test('the socket file goes with the listener', async () => {
  const listener = new Listener()
  assert.ok(existsSync(listener.address))
  await listener.close()
  assert.ok(!existsSync(listener.address))
  await assert.rejects(Client(listener.address), { code: 'ENOENT' })
})

test('blocking clients, and a blocking accept', async () => {
  const listener = new Listener()
  const clients = [1, 2, 3].map(() => ClientSync(listener.address))
  const accepted = clients.map(() => listener.acceptSync())
  clients.forEach((client, index) => {
    client.sendSync(index)
    assert.equal(accepted[index].recvSync(), index)
  })
  assert.throws(() => listener.acceptSync({ timeout: 20 }), { code: 'ERR_CAROM_TIMEOUT' })
  for (const conn of [...clients, ...accepted]) conn.closeSync()
  listener.closeSync()
})
