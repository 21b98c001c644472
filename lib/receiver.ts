/** The receiving half of a connection: who waits for a message, first come, first served. */
import { type AsyncOptions, checkOptions, checkSignal, checkTimeout, type SyncOptions } from './arguments.js'
import {
  AuthenticationError,
  BufferTooShortError,
  busy,
  ClosedError,
  EOFError,
  MessageTooLongError,
  TimeoutError,
  WouldBlockError,
} from './errors.js'
import { isChallenge, MAX_HANDSHAKE_MESSAGE } from './handshake-messages.js'
import type { Inbox } from './inbox.js'
import { Limit } from './limit.js'
import type { Liveness } from './liveness.js'
import { deadlineAfter, defer, environment, NOW, readers, turn, UNTIL_TOLD } from './native.js'
import { sendAll } from './outbox.js'
import type { Sender } from './sender.js'
import { asFast, type FastSerializer, type Serializer } from './serializers/serializer.js'
import { sharing } from './turns.js'
import type { Look } from './waitable.js'
import { aMessage, type Want } from './want.js'

/** How many batches one connection reads before the event loop has its turn. */
const READS_PER_TURN = 4
/** How long a blocking receive pushes what is unsent before it looks for a message again, in milliseconds. */
const SEND_SLICE = 20

interface Pending {
  readonly want: Want
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  limit: Limit | undefined
}

export class Receiver {
  readonly #inbox: Inbox
  readonly #serializer: Serializer
  readonly #fast: FastSerializer | undefined
  readonly #liveness: Liveness
  readonly #nonblocking: boolean
  /** What a blocking receive has to send first, so that the other end is not waited for in vain. */
  readonly #sender: Sender
  #pending: Pending[] = []
  #turn = -1
  #reads = 0
  #failed = false
  /** Its user has no key, so that the first message must not be a challenge; the error, once it was. */
  #suspicion: true | Error | undefined
  #absorbing = false

  constructor(inbox: Inbox, serializer: Serializer, liveness: Liveness, nonblocking: boolean, sender: Sender) {
    this.#inbox = inbox
    this.#serializer = serializer
    this.#fast = asFast(serializer)
    this.#liveness = liveness
    this.#nonblocking = nonblocking
    this.#sender = sender
  }

  /** Receiving has ended for good, because of what the peer sent. */
  get failed(): boolean {
    return this.#failed
  }

  /** Some receive or poll waits. */
  get waiting(): boolean {
    return this.#pending.length > 0
  }

  /** Refuses to take a challenge for a message: the next one is the first of a client without a key. */
  suspectChallenge(): void {
    this.#suspicion = true
  }

  /** Nothing was received yet that could have been a challenge. */
  get suspectsChallenge(): boolean {
    return this.#suspicion === true
  }

