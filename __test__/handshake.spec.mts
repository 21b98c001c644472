import crypto, { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Handshake, HandshakeTerms, OpenChallenges } from '../lib/handshake.js'
import { errors, handshake, messages } from './helpers/sources.mjs'

const { AuthenticationError } = errors
const { clientHandshake, listenerHandshake } = handshake
const { isChallenge, MAX_HANDSHAKE_MESSAGE } = messages

interface Vectors {
  authkey: string
  macs: { digest: string; challenge: string; answer: string; legacyAnswer: string }[]
  legacy: { challenge: string; answer: string }
  transcripts: {
    listenerKey: string
    clientKey: string
    messages: { from: Role; payload: string }[]
    result: Record<Role, string>
  }[]
}
type Role = 'client' | 'listener'

const vectors: Vectors = JSON.parse(readFileSync(new URL('fixtures/vectors.json', import.meta.url), 'utf8'))

const roles: Role[] = ['client', 'listener']
const start = { client: clientHandshake, listener: listenerHandshake }
const peerOf: Record<Role, Role> = { client: 'listener', listener: 'client' }
const key = Buffer.from('hunter2secret')
const welcome = Buffer.from('#WELCOME#')
const failure = Buffer.from('#FAILURE#')
const prefix = Buffer.from('#CHALLENGE#')
const modern = ['sha256', 'sha384', 'sha3_256', 'sha3_384']

const unhex = (text: string): Buffer => Buffer.from(text, 'hex')
const challengeOf = (rest: Uint8Array): Buffer => Buffer.concat([prefix, rest])
const named = (digest: string, rest: Uint8Array): Buffer => Buffer.concat([Buffer.from(`{${digest}}`), rest])
const mac = (digest: string, authkey: Uint8Array, challenge: Uint8Array): Buffer =>
  createHmac(digest.replace('_', '-'), authkey).update(challenge).digest()
/** Bytes that an error's text would show, if it showed any. */
const marked = (length: number): Buffer => Buffer.alloc(length, 'PEERBYTES')

/** Which challenges are open, and in how many. Answers everything unless told otherwise. */
class Book implements OpenChallenges {
  readonly pending = new Set<string>()
  readonly asked: string[] = []
  opened = 0
  answers = true
  open(challenge: Uint8Array) {
    this.opened++
    this.pending.add(inspect(challenge))
  }
  close(challenge: Uint8Array) {
    if (!this.pending.delete(inspect(challenge))) throw new Error('closed what was not open')
  }
  mayAnswer(challenge: Uint8Array) {
    this.asked.push(Buffer.from(challenge).toString('hex'))
    return this.answers
  }
}

const terms = (more: Partial<HandshakeTerms> = {}): HandshakeTerms & { challenges: Book } => ({
  authkey: key,
  legacyAuth: false,
  challenges: new Book(),
  ...(more as object),
})

/** One side of a handshake, driven until it wants a message that is not there. */
class Party {
  readonly #handshake: Handshake
  readonly sent: Buffer[] = []
  /** How it ended. */
  outcome: 'pending' | 'ok' | Error = 'pending'

  constructor(handshake: Handshake) {
    this.#handshake = handshake
    this.#step()
  }
  /** Gives it messages that it has to want. */
  receive(...messages: Uint8Array[]): this {
    for (const message of messages) {
      if (this.outcome !== 'pending') throw new Error('It wants no more messages')
      this.#step(message)
    }
    return this
  }
  giveUp() {
    this.#handshake.return()
  }
  #step(message?: Uint8Array) {
    try {
      let { done, value } = this.#handshake.next(message)
      for (; !done && value; { done, value } = this.#handshake.next()) this.sent.push(Buffer.from(value))
      if (done) this.outcome = 'ok'
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error
      this.outcome = error
    }
  }
}

