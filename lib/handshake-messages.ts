/** How the messages of the handshake look: without the cryptography, which not every process needs. */

/** Longest message of a handshake, in bytes. */
export const MAX_HANDSHAKE_MESSAGE = 256
/** Least bytes of a challenge. Exactly so many are a legacy one, whatever they begin with. */
export const LEGACY_CHALLENGE_LENGTH = 20
/** An answer of exactly so many bytes is a bare HMAC-MD5, whatever it begins with. */
export const LEGACY_ANSWER_LENGTH = 16

export const CHALLENGE = Buffer.from('#CHALLENGE#')
export const WELCOME = Buffer.from('#WELCOME#')
export const FAILURE = Buffer.from('#FAILURE#')

export interface Digest {
  /** As OpenSSL calls it. */
  readonly algorithm: string
  /** What stands before a challenge or an answer, with the name as Python has it. */
  readonly prefix: Buffer
}

const named = (name: string): Digest => ({ algorithm: name.replace('_', '-'), prefix: Buffer.from(`{${name}}`) })
export const SHA256 = named('sha256')
export const MD5 = named('md5')
const DIGESTS: readonly Digest[] = [SHA256, named('sha384'), named('sha3_256'), named('sha3_384'), MD5]

/** Whether a message that came first can only be a challenge: how a client without a key learns that it needs one. */
export function isChallenge(message: Uint8Array): boolean {
  if (message.length > MAX_HANDSHAKE_MESSAGE || !startsWith(message, CHALLENGE)) return false
  const challenge = message.subarray(CHALLENGE.length)
  if (challenge.length === LEGACY_CHALLENGE_LENGTH) return true
  const prefix = digestOf(challenge)?.prefix
  return prefix !== undefined && challenge.length >= prefix.length + LEGACY_CHALLENGE_LENGTH
}

/** The digest whose prefix stands in front. */
export function digestOf(bytes: Uint8Array): Digest | undefined {
  return DIGESTS.find(({ prefix }) => startsWith(bytes, prefix))
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return equals(bytes.subarray(0, prefix.length), prefix)
}

/** For what is no secret: takes as long as the bytes are alike. */
export function equals(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
