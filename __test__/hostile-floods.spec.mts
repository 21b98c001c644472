/** Peers in great numbers: a good one gets in in no time, and nothing grows. */
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { type Address, Client } from 'carom'
import {
  acceptForms,
  asyncForms,
  blockingForms,
  challengeIn,
  goAsClient,
  type Host,
  key,
  MARKER,
  marked,
  type RawStream,
  type Seen,
  startHost,
} from './helpers/hostile-peers.mjs'
import { localFamily } from './helpers/listeners.mjs'
import { onWindows } from './helpers/platform.mjs'
import { frame } from './helpers/raw-peer.mjs'

const MANY = 1000
const mebibyte = 1024 * 1024
/** A process for each of them costs enough. */
const familyOf = (i: number) => (i % 2 === 0 ? 'AF_INET' : localFamily)
/** Where many can wait for one who does not accept: of a Windows pipe no more than 16 clients can. */
const roomyFamilyOf = (i: number) => (onWindows ? 'AF_INET' : familyOf(i))

/** So many peers; a full backlog makes some of them wait. */
async function crowd(host: Host, count: number): Promise<RawStream[]> {
  const peers: RawStream[] = []
  while (peers.length < count) {
    const some = await Promise.allSettled(Array.from({ length: Math.min(50, count - peers.length) }, () => host.raw()))
    for (const each of some) if (each.status === 'fulfilled') peers.push(each.value)
  }
  return peers
}

function isSmall(after: Seen, before: Seen): boolean {
  const { rss, arrayBuffers } = after.memory
  return arrayBuffers - before.memory.arrayBuffers < 4 * mebibyte && rss - before.memory.rss < 96 * mebibyte
}

const names = (seen: Seen) => [...new Set(seen.failures.map(({ name }) => name))].sort()

for (const [i, form] of acceptForms.entries()) {
  test(`${form}: a good peer gets in at once while a thousand say nothing`, async t => {
    const host = await startHost(t, form, familyOf(i))
    await host.check(t, 'the first')
    const before = await host.seen()
    const peers = await crowd(host, MANY)
    const began = performance.now()
    const good = await Client(host.address as Address, { authkey: key })
    t.true(performance.now() - began < 2000)
    await good.sendBytes(Buffer.from('good'))
    t.is((await good.recvBytes()).toString(), 'good')
    good.closeSync()

    const during = await host.seenWhen(({ failures }) => failures.length >= MANY - 128)
    t.deepEqual(names(during), ['TimeoutError'])
    t.true(during.failures.length < MANY && during.failures.length >= MANY - 128)
    t.true(during.descriptors <= before.descriptors + 128)
    // The newest ones have their time.
    t.is(peers.filter(({ isOver }) => !isOver).length >= MANY - during.failures.length, true)
    for (const peer of peers) peer.close()
    const after = await host.seenWhen(
      ({ descriptors, failures }) => descriptors <= before.descriptors && failures.length === MANY,
    )
    t.is(after.descriptors, before.descriptors)
    t.is(after.failures.length, MANY)
    t.true(isSmall(after, before))
  })

  test(`${form}: good peers get in while a thousand connect and vanish`, async t => {
    const host = await startHost(t, form, familyOf(i + 1))
    await host.check(t, 'the first')
    const before = await host.seen()
    let isOver = false
    const flood = (async () => {
      for (let round = 0; round < MANY / 50; round++) for (const peer of await crowd(host, 50)) peer.reset()
      isOver = true
    })()
    let count = 0
    while (!isOver) {
      // Even a good one makes room, when too many come between two of its words.
      await host.check(t, 'meanwhile').then(
        () => count++,
        error => t.true(['ERR_CAROM_EOF', 'EPIPE', 'ECONNRESET'].includes(error.code), error.message),
      )
      await delay(5)
    }
    await flood
    await host.check(t, 'afterwards')
    t.true(count > 0)
    const after = await host.seenWhen(({ descriptors }) => descriptors <= before.descriptors)
    t.is(after.descriptors, before.descriptors)
    t.deepEqual(
      names(after).filter(name => name !== 'TimeoutError'),
      ['EOFError'],
    )
    t.true(isSmall(after, before))
  })

  test(`${form}: the oldest makes room when more than maxPending are in their handshake`, async t => {
    const host = await startHost(t, form, familyOf(i), { maxPending: 3 })
    const peers: RawStream[] = []
    for (let n = 0; n < 8; n++) {
      const peer = await host.raw()
      // It is taken in.
      challengeIn(await peer.read())
      peers.push(peer)
    }
    const pushedOut = ({ failures }: Seen) => failures.filter(({ text }) => text.includes('maxPending')).length
    await Promise.all(peers.slice(0, 5).map(peer => peer.over))
    t.deepEqual(
      peers.map(({ isOver }) => isOver),
      [true, true, true, true, true, false, false, false],
    )
    const seen = await host.seen()
    // Those who ask are newcomers, too.
    t.is(pushedOut(seen), 6)
    t.deepEqual(names(seen), ['TimeoutError'])
    for (const peer of peers) peer.close()
  })

  test(`${form}: a keyless listener gets over a thousand who vanish or talk nonsense`, async t => {
    const host = await startHost(t, form, roomyFamilyOf(i + 1), { authkey: undefined })
    await host.check(t, 'the first')
    const before = await host.seen()
    for (let round = 0; round < MANY / 50; round++) {
      for (const [n, peer] of (await crowd(host, 50)).entries()) {
        if (n % 3 === 0) peer.reset()
        else if (n % 3 === 1) peer.writeBytes(Buffer.alloc(20, 0xfe)).then(() => peer.close())
        else peer.socket.end()
      }
    }
    await host.check(t, 'afterwards')
    const after = await host.seenWhen(({ descriptors }) => descriptors <= before.descriptors)
    t.is(after.descriptors, before.descriptors)
    t.deepEqual(after.messages, ['the first', 'afterwards'])
    t.is(after.failures.length, 0)
    t.true(isSmall(after, before))
  })
}