/** Both sides against each other, until neither gets on. */
function meet(listenerTerms: HandshakeTerms, clientTerms: HandshakeTerms): Record<Role, Party> {
  const parties = {
    listener: new Party(listenerHandshake(listenerTerms)),
    client: new Party(clientHandshake(clientTerms)),
  }
  const taken = { listener: 0, client: 0 }
  for (let moved = true; moved; ) {
    moved = false
    for (const role of roles) {
      const from = parties[peerOf[role]]
      if (parties[role].outcome !== 'pending' || taken[role] === from.sent.length) continue
      parties[role].receive(from.sent[taken[role]++])
      moved = true
    }
  }
  return parties
}

/** It failed, with a text that says so and shows neither key nor what the peer sent. */
function failed(t: ExecutionContext, party: Party, message: RegExp) {
  const error = party.outcome
  if (!(error instanceof AuthenticationError)) return t.fail(`It should have failed, but: ${error}`)
  t.is(error.code, 'ERR_CAROM_AUTH')
  t.regex(error.message, message)
  t.notRegex(inspect(error, { showHidden: true }), /hunter2|PEERBYTES|#\w+#/)
  t.is(error.cause, undefined)
}

/** A peer of either role up to where it answers `side`'s challenge: what it has to answer, and the side. */
function challengedBy(role: Role, more: Partial<HandshakeTerms> = {}) {
  const book = new Book()
  const side = new Party(start[role](terms({ challenges: book, ...more })))
  if (role === 'client') side.receive(challengeOf(named('sha256', marked(40))), welcome)
  return { side, book, challenge: side.sent.at(-1)!.subarray(prefix.length) }
}

/** A peer of either role up to where it challenges `role`: what it sends, and the side after it. */
function challenging(role: Role, message: Uint8Array, more: Partial<HandshakeTerms> = {}) {
  const book = new Book()
  const side = new Party(start[role](terms({ challenges: book, ...more })))
  if (role === 'listener') side.receive(named('sha256', mac('sha256', key, side.sent[0].subarray(prefix.length))))
  const before = side.sent.length
  side.receive(message)
  return { side, book, answer: side.sent.slice(before) }
}

for (const { listenerKey, clientKey, messages, result } of vectors.transcripts)
  test(`what CPython's sides say to each other, word for word: ${listenerKey} and ${clientKey}`, t => {
    for (const role of roles) {
      const challenges = messages.filter(({ from }) => from === role).map(({ payload }) => unhex(payload))
      const own = challenges.find(message => message.subarray(0, prefix.length).equals(prefix))
      const authkey = Buffer.from(role === 'listener' ? listenerKey : clientKey)
      const side = new Party(start[role](terms({ authkey, random: () => own!.subarray(-40) })))
      let said = 0
      for (const { from, payload } of messages) {
        if (from === role) t.is(side.sent[said++].toString('hex'), payload)
        else side.receive(unhex(payload))
      }
      t.is(side.sent.length, said)
      if (result[role] === 'ok') t.is(side.outcome, 'ok')
      else failed(t, side, /both sides need the same/)
    }
  })

test("answers are CPython's", t => {
  const authkey = Buffer.from(vectors.authkey)
  for (const { digest, challenge, answer } of vectors.macs) {
    const message = challengeOf(unhex(challenge))
    const client = new Party(clientHandshake(terms({ authkey, legacyAuth: digest === 'md5' }))).receive(message)
    t.deepEqual(client.sent, [unhex(answer)])
  }
  const { challenge, answer } = vectors.legacy
  const client = new Party(clientHandshake(terms({ authkey, legacyAuth: true })))
  t.deepEqual(client.receive(challengeOf(unhex(challenge))).sent, [unhex(answer)])
})

test("the verdict on an answer in the old form is CPython's", t => {
  const { challenge, legacyAnswer } = vectors.macs.find(({ digest }) => digest === 'sha256')!
  const random = () => unhex(challenge).subarray(-40)
  const authkey = Buffer.from(vectors.authkey)
  const listener = new Party(listenerHandshake(terms({ authkey, random, legacyAuth: true })))
  t.deepEqual(listener.sent, [challengeOf(unhex(challenge))])
  t.deepEqual(listener.receive(unhex(legacyAnswer)).sent.slice(1), [welcome])
})

test('two sides with the same key agree, whatever it is', t => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), fc.boolean(), (authkey, old, young) => {
      const listenerTerms = terms({ authkey, legacyAuth: old })
      const clientTerms = terms({ authkey, legacyAuth: young })
      const { listener, client } = meet(listenerTerms, clientTerms)
      t.is(listener.outcome, 'ok')
      t.is(client.outcome, 'ok')
      for (const { sent } of [listener, client]) {
        t.is(sent.length, 3)
        for (const message of sent) t.true(message.length <= MAX_HANDSHAKE_MESSAGE)
      }
      t.is(listenerTerms.challenges.pending.size, 0)
      t.is(clientTerms.challenges.pending.size, 0)
    }),
  )
})

