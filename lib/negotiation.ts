/**
 * A handshake on a new connection: in the background, or blocking.
 *
 * It works on what a connection is made of, as the connection is there only when it is done: a peer without the key
 * must not cost more than it has to.
 */
import { constants } from 'node:os'
import { AuthenticationError, EOFError, type HandshakeError, systemError, TimeoutError } from './errors.js'
import { type Handshake, MAX_HANDSHAKE_MESSAGE } from './handshake.js'
import type { Inbox } from './inbox.js'
import { HEADER, NOW, type Observer, push, readers, UNTIL_TOLD, waitUntil, watch } from './native.js'

/** What the system says of a write when the peer has hung up. */
const HUNG_UP = new Set((['EPIPE', 'ECONNRESET'] as const).map(name => -(constants.errno[name] as number)))

/** What a handshake has come to, or why it failed. */
type Outcome = (error?: HandshakeError) => void

/** A handshake that goes on whenever the peer has said something. */
export class Negotiation implements Observer {
  readonly #inbox: Inbox
  readonly #handshake: Handshake
  readonly #onEnd: Outcome

  constructor(inbox: Inbox, handshake: Handshake, onEnd: Outcome) {
    this.#inbox = inbox
    this.#handshake = handshake
    this.#onEnd = onEnd
  }

  /** Says what there is to say, and from then on waits for the peer. */
  begin(): void {
    const { slot } = this.#inbox
    readers[slot] = this
    this.#continue(() => {
      const status = watch(slot, 0)
      if (status < 0) throw systemError(status, 'epoll_ctl')
      return this.#speak(undefined)
    })
  }

  onNews(): void {
    this.#continue(() => this.#listen())
  }

  #continue(goOn: () => boolean): void {
    let isDone: boolean
    try {
      isDone = goOn()
    } catch (error) {
      this.#end(error as HandshakeError)
      return
    }
    if (isDone) this.#end()
  }

  /** Gives up; `onEnd` is not called. */
  abandon(): void {
    readers[this.#inbox.slot] = undefined
    this.#handshake.return()
  }

  /** Goes on with what the peer has said: whether it is done. */
  #listen(): boolean {
    for (;;) {
      const message = take(this.#inbox, UNTIL_TOLD)
      if (message === undefined) return false
      if (this.#speak(message)) return true
      // Who has just been asked cannot have answered yet.
      if (!this.#inbox.ready && this.#inbox.drained) return false
    }
  }

  /** Says what there is to say, to a message or to begin with: whether it is done. */
  #speak(message: Uint8Array | undefined): boolean {
    for (let given = message; ; given = undefined) {
      const { value, done } = this.#handshake.next(given)
      if (done) return true
      if (value === undefined) return false
      send(this.#inbox.slot, value, NOW)
    }
  }

  #end(error?: HandshakeError): void {
    this.abandon()
    this.#onEnd(error)
  }
}

/**
 * The same, blocking until it is done or `deadline` has come.
 * @returns whether it is done.
 */
export function negotiateSync(inbox: Inbox, handshake: Handshake, deadline: number): boolean {
  try {
    let step = handshake.next()
    while (!step.done) {
      if (step.value !== undefined) {
        send(inbox.slot, step.value, waitUntil(deadline))
        step = handshake.next()
        continue
      }
      const message = take(inbox, deadline)
      if (message === undefined) return false
      step = handshake.next(message)
    }
    return true
  } finally {
    handshake.return()
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

/** A few hundred bytes in all: a peer that has no room for them does not read. */
function send(slot: number, message: Uint8Array, wait: number): void {
  const progress = push(slot, message, 0, wait)
  if (HUNG_UP.has(progress)) throw EOFError.atEnd(systemError(progress, 'write'))
  if (progress < 0) throw systemError(progress, 'write')
  if (progress < HEADER + message.byteLength) throw TimeoutError.create(0)
}
