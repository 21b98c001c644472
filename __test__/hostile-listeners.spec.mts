/** What peers do to a listener that they cannot get past: in every form of accepting, everybody else gets in. */
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import {
  acceptForms,
  answer,
  badHeaders,
  challenge,
  challengeIn,
  clientSteps,
  FAILURE,
  families,
  goAsClient,
  MARKER,
  mac,
  marked,
  nonsense,
  type RawStream,
  startHost,
  WELCOME,
} from './helpers/hostile-peers.mjs'
import { onWindows } from './helpers/platform.mjs'
import { frame, header } from './helpers/raw-peer.mjs'

type Behaviour = (peer: RawStream) => Promise<unknown>

/** Settles as soon as the listener has hung up. */
async function refused(peer: RawStream): Promise<void> {
  await peer.over
}

function saying(bytes: Uint8Array): Behaviour {
  return async peer => {
    await Promise.race([peer.writeBytes(bytes), peer.over])
    await refused(peer)
  }
}

/** Answers with what it makes of the challenge. */
function answering(make: (theirs: Buffer) => Uint8Array): Behaviour {
  return async peer => {
    await peer.write(make(challengeIn(await peer.read())))
    await refused(peer)
  }
}

/** Has the key, and then goes wrong. */
function afterwards(step: 'welcomed' | 'answer read', ...messages: Uint8Array[]): Behaviour {
  return async peer => {
    await goAsClient(peer, step)
    await peer.write(...messages)
    await refused(peer)
  }
}

const sha256 = Buffer.from('{sha256}')
/** Of an earlier handshake. */
let oldAnswer: Buffer | undefined

/** All of them are an AuthenticationError. */
const liars: Record<string, Behaviour> = {
  'a wrong key': answering(theirs => answer(theirs, 'another key')),
  'a key that is longer by a byte': answering(theirs => answer(theirs, 'the key of the good\x01')),
  'its own challenge as an answer': answering(theirs => challenge(theirs)),
  'what follows in its own challenge as an answer': answering(theirs => theirs),
  'an answer of zeros': answering(() => Buffer.concat([sha256, Buffer.alloc(32)])),
  'a right answer without the name of its digest': answering(theirs => mac('sha256', theirs)),
  'a right answer with the name of another digest': answering(theirs =>
    Buffer.concat([Buffer.from('{sha3_256}'), mac('sha256', theirs)]),
  ),
  'a digest that is right and not accepted': answering(theirs => answer(theirs, undefined, 'sha512')),
  'a digest that is not accepted either': answering(theirs => answer(theirs, undefined, 'sha1')),
  'a digest that nobody knows': answering(theirs => Buffer.concat([Buffer.from(`{${MARKER}}`), mac('sha256', theirs)])),
  'an answer that is right and too short': answering(theirs => answer(theirs).subarray(0, -1)),
  'an answer that is right and too long': answering(theirs => Buffer.concat([answer(theirs), Buffer.of(0)])),
  'the name of a digest alone': answering(() => sha256),
  'an answer in MD5': answering(theirs => answer(theirs, undefined, 'md5')),
  "an old peer's answer in MD5": answering(theirs => mac('md5', theirs)),
  'an answer to more than the challenge': answering(theirs => answer(challenge(theirs))),
  'an answer to the random part alone': answering(theirs => answer(theirs.subarray(sha256.length))),
  'an old answer': async peer => {
    const theirs = challengeIn(await peer.read())
    oldAnswer ??= answer(Buffer.from(theirs.map(byte => byte ^ 1)))
    await peer.write(oldAnswer)
    await refused(peer)
  },
  'a welcome at once': async peer => {
    await peer.write(WELCOME, WELCOME, challenge(), WELCOME)
    await refused(peer)
  },
  'a failure at once': saying(frame(FAILURE)),
  'a challenge instead of an answer': saying(frame(challenge())),
  'a challenge that was asked for in MD5': afterwards(
    'welcomed',
    challenge(Buffer.concat([Buffer.from('{md5}'), marked(40)])),
  ),
  "an old peer's challenge": afterwards('welcomed', challenge(marked(20))),
  'a challenge in a digest that is not accepted': afterwards(
    'welcomed',
    challenge(Buffer.concat([Buffer.from('{sha512}'), marked(40)])),
  ),
  'a challenge in a digest that nobody knows': afterwards(
    'welcomed',
    challenge(Buffer.concat([Buffer.from(`{${MARKER}}`), marked(40)])),
  ),
  'a challenge of 19 bytes': afterwards('welcomed', challenge(Buffer.concat([sha256, marked(11)]))),
  'an empty challenge': afterwards('welcomed', challenge(Buffer.alloc(0))),
  'a verdict instead of a challenge': afterwards('welcomed', WELCOME, challenge()),
  'an answer instead of a challenge': afterwards('welcomed', answer(marked(40))),
  'a failure in the end': afterwards('answer read', FAILURE),
  'a challenge in the end': afterwards('answer read', challenge()),
}
for (const [name, bytes] of Object.entries(badHeaders)) liars[`${name} at once`] = saying(bytes)
for (const [name, bytes] of Object.entries(nonsense)) {
  liars[`${name} at once`] = saying(frame(bytes))
  liars[`${name} as an answer`] = answering(() => bytes)
  liars[`${name} as a challenge`] = afterwards('welcomed', bytes)
  liars[`${name} as a verdict`] = afterwards('answer read', bytes)
}