test('two sides with different keys do not, and the client has said nothing but one answer', t => {
  const keys = fc.uint8Array({ minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(keys, keys, fc.boolean(), (one, two, legacyAuth) => {
      // HMAC fills short keys up with zeros.
      fc.pre(!Buffer.concat([one, Buffer.alloc(100)], 128).equals(Buffer.concat([two, Buffer.alloc(100)], 128)))
      const { listener, client } = meet(terms({ authkey: one, legacyAuth }), terms({ authkey: two, legacyAuth }))
      failed(t, listener, /^The client does not have this listener's authkey: both sides need the same$/)
      failed(t, client, /^The listener rejected this client's authkey: both sides need the same$/)
      t.deepEqual(listener.sent.slice(1), [failure])
      t.is(client.sent.length, 1)
    }),
  )
})

test('each challenge is a fresh one of 40 random bytes', t => {
  const seen = new Set<string>()
  for (let i = 0; i < 100; i++) {
    const { listener, client } = meet(terms(), terms())
    for (const challenge of [listener.sent[0], client.sent[1]]) {
      t.regex(challenge.toString('latin1'), /^#CHALLENGE#\{sha256\}.{40}$/s)
      seen.add(challenge.toString('hex'))
    }
  }
  t.is(seen.size, 200)
})

for (const role of roles) {
  const peer = peerOf[role]

  test(`${role}: takes an answer in any digest that CPython takes, MD5 and the old form only when told`, t => {
    const answers = (challenge: Uint8Array) => [
      ...modern.map(digest => ({ answer: named(digest, mac(digest, key, challenge)), isLegacy: false })),
      { answer: named('md5', mac('md5', key, challenge)), isLegacy: true },
      { answer: mac('md5', key, challenge), isLegacy: true },
    ]
    for (let i = 0; i < 6; i++)
      for (const legacyAuth of [false, true]) {
        const { side, book, challenge } = challengedBy(role, { legacyAuth })
        t.is(book.pending.size, 1)
        const { answer, isLegacy } = answers(challenge)[i]
        side.receive(answer)
        t.is(book.pending.size, 0)
        const good = legacyAuth || !isLegacy
        t.deepEqual(side.sent.at(-1), good ? welcome : failure)
        if (!good) failed(t, side, new RegExp(`^The ${peer} answered in MD5.*set legacyAuth: true`))
        else t.is(side.outcome, role === 'client' ? 'ok' : 'pending')
      }
  })

  test(`${role}: gives its verdict on each wrong answer, then fails`, t => {
    const { challenge: sample } = challengedBy(role, { random: () => marked(40) })
    const right = named('sha256', mac('sha256', key, sample))
    const flipped = Buffer.from(right)
    flipped[flipped.length - 1] ^= 1
    const wrongKey = new RegExp(`^The ${peer} does not have this ${role}'s authkey: both sides need the same$`)
    const noAnswer = new RegExp(`^The ${peer} sent no answer to the challenge: it may have no authkey$`)
    const wrong: [Uint8Array, RegExp][] = [
      [named('sha256', mac('sha256', marked(10), sample)), wrongKey],
      [named('sha384', mac('sha256', key, sample)), wrongKey],
      [named('sha3_256', mac('sha256', key, sample)), wrongKey],
      [named('sha256', mac('sha256', key, sample.subarray(8))), wrongKey],
      [named('sha256', mac('sha256', key, challengeOf(sample))), wrongKey],
      [named('md5', mac('md5', marked(10), sample)), wrongKey],
      [mac('md5', marked(10), sample), wrongKey],
      [flipped, wrongKey],
      [right.subarray(0, -1), wrongKey],
      [Buffer.concat([right, Buffer.alloc(1)]), wrongKey],
      [named('sha256', Buffer.alloc(0)), wrongKey],
      [named('sha3-256', mac('sha3-256', key, sample)), noAnswer],
      [named('sha1', mac('sha1', key, sample)), noAnswer],
      [named('sha512', mac('sha512', key, sample)), noAnswer],
      [named('SHA256', mac('sha256', key, sample)), noAnswer],
      [mac('sha256', key, sample), noAnswer],
      [Buffer.alloc(0), noAnswer],
      [Buffer.from('{'), noAnswer],
      [marked(20), noAnswer],
      [marked(200), noAnswer],
      [welcome, noAnswer],
      [challengeOf(sample), noAnswer],
    ]
    for (const [answer, message] of wrong) {
      const { side, book } = challengedBy(role, { random: () => marked(40), legacyAuth: true })
      const before = side.sent.length
      side.receive(answer)
      t.deepEqual(side.sent.slice(before), [failure])
      failed(t, side, message)
      t.is(book.pending.size, 0)
    }
  })

  test(`${role}: answers each challenge that CPython answers, MD5 and the old form only when told`, t => {
    const old = new RegExp(`^The ${peer} asks for an answer in MD5.*set legacyAuth: true`)
    for (const legacyAuth of [false, true]) {
      for (const digest of modern)
        for (const length of [13, 20, 40, 245 - digest.length - 2]) {
          const challenge = named(digest, marked(length))
          const { answer } = challenging(role, challengeOf(challenge), { legacyAuth })
          t.deepEqual(answer.slice(-1), [named(digest, mac(digest, key, challenge))])
        }
      const md5 = named('md5', marked(40))
      for (const [challenge, expected] of [
        [md5, named('md5', mac('md5', key, md5))],
        [marked(20), mac('md5', key, marked(20))],
        // So long, it is of the old form, whatever it begins with.
        [named('sha256', marked(12)), mac('md5', key, named('sha256', marked(12)))],
      ]) {
        const { side, answer } = challenging(role, challengeOf(challenge), { legacyAuth })
        if (legacyAuth) t.deepEqual(answer, [expected])
        else {
          t.deepEqual(answer, [])
          failed(t, side, old)
        }
      }
    }
  })

  test(`${role}: answers no challenge that is short, of an unknown digest, or none`, t => {
    const short = new RegExp(`^The ${peer}'s challenge has less than 20 bytes`)
    const digest = new RegExp(`^The ${peer}'s challenge asks for a digest that carom lacks: it has sha256, sha384, `)
    const none =
      role === 'client'
        ? /^The listener did not begin with a challenge: it may have no authkey$/
        : /^The client did not challenge this listener/
    const long = new RegExp(`^The ${peer} sent more than the 256 bytes`)
    const bad: [Uint8Array, RegExp][] = [
      [challengeOf(Buffer.alloc(0)), short],
      [challengeOf(marked(16)), short],
      [challengeOf(marked(19)), short],
      [challengeOf(named('sha256', marked(11))), short],
      [challengeOf(named('md5', marked(14))), short],
      [challengeOf(marked(21)), digest],
      [challengeOf(marked(40)), digest],
      [challengeOf(named('sha1', marked(40))), digest],
      [challengeOf(named('sha3-256', marked(40))), digest],
      [challengeOf(named('', marked(40))), digest],
      [challengeOf(Buffer.concat([Buffer.from(' {sha256}'), marked(40)])), digest],
      [Buffer.alloc(0), none],
      [prefix.subarray(0, -1), none],
      [named('sha256', marked(40)), none],
      [Buffer.concat([Buffer.from(' '), challengeOf(named('sha256', marked(40)))]), none],
      [failure, none],
      [marked(256), none],
      [marked(257), long],
      [challengeOf(named('sha256', marked(238))), long],
    ]
    for (const legacyAuth of [false, true])
      for (const [message, text] of bad) {
        const { side, answer, book } = challenging(role, message, { legacyAuth })
        t.deepEqual(answer, [])
        failed(t, side, text)
        t.is(book.pending.size, 0)
      }
  })

  test(`${role}: only #WELCOME# is a welcome`, t => {
    const rejected = new RegExp(`^The ${peer} rejected this ${role}'s authkey: both sides need the same$`)
    const neither = new RegExp(`^The ${peer} neither accepted nor rejected`)
    for (const [verdict, text] of [
      [failure, rejected],
      [Buffer.alloc(0), neither],
      [welcome.subarray(0, -1), neither],
      [Buffer.from('#WELCOME#\n'), neither],
      [Buffer.from('#welcome#'), neither],
      [marked(9), neither],
      [marked(257), /more than the 256 bytes/],
    ] as const) {
      const { side } = challenging(role, challengeOf(named('sha256', marked(40))))
      failed(t, side.receive(verdict), text)
    }
  })

  test(`${role}: an answer of more than 256 bytes ends it`, t => {
    const { side, book } = challengedBy(role)
    const before = side.sent.length
    failed(t, side.receive(marked(257)), new RegExp(`^The ${peer} sent more than the 256 bytes`))
    t.is(side.sent.length, before)
    t.is(book.pending.size, 0)
  })

  test(`${role}: its challenge is open from before it is sent until the answer is there, however it ends`, t => {
    const challenge = named('sha256', marked(40))
    const answer = named('sha256', mac('sha256', key, challenge))
    /** What each step of a handshake that succeeds is given. */
    const given = {
      listener: [undefined, undefined, answer, undefined, challengeOf(challenge), undefined, welcome],
      client: [undefined, challengeOf(challenge), undefined, welcome, undefined, answer, undefined],
    }[role]
    const openAfter = { listener: [1, 2], client: [4, 5] }[role]
    for (let steps = 0; steps <= given.length; steps++)
      for (const end of ['return', 'throw'] as const) {
        const challenges = new Book()
        const handshake = start[role](terms({ challenges, random: () => marked(40) }))
        const results = given.slice(0, steps).map(message => handshake.next(message))
        t.is(results.at(-1)?.done ?? false, steps === given.length)
        t.deepEqual([...challenges.pending], openAfter.includes(steps) ? [inspect(challenge)] : [], `${steps} steps`)
        if (end === 'return') handshake.return()
        else t.throws(() => handshake.throw(new Error('lost')), { message: 'lost' })
        t.is(challenges.pending.size, 0)
        t.is(challenges.opened, steps >= openAfter[0] ? 1 : 0)
      }
  })
}

test('a client answers no challenge that is open in its own process, a listener does not ask', t => {
  const challenges = new Book()
  challenges.answers = false
  const challenge = named('sha256', marked(40))
  const client = challenging('client', challengeOf(challenge), { challenges })
  t.deepEqual(client.answer, [])
  t.deepEqual(challenges.asked, [challenge.toString('hex')])
  t.is(challenges.opened, 0)
  failed(t, client.side, /^This challenge is open in this process/)

  const listener = challenging('listener', challengeOf(challenge), { challenges })
  t.deepEqual(listener.answer.slice(-1), [named('sha256', mac('sha256', key, challenge))])
  t.is(challenges.asked.length, 1)
})

test('a listener takes nothing but the proof before it answers anything', t => {
  const { side } = challengedBy('listener')
  side.receive(challengeOf(named('sha256', marked(40))))
  t.deepEqual(side.sent.slice(1), [failure])
  failed(t, side, /no answer/)
})

test('what a client has said, sent back to it, proves nothing', t => {
  const client = new Party(clientHandshake(terms()))
  client.receive(challengeOf(named('sha256', marked(40))), welcome)
  const [answer, challenge] = client.sent
  failed(t, client.receive(answer), /does not have this client's authkey/)
  t.true(isChallenge(challenge))
})

test('old peers: both directions in MD5, when told', t => {
  const client = new Party(clientHandshake(terms({ legacyAuth: true })))
  client.receive(challengeOf(marked(20)))
  t.deepEqual(client.sent, [mac('md5', key, marked(20))])
  client.receive(welcome)
  client.receive(mac('md5', key, client.sent[1].subarray(prefix.length)))
  t.deepEqual(client.sent[2], welcome)
  t.is(client.outcome, 'ok')

  const listener = new Party(listenerHandshake(terms({ legacyAuth: true })))
  listener.receive(mac('md5', key, listener.sent[0].subarray(prefix.length)))
  listener.receive(challengeOf(marked(20)))
  t.deepEqual(listener.sent.slice(1), [welcome, mac('md5', key, marked(20))])
  t.is(listener.receive(welcome).outcome, 'ok')
})

test.serial('a machine that forbids MD5: the peer gets its verdict, the user an AuthenticationError', t => {
  const original = crypto.createHmac
  crypto.createHmac = (algorithm, ...rest) => {
    if (algorithm === 'md5') throw new Error('digital envelope routines::unsupported hunter2')
    return original(algorithm, ...rest)
  }
  t.teardown(() => {
    crypto.createHmac = original
  })
  for (const role of roles) {
    const asked = challenging(role, challengeOf(marked(20)), { legacyAuth: true })
    t.deepEqual(asked.answer, [])
    failed(t, asked.side, /md5/)

    const { side, book } = challengedBy(role, { legacyAuth: true })
    side.receive(marked(16))
    t.deepEqual(side.sent.at(-1), failure)
    failed(t, side, /md5/)
    t.is(book.pending.size, 0)
  }
})

test('no message whatever makes a side fail otherwise, or show what it was given', t => {
  const pieces = fc.constantFrom<Uint8Array>(prefix, welcome, failure, ...[...modern, 'md5'].map(d => named(d, prefix)))
  const messages = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    pieces,
    fc.tuple(pieces, fc.uint8Array({ maxLength: 60 })).map(parts => Buffer.concat(parts)),
  )
  fc.assert(
    fc.property(
      fc.array(messages, { maxLength: 4 }),
      fc.constantFrom(...roles),
      fc.boolean(),
      (input, role, legacyAuth) => {
        const challenges = new Book()
        const side = new Party(start[role](terms({ challenges, legacyAuth })))
        for (const message of input) if (side.outcome === 'pending') side.receive(message)
        t.not(side.outcome, 'ok')
        if (side.outcome === 'pending') side.giveUp()
        else failed(t, side, /./)
        t.is(challenges.pending.size, 0)
      },
    ),
  )
})

test('isChallenge: the forms that a listener with a key may send, and nothing else', t => {
  t.true(isChallenge(challengeOf(marked(20))))
  t.true(isChallenge(challengeOf(named('sha256', marked(12)))))
  for (const { payload, from } of vectors.transcripts[0].messages)
    t.is(isChallenge(unhex(payload)), payload.startsWith(prefix.toString('hex')), from)
  for (const digest of [...modern, 'md5']) {
    const most = 245 - digest.length - 2
    for (const length of [20, 40, most]) t.true(isChallenge(challengeOf(named(digest, marked(length)))))
    t.false(isChallenge(challengeOf(named(digest, marked(19)))))
    t.false(isChallenge(challengeOf(named(digest, marked(most + 1)))))
    t.false(isChallenge(named(digest, marked(40))))
  }
  for (const rest of [marked(0), marked(19), marked(21), marked(40), named('sha1', marked(40)), named('', marked(40))])
    t.false(isChallenge(challengeOf(rest)))
  for (const message of [Buffer.alloc(0), welcome, failure, prefix.subarray(0, -1), marked(31), marked(1000)])
    t.false(isChallenge(message))
  t.false(isChallenge(Buffer.concat([Buffer.from(' '), challengeOf(marked(19))])))
  t.true(isChallenge(new Uint8Array(challengeOf(marked(20)))))
})