test('a flood of what is no message does not keep others waiting', async t => {
  const host = await startHost(t, asyncForms[0], 'AF_INET')
  await host.check(t, 'the first')
  const before = await host.seen()
  const end = performance.now() + 1500
  const flood = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (performance.now() < end) {
        const peer = await host.raw().catch(() => undefined)
        await Promise.race([peer?.writeBytes(marked(mebibyte)), peer?.over])
        peer?.close()
      }
    }),
  )
  while (performance.now() < end) await host.check(t, 'meanwhile')
  await flood
  const after = await host.seenWhen(({ descriptors }) => descriptors <= before.descriptors)
  t.is(after.descriptors, before.descriptors)
  t.deepEqual(
    names(after).filter(name => name !== 'EOFError'),
    ['AuthenticationError'],
  )
  t.true(isSmall(after, before))
  t.false(JSON.stringify(after).includes(MARKER))
})

for (const form of [asyncForms[0], blockingForms[0]]) {
  test(`${form}: those who are through and whom nobody accepts are few; the others stay with the system`, async t => {
    const host = await startHost(t, form, roomyFamilyOf(1), { maxPending: 8 })
    const before = await host.seen()
    // The one that is served, so that nobody else is.
    const served = await host.good()
    await served.sendBytes(Buffer.from('served'))
    await served.recvBytes()
    const peers = await crowd(host, 100)
    const through: RawStream[] = []
    for (const peer of peers)
      goAsClient(peer, 'done').then(
        () => through.push(peer),
        () => {},
      )
    await delay(500)
    await served.sendBytes(Buffer.from('report'))
    const during: Seen = JSON.parse((await served.recvBytes()).toString())
    t.is(during.accepted, before.accepted + 1)
    t.true(during.descriptors <= before.descriptors + 8)
    t.true(through.length <= 9)
    served.closeSync()
    for (const peer of peers) peer.writeBytes(frame(Buffer.from('late'))).then(() => peer.socket.end())
    const after = await host.seenWhen(({ descriptors }) => descriptors <= before.descriptors)
    t.is(after.descriptors, before.descriptors)
  })
}

for (const form of [asyncForms[0], blockingForms[0]]) {
  test(`${form}: who waits in the system's queue for long is served in the end`, async t => {
    const host = await startHost(t, form, localFamily, { backlog: 2 })
    const served = await host.good()
    const waiting = Array.from({ length: 10 }, (_, n) => host.check(t, `number ${n}`))
    await delay(500)
    served.closeSync()
    await Promise.all(waiting)
    const { messages } = await host.seen()
    t.is(messages.length, 10)
  })
}
