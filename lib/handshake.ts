/**
 * CPython's handshake (`multiprocessing.connection`), by which two sides prove to each other that they know the same
 * key: described once, without I/O, so that an async and a blocking driver can run it.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { AuthenticationError } from './errors.js'
import {
  CHALLENGE,
  type Digest,
  digestOf,
  equals,
  FAILURE,
  LEGACY_ANSWER_LENGTH,
  LEGACY_CHALLENGE_LENGTH,
  MAX_HANDSHAKE_MESSAGE,
  MD5,
  SHA256,
  startsWith,
  WELCOME,
} from './handshake-messages.js'

/**
 * Yields bytes: send them as one message. Yields `undefined`: give it the next message. Returns when both sides have
 * proved that they know the key. A driver that gives up calls `return()`.
 * @throws AuthenticationError
 */
export type Handshake = Generator<Uint8Array | undefined, void, Uint8Array | undefined>

/** The challenges that sides in this process have open: each is all that follows `#CHALLENGE#`. */
export interface OpenChallenges {
  open(challenge: Uint8Array): void
  close(challenge: Uint8Array): void
  /** False for one that is open in this process, unless it came from the very listener that opened it. */
  mayAnswer(challenge: Uint8Array): boolean
}

export interface HandshakeTerms {
  /** Not empty. */
  readonly authkey: Uint8Array
  /** Also MD5, and with it the peers that know nothing else: Python before 3.12 and billiard. */
  readonly legacyAuth: boolean
  readonly challenges: OpenChallenges
  /**
   * A client on a Unix socket delivers its challenge without waiting for the verdict, which saves a way there and back.
   * On TCP it does not: a listener that closes while that is unread resets the connection, and the verdict could be lost.
   */
  readonly isLocal?: boolean
  /** Random bytes, for tests. Default: those of `node:crypto`. */
  readonly random?: (size: number) => Uint8Array
}

type Side = 'client' | 'listener'

/** Random bytes in a challenge of ours. */
const CHALLENGE_LENGTH = 40
/** Random bytes that are made at once. */
const POOL = 4096

/** A listener's part: it delivers a challenge, then answers one, so that only a peer that knows the key gets answers. */
export function* listenerHandshake(terms: HandshakeTerms): Handshake {
  yield* deliverChallenge(terms, 'client')
  const challenge = checkChallenge(yield* receive('client'), 'client')
  yield* answerChallenge(challenge, terms, 'client')
}

/**
 * A client's part: it answers a challenge, then delivers one. Whom it answers has proved nothing yet, and may have the
 * challenge from a listener that it wants to get past with this process's answer.
 */
export function* clientHandshake(terms: HandshakeTerms): Handshake {
  const challenge = checkChallenge(yield* receive('listener'), 'listener')
  if (!terms.challenges.mayAnswer(challenge))
    throw AuthenticationError.create(
      'This challenge is open in this process, so whoever sent it may only pass it on, and it was not answered: connect to the address of the listener itself',
    )
  if (terms.isLocal) {
    yield answerTo(challenge, terms, 'listener')
    yield* deliverChallenge(terms, 'listener', () => checkVerdict('listener'))
  } else {
    yield* answerChallenge(challenge, terms, 'listener')
    yield* deliverChallenge(terms, 'listener')
  }
}

let pool = Buffer.alloc(0)

/** Random bytes, of which many are made at once: asking for them costs more than they do. */
function freshBytes(size: number): Uint8Array {
  if (pool.length < size) pool = randomBytes(POOL)
  const bytes = pool.subarray(0, size)
  pool = pool.subarray(size)
  return bytes
}

/**
 * Has the peer prove that it knows the key, and tells it the verdict.
 * @param awaited What the peer says before it answers.
 */
function* deliverChallenge(terms: HandshakeTerms, peer: Side, awaited?: () => Handshake): Handshake {
  const { challenges, random = freshBytes } = terms
  const challenge = Buffer.concat([SHA256.prefix, random(CHALLENGE_LENGTH)])
  let answer: Uint8Array
  challenges.open(challenge)
  try {
    yield Buffer.concat([CHALLENGE, challenge])
    if (awaited !== undefined) yield* awaited()
    answer = yield* receive(peer)
  } finally {
    challenges.close(challenge)
  }
  try {
    verify(answer, challenge, terms, peer)
  } catch (error) {
    yield FAILURE
    throw error
  }
  yield WELCOME
}