/** All of them are an EOFError. */
const quitters: Record<string, Behaviour> = {
  'hangs up at once': async peer => peer.close(),
  'ends at once': async peer => {
    peer.socket.end()
    await refused(peer)
  },
  'hangs up within a header': async peer => {
    await peer.writeBytes(Buffer.of(0, 0))
    peer.close()
  },
  'hangs up after a header': async peer => {
    await peer.writeBytes(header(40))
    peer.close()
  },
  'hangs up within an answer': async peer => {
    await peer.writeBytes(frame(answer(challengeIn(await peer.read()))).subarray(0, 20))
    peer.close()
  },
  'resets within an answer': async peer => {
    await peer.writeBytes(frame(answer(challengeIn(await peer.read()))).subarray(0, 20))
    peer.reset()
  },
  'resets at once': async peer => peer.reset(),
  'hangs up within a header of 2 GiB and more': async peer => {
    await peer.writeBytes(Buffer.alloc(9, 0xff))
    peer.close()
  },
}
for (const step of clientSteps.slice(0, -1)) {
  quitters[`hangs up when it has ${step}`] = async peer => {
    await goAsClient(peer, step)
    peer.close()
  }
  quitters[`ends when it has ${step}`] = async peer => {
    await goAsClient(peer, step)
    peer.socket.end()
    await refused(peer)
  }
  quitters[`resets when it has ${step}`] = async peer => {
    await goAsClient(peer, step)
    peer.reset()
  }
}

/** All of them are a TimeoutError, in the end. */
const sleepers: Record<string, Behaviour> = {
  'says nothing': refused,
  'says one byte per 100 ms': async peer => await peer.trickle(frame(answer(challengeIn(await peer.read())))),
  'says one byte of a message of 60,000 per 100 ms': peer =>
    peer.trickle(Buffer.concat([header(60_000), marked(60_000)])),
  'says one byte of a header': saying(Buffer.of(0)),
  'says a header': saying(header(40)),
  'says half of an answer': async peer => {
    await peer.writeBytes(frame(answer(challengeIn(await peer.read()))).subarray(0, 20))
    await refused(peer)
  },
  'answers, and does not challenge': async peer => {
    await goAsClient(peer, 'welcomed')
    await refused(peer)
  },
  'challenges, and gives no verdict': async peer => {
    await goAsClient(peer, 'answer read')
    await refused(peer)
  },
}

const failureOf = { liars: 'AuthenticationError', quitters: 'EOFError', sleepers: 'TimeoutError' }
const mebibyte = 1024 * 1024

