/**
 * A handshake on a new connection: in the background, or blocking.
 *
 * It works on what a connection is made of, as the connection is there only when it is done: a peer without the key
 * must not cost more than it has to.
 */
import { AuthenticationError, EOFError, errnoOf, type HandshakeError, systemError, TimeoutError } from './errors.js'
import type { Handshake } from './handshake.js'
import { MAX_HANDSHAKE_MESSAGE } from './handshake-messages.js'
import type { Inbox } from './inbox.js'
import {
  environment,
  flush,
  HEADER,
  NOW,
  type Observer,
  push,
  readers,
  UNTIL_TOLD,
  waitUntil,
  watch,
} from './native.js'

/** What the system says of a write when the peer has hung up. */
const HUNG_UP = new Set((['EPIPE', 'ECONNRESET'] as const).map(errnoOf))

/** What a handshake has come to, or why it failed. */
type Outcome = (error?: HandshakeError) => void

/** A handshake that goes on whenever the peer has said something. */
export class Negotiation implements Observer {
  readonly #inbox: Inbox
  readonly #talk: Talk
  readonly #onEnd: Outcome

  constructor(inbox: Inbox, handshake: Handshake, onEnd: Outcome) {
    this.#inbox = inbox
    this.#talk = new Talk(inbox.slot, handshake)
    this.#onEnd = onEnd
  }

  /** Says what there is to say, and from then on waits for the peer. */
  begin(): void {
    const { slot } = this.#inbox
    readers[slot] = this
    allowHandshake(this.#inbox)
    this.#goOn(() => {
      const status = watch(slot, 0)
      if (status < 0) throw systemError(status, 'epoll_ctl')
      return this.#talk.answer(undefined)
    })
  }

  onNews(): void {
    this.#goOn(() => this.#listen())
  }

  /** Gives up; `onEnd` is not called. */
  abandon(): void {
    readers[this.#inbox.slot] = undefined
    this.#talk.end()
  }

  /** @param step One of the handshake: whether it was the last. */
  #goOn(step: () => boolean): void {
    let failure: HandshakeError | undefined
    try {
      const isDone = step()
      this.#talk.send(NOW)
      if (!isDone) return
      limitMessages(this.#inbox)
    } catch (error) {
      failure = error as HandshakeError
    }
    this.abandon()
    this.#onEnd(failure)
  }

  /** Goes on with what the peer has said: whether it is done. */
  #listen(): boolean {
    for (;;) {
      const message = take(this.#inbox, UNTIL_TOLD)
      if (message === undefined) return false
      if (this.#talk.answer(message)) return true
      // Who has just been asked cannot have answered yet.
      if (this.#inbox.nextLength < 0 && this.#inbox.drained) return false
    }
  }
}

/**
 * The same, blocking until it is done or `deadline` has come.
 * @returns whether it is done.
 */
export function negotiateSync(inbox: Inbox, handshake: Handshake, deadline: number): boolean {
  const talk = new Talk(inbox.slot, handshake)
  allowHandshake(inbox)
  try {
    let message: Uint8Array | undefined
    for (;;) {
      const isDone = talk.answer(message)
      talk.send(waitUntil(deadline))
      if (isDone) {
        limitMessages(inbox)
        return true
      }
      message = take(inbox, deadline)
      if (message === undefined) return false
    }
  } finally {
    talk.end()
  }
}

/** The messages of the handshake may be longer than those of the user; what follows them may not. */
function allowHandshake({ slot, maxMessageLength }: Inbox): void {
  if (maxMessageLength < MAX_HANDSHAKE_MESSAGE) environment.limit(slot, MAX_HANDSHAKE_MESSAGE, true)
}

function limitMessages({ slot, maxMessageLength }: Inbox): void {
  if (maxMessageLength < MAX_HANDSHAKE_MESSAGE) environment.limit(slot, maxMessageLength, false)
}

/** What one side says, gathered so that all that is said at once leaves with one system call. */
class Talk {
  readonly #slot: number
  readonly #handshake: Handshake
  #last: Uint8Array | undefined
  #isQueued = false

  constructor(slot: number, handshake: Handshake) {
    this.#slot = slot
    this.#handshake = handshake
  }

  /** Answers a message, or begins: whether that was all, else it is the peer's turn. */
  answer(message: Uint8Array | undefined): boolean {
    try {
      return this.#gather(message)
    } catch (error) {
      this.#sendVerdict()
      throw error
    }
  }

  #gather(message: Uint8Array | undefined): boolean {
    for (let given = message; ; given = undefined) {
      const { value, done } = this.#handshake.next(given)
      if (value === undefined) return done === true
      if (this.#last !== undefined) {
        environment.queue(this.#slot, this.#last, 0)
        this.#isQueued = true
      }
      this.#last = value
    }
  }

  /** The peer learns that it has failed, if it is still there. */
  #sendVerdict(): void {
    try {
      this.send(NOW)
    } catch {
      // Why it has failed says more.
    }
  }

  /** Sends it: a few hundred bytes in all. A peer that has no room for them does not read. */
  send(wait: number): void {
    const message = this.#last
    if (message === undefined) return
    this.#last = undefined
    if (this.#isQueued) environment.queue(this.#slot, message, 0)
    const status = this.#isQueued ? flush(this.#slot, 0, wait) : push(this.#slot, message, 0, wait)
    if (HUNG_UP.has(status)) throw EOFError.atEnd(systemError(status, 'write'))
    if (status < 0) throw systemError(status, 'write')
    if (status !== (this.#isQueued ? 0 : HEADER + message.byteLength)) throw TimeoutError.create(0)
    this.#isQueued = false
  }

  end(): void {
    this.#handshake.return()
  }
}

/** The peer's next message, if it is there in time. @throws why there can be none. */
function take(inbox: Inbox, deadline: number): Uint8Array | undefined {
  const isThere = inbox.fill(deadline, undefined, MAX_HANDSHAKE_MESSAGE)
  if (inbox.nextLength > MAX_HANDSHAKE_MESSAGE) throw nonsense()
  if (!isThere) return undefined
  if (inbox.ready) return inbox.takeBytes()
  const error = inbox.endError()
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_CAROM_MESSAGE_TOO_LONG') throw nonsense()
  // Within a handshake a reset is a hang-up, on TCP too.
  throw code === 'ECONNRESET' ? EOFError.atEnd(error) : error
}

function nonsense(): AuthenticationError {
  return AuthenticationError.create('The peer sent something else than a message of the handshake')
}