/** Proves to the peer that this side knows the key. */
function* answerChallenge(challenge: Uint8Array, terms: HandshakeTerms, peer: Side): Handshake {
  yield answerTo(challenge, terms, peer)
  yield* checkVerdict(peer)
}

/** @throws AuthenticationError unless the peer accepts the answer to its challenge. */
function* checkVerdict(peer: Side): Handshake {
  const verdict = yield* receive(peer)
  if (equals(verdict, WELCOME)) return
  throw AuthenticationError.create(
    equals(verdict, FAILURE)
      ? `The ${peer} rejected this ${other(peer)}'s authkey: both sides need the same`
      : `The ${peer} neither accepted nor rejected the answer to its challenge: it does not speak multiprocessing's handshake`,
  )
}

/** The next message. @throws AuthenticationError when it is too long. */
function* receive(peer: Side): Generator<undefined, Uint8Array, Uint8Array | undefined> {
  const message = (yield undefined) as Uint8Array
  if (message.length > MAX_HANDSHAKE_MESSAGE)
    throw AuthenticationError.create(
      `The ${peer} sent more than the ${MAX_HANDSHAKE_MESSAGE} bytes that a message of the handshake may have: it may have no authkey`,
    )
  return message
}

/** All that follows `#CHALLENGE#`. @throws AuthenticationError when the message is no challenge. */
function checkChallenge(message: Uint8Array, peer: Side): Uint8Array {
  if (!startsWith(message, CHALLENGE))
    throw AuthenticationError.create(
      peer === 'listener'
        ? 'The listener did not begin with a challenge: it may have no authkey'
        : "The client did not challenge this listener in its turn: it does not speak multiprocessing's handshake",
    )
  return message.subarray(CHALLENGE.length)
}

/** @throws AuthenticationError for a challenge that is not answered. */
function answerTo(challenge: Uint8Array, { authkey, legacyAuth }: HandshakeTerms, peer: Side): Uint8Array {
  // With little in it that is fresh, its answer could serve for another.
  if (challenge.length < LEGACY_CHALLENGE_LENGTH)
    throw AuthenticationError.create(
      `The ${peer}'s challenge has less than ${LEGACY_CHALLENGE_LENGTH} bytes, and such are never answered`,
    )
  const isLegacy = challenge.length === LEGACY_CHALLENGE_LENGTH
  const digest = isLegacy ? MD5 : digestOf(challenge)
  if (digest === undefined)
    throw AuthenticationError.create(
      `The ${peer}'s challenge asks for a digest that carom lacks: it has sha256, sha384, sha3_256 and sha3_384`,
    )
  if (digest === MD5 && !legacyAuth)
    throw AuthenticationError.create(
      `The ${peer} asks for an answer in MD5, as Python before 3.12 and billiard do: set legacyAuth: true to give it`,
    )
  const answer = mac(digest, authkey, challenge)
  return isLegacy ? answer : Buffer.concat([digest.prefix, answer])
}

/** @throws AuthenticationError when this is not the answer to our challenge of one who knows the key. */
function verify(answer: Uint8Array, challenge: Uint8Array, { authkey, legacyAuth }: HandshakeTerms, peer: Side): void {
  const isLegacy = answer.length === LEGACY_ANSWER_LENGTH
  const digest = isLegacy ? MD5 : digestOf(answer)
  if (digest === undefined)
    throw AuthenticationError.create(`The ${peer} sent no answer to the challenge: it may have no authkey`)
  if (digest === MD5 && !legacyAuth)
    throw AuthenticationError.create(
      `The ${peer} answered in MD5, as Python before 3.12 and billiard do: set legacyAuth: true to accept that`,
    )
  const proof = isLegacy ? answer : answer.subarray(digest.prefix.length)
  const expected = mac(digest, authkey, challenge)
  // The length is no secret, and timingSafeEqual throws where it differs.
  if (proof.length !== expected.length || !timingSafeEqual(proof, expected))
    throw AuthenticationError.create(
      `The ${peer} does not have this ${other(peer)}'s authkey: both sides need the same`,
    )
}

/** @throws AuthenticationError when this machine's OpenSSL has no such digest, as with MD5 in FIPS mode. */
function mac({ algorithm }: Digest, authkey: Uint8Array, challenge: Uint8Array): Buffer {
  try {
    return createHmac(algorithm, authkey).update(challenge).digest()
  } catch {
    throw AuthenticationError.create(
      `This machine's OpenSSL forbids or lacks ${algorithm}, the digest that the handshake needs: use a peer that speaks another`,
    )
  }
}

function other(side: Side): Side {
  return side === 'client' ? 'listener' : 'client'
}