for (const form of acceptForms) {
  for (const family of families) {
    for (const [kind, behaviours] of Object.entries({ liars, quitters })) {
      test(`${form}, ${family}: ${kind} are dropped, and everybody else gets in`, async t => {
        const host = await startHost(t, form, family)
        await host.check(t, 'the first')
        const before = await host.seen()
        let known = 0
        for (const [name, behave] of Object.entries(behaviours)) {
          const peer = await host.raw()
          const isDone = behave(peer)
          await host.check(t, 'while it is there')
          await isDone
          if (name === 'resets at once' && onWindows && family === 'AF_INET') {
            // Windows does not give those who are gone before they are accepted.
            await delay(500)
            const { failures } = await host.seen()
            t.true(failures.slice(known).every(({ name }) => name === 'EOFError'))
            known = failures.length
            continue
          }
          const { failures } = await host.seenWhen(({ failures }) => failures.length > known)
          peer.close()
          t.deepEqual(
            failures.slice(known).map(({ name }) => name),
            [failureOf[kind as 'liars' | 'quitters']],
            `${name}: ${failures.slice(known).map(({ text }) => text)}`,
          )
          known = failures.length
        }
        const after = await host.seenWhen(({ descriptors }) => descriptors <= before.descriptors)
        t.is(after.descriptors, before.descriptors)
        t.deepEqual(new Set(after.messages), new Set(['the first', 'while it is there']))
        t.false(JSON.stringify(after).includes(MARKER))
        t.false(JSON.stringify([after.failures, after.said]).includes('the key of'))
        t.true(after.memory.arrayBuffers - before.memory.arrayBuffers < 4 * mebibyte)
        t.true(after.memory.rss - before.memory.rss < 64 * mebibyte)
      })
    }

    test(`${form}, ${family}: those who say too little are dropped when their time is over, and everybody else gets in`, async t => {
      const handshakeTimeout = 3000
      const host = await startHost(t, form, family, { handshakeTimeout })
      await host.check(t, 'the first')
      const before = await host.seen()
      const began = performance.now()
      const peers = await Promise.all(Object.values(sleepers).map(() => host.raw()))
      const done = Promise.all(Object.values(sleepers).map((behave, i) => behave(peers[i])))
      for (let i = 0; i < 20; i++) {
        await host.check(t, 'while they are there')
        await delay(50)
      }
      await done
      t.true(performance.now() - began >= handshakeTimeout - 50)
      const after = await host.seenWhen(
        ({ failures, descriptors }) => failures.length >= peers.length && descriptors <= before.descriptors,
      )
      t.deepEqual(
        after.failures.map(({ name }) => name),
        peers.map(() => 'TimeoutError'),
      )
      t.is(after.descriptors, before.descriptors)
      t.deepEqual(new Set(after.messages), new Set(['the first', 'while they are there']))
      t.false(JSON.stringify(after).includes(MARKER))
    })

    test(`${form}, ${family}: what follows the handshake at once is the first message`, async t => {
      const host = await startHost(t, form, family)
      for (const isSlow of [false, true]) {
        const peer = await host.raw()
        const theirs = challengeIn(await peer.read())
        const ours = challenge()
        await peer.write(answer(theirs), ours)
        t.deepEqual(await peer.read(), WELCOME)
        t.deepEqual(await peer.read(), answer(challengeIn(ours)))
        const rest = Buffer.concat([WELCOME, Buffer.from('at once'), Buffer.alloc(0), marked(300_000)].map(frame))
        if (isSlow) {
          for (const part of [rest.subarray(0, 15), rest.subarray(15, 20), rest.subarray(20)]) {
            await peer.writeBytes(part)
            await delay(20)
          }
        } else await peer.writeBytes(rest)
        t.is((await peer.read()).toString(), 'at once')
        t.is((await peer.read()).length, 0)
        t.true((await peer.read()).equals(marked(300_000)))
        peer.close()
      }
      const { failures, accepted } = await host.seen()
      t.is(failures.length, 0)
      t.is(accepted, 3)
    })

    test(`${form}, ${family}: with legacyAuth, old peers get in, and liars do not`, async t => {
      const host = await startHost(t, form, family, { legacyAuth: true })
      const old = async (authkey: string, rest: Buffer) => {
        const peer = await host.raw()
        await peer.write(mac('md5', challengeIn(await peer.read()), authkey))
        const verdict = await peer.read()
        if (!verdict.equals(WELCOME)) return { peer, verdict }
        await peer.write(challenge(rest))
        return { peer, verdict, reply: await peer.read().catch(() => undefined) }
      }
      const rest = Buffer.alloc(20, 'random, or so')
      const good = await old('the key of the good', rest)
      t.deepEqual(good.reply, mac('md5', rest))
      await good.peer.write(WELCOME, Buffer.from('an old one'))
      t.is((await good.peer.read()).toString(), 'an old one')
      good.peer.close()
      const bad = await old('another key', rest)
      t.deepEqual(bad.verdict, FAILURE)
      await bad.peer.over
      t.is((await old('the key of the good', rest.subarray(1))).reply, undefined)
      const { failures } = await host.seenWhen(({ failures }) => failures.length === 2)
      t.deepEqual(
        failures.map(({ name }) => name),
        ['AuthenticationError', 'AuthenticationError'],
      )
    })
  }
}