  /** Whether a receive would wait. Those who receive already come first. */
  look(): Look {
    if (this.#pending.length > 0) return 'idle'
    const inbox = this.#inbox
    if (inbox.ready || inbox.ended || inbox.fill(UNTIL_TOLD, undefined, Number.POSITIVE_INFINITY)) return 'ready'
    return inbox.drained ? 'idle' : 'busy'
  }

  /** The next message, when it is there. */
  receive(want: Want, options: AsyncOptions | undefined): Promise<unknown> {
    // The way without a wait and without an option costs nothing but the message and its promise.
    if (options === undefined && this.#pending.length === 0) {
      if (this.#inbox.ready || this.#inbox.ended) return this.#settled(want)
      if (this.#mayRead() && this.#fill(UNTIL_TOLD, want)) return this.#settled(want)
    }
    return this.#receiveLater(want, options)
  }

  #receiveLater(want: Want, options: AsyncOptions | undefined): Promise<unknown> {
    const signal = checkSignal(checkOptions(options)?.signal)
    if (signal?.aborted) return Promise.reject(signal.reason)
    const timeout = checkTimeout(options?.timeout)
    const failsAtOnce = this.#nonblocking && options?.timeout === undefined && want.kind !== 'poll' && !want.iterate
    const waits = timeout > 0 && !failsAtOnce
    if (this.#pending.length === 0 && (!waits || options !== undefined)) {
      if (this.#fill(waits ? UNTIL_TOLD : NOW, want)) return sharing(this.#settled(want))
    }
    if (!waits) {
      if (want.kind === 'poll') return sharing(Promise.resolve(false))
      return sharing(Promise.reject(failsAtOnce ? WouldBlockError.forReceive() : TimeoutError.create(timeout)))
    }
    return new Promise((resolve, reject) => {
      const pending: Pending = { want, resolve, reject, limit: undefined }
      if (signal || timeout !== Number.POSITIVE_INFINITY)
        pending.limit = new Limit(timeout, signal, (reason, isTimeout) => this.#cancel(pending, reason, isTimeout))
      this.#pending.push(pending)
      if (this.#pending.length > 1) return
      this.#liveness.begin()
      readers[this.#inbox.slot] = this
      // Nothing will be told of what is there already, and was not read for the sake of others.
      if (!this.#inbox.drained || this.#reads > READS_PER_TURN) defer(this)
    })
  }

  /** True when a receive would not wait, false when the time ran out. */
  poll(timeout: number, signal: AbortSignal | undefined): Promise<boolean> {
    return this.receive(aMessage, { timeout, signal }) as Promise<boolean>
  }

  /** The next message; blocks the thread until it is there. */
  receiveSync(want: Want, options: SyncOptions | undefined): unknown {
    const timeout = checkTimeout(checkOptions(options)?.timeout)
    if (this.#pending.length > 0)
      throw busy('A receive or poll is pending on this connection: await it, or abort it, before a blocking receive')
    const failsAtOnce = this.#nonblocking && options?.timeout === undefined && !want.iterate
    const deadline = failsAtOnce ? NOW : deadlineAfter(timeout)
    if (!this.#inbox.ready) {
      this.#sendFirst(deadline)
      if (!this.#fill(deadline, want)) throw failsAtOnce ? WouldBlockError.forReceive() : TimeoutError.create(timeout)
    }
    return this.#take(want)
  }

  /** True when a receive would not wait, false when the time ran out; blocks the thread. Receives may be pending. */
  pollSync(timeout: number): boolean {
    const deadline = deadlineAfter(timeout)
    this.#serve()
    if (!this.#inbox.ready) this.#sendFirst(deadline)
    for (;;) {
      const here = this.#fill(deadline, this.#pending[0]?.want ?? aMessage)
      this.#serve()
      if (this.#pending.length === 0 && (this.#inbox.ready || this.#inbox.ended)) return true
      if (!here) return false
    }
  }

  /** News: there are bytes, or the end of the stream. */
  onNews(): void {
    try {
      this.#read()
    } catch (error) {
      for (const { limit, reject } of this.#dismiss()) {
        limit?.clear()
        reject(error)
      }
    }
  }

  #read(): void {
    while (this.#pending.length > 0) {
      if (!this.#mayRead()) {
        defer(this)
        return
      }
      const here = this.#fill(UNTIL_TOLD, this.#pending[0].want)
      this.#serve()
      if (here || this.#pending.length === 0) continue
      if (!this.#inbox.drained) defer(this)
      return
    }
    if (this.#absorbing) this.#absorb()
  }

  /**
   * While a send waits, one message is kept here that nobody has asked for yet, the next when that is taken: the other
   * end may be waiting in a send of its own, and two ends that send to each other and then receive must not wait for
   * ever.
   */
  setAbsorbing(absorbing: boolean): void {
    this.#absorbing = absorbing
    if (this.#pending.length > 0) return
    readers[this.#inbox.slot] = absorbing ? this : undefined
    if (absorbing) this.#absorb()
  }

  /** What is here may no longer be all that was told of: a send that waited has read ahead. */
  recheck(): void {
    this.#inbox.drained = false
    this.#inbox.readiness?.changed()
    if (this.#pending.length > 0) defer(this)
  }

  #absorb(): void {
    this.#inbox.drained = false
    if (!this.#inbox.ready) environment.absorb(this.#inbox.slot)
    // The reactor does not tell of what is taken from the system before it has looked.
    this.#inbox.readiness?.changed()
  }

  /** This end is closed: nobody waits any more. */
  close(): void {
    for (const each of this.#dismiss()) {
      each.limit?.clear()
      if (each.want.iterate) each.resolve({ value: undefined, done: true })
      else each.reject(ClosedError.create('connection'))
    }
  }

  /** Nobody waits any more: those who did. */
  #dismiss(): Pending[] {
    const pending = this.#pending
    this.#pending = []
    if (pending.length > 0) this.#idle()
    return pending
  }

  /** Gives what is there to those who wait, in their order. */
  #serve(): void {
    while (this.#pending.length > 0) {
      const inbox = this.#inbox
      const { want, resolve, reject, limit } = this.#pending[0]
      if (!inbox.ready && !inbox.ended && !(inbox.nextLength > this.#limitOf(want))) return
      this.#pending.shift()
      if (this.#pending.length === 0) this.#idle()
      limit?.clear()
      try {
        resolve(this.#take(want))
      } catch (error) {
        reject(error)
      }
    }
  }

  #idle(): void {
    readers[this.#inbox.slot] = this.#absorbing ? this : undefined
    this.#liveness.end()
    this.#inbox.readiness?.changed()
  }

  #cancel(pending: Pending, reason: unknown, isTimeout: boolean): void {
    const index = this.#pending.indexOf(pending)
    if (index === 0) this.#inbox.reclaim()
    this.#pending.splice(index, 1)
    if (this.#pending.length === 0) this.#idle()
    if (pending.want.kind === 'poll' && isTimeout) pending.resolve(false)
    else pending.reject(reason)
    // The next one may take what this one could not.
    if (index === 0) this.onNews()
  }

  #settled(want: Want): Promise<unknown> {
    try {
      return Promise.resolve(this.#take(want))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Takes what is there: a message, the end of the stream, or the reason why it is not taken. */
  #take(want: Want): unknown {
    const inbox = this.#inbox
    if (want.kind === 'poll') return true
    const length = inbox.nextLength
    if (this.#suspicion !== undefined && inbox.ready) this.#checkFirst(length)
    if (length > want.maxLength) throw MessageTooLongError.forReceive(length, want.maxLength)
    if (!inbox.ready) {
      const error = inbox.endError()
      this.#failed ||= error instanceof MessageTooLongError
      if (want.iterate && error instanceof EOFError && error.code === 'ERR_CAROM_EOF')
        return { value: undefined, done: true }
      throw error
    }
    // Nothing is told of what has come already.
    if (this.#absorbing) defer(this)
    if (want.target === undefined) {
      const message = want.kind === 'value' ? inbox.takeValue(this.#serializer, this.#fast) : inbox.takeBytes()
      return want.iterate ? { value: message, done: false } : message
    }
    if (length > want.target.byteLength) throw BufferTooShortError.create(inbox.takeBytes(), want.target.byteLength)
    return inbox.takeInto(want.target)
  }

  #checkFirst(length: number): void {
    if (this.#suspicion === true) {
      this.#suspicion = undefined
      if (length > MAX_HANDSHAKE_MESSAGE || !isChallenge(this.#inbox.peek())) return
      this.#suspicion = AuthenticationError.create(
        'The listener asks for a key, and this client was given none: give it the authkey of the listener',
      )
      this.#failed = true
    }
    throw this.#suspicion
  }

  /** What may be a challenge is received whole, to tell. */
  #limitOf({ maxLength }: Want): number {
    return this.#suspicion === true ? Math.max(maxLength, MAX_HANDSHAKE_MESSAGE) : maxLength
  }

  /** Receives: true when there is something to settle a receive with, be it that the message is too long for it. */
  #fill(deadline: number, want: Want): boolean {
    const limit = this.#limitOf(want)
    if (this.#inbox.fill(deadline, want.target, limit) || this.#inbox.nextLength > limit) return true
    if (deadline !== UNTIL_TOLD) this.#inbox.reclaim()
    return false
  }

  /** Shares the event loop: a peer that sends without end must not keep others from their turn. */
  #mayRead(): boolean {
    if (this.#turn !== turn()) {
      this.#turn = turn()
      this.#reads = 0
    }
    return this.#reads++ < READS_PER_TURN
  }

  /** What was accepted for sending leaves before this thread blocks, or the other end might wait for it for ever. */
  #sendFirst(deadline: number): void {
    sendAll()
    while (this.#sender.bufferedAmount > 0 && deadline > performance.now()) {
      if (this.#inbox.fill(NOW, undefined, Number.POSITIVE_INFINITY)) return
      try {
        this.#sender.drain(Math.min(deadline, performance.now() + SEND_SLICE))
      } catch {
        // Those who sent were told; what the other end has sent can still be received.
      }
    }
  }
}
