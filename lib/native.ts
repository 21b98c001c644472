/**
 * The door to the native addon, and the memory that both languages see.
 *
 * The hot calls take a connection's slot (its number) and give a number; a negative one is the system's error.
 */
import { isMainThread, markAsUntransferable } from 'node:worker_threads'
import { Environment } from './addon.js'
import { systemError } from './errors.js'
import { hasLibuv } from './runtime.js'

/** The bytes of a message's header, and of that of one longer than `MAX_SHORT` bytes. */
export const HEADER = 4
export const LONG_HEADER = 12
export const MAX_SHORT = 0x7fffffff
/** From this number of bytes on a message is not copied, but sent from and received into a place of its own. */
export const LARGE = 64 * 1024

/** Waiting times besides milliseconds: not at all, and without asking the system when the reactor would have told. */
export const UNTIL_TOLD = -1
/** Not at all: what can be done now. */
export const NOW = 0

/** The bits of `read`'s result; the number of messages is above them. */
export const DRAINED = 1
export const BODY = 2
export const ENDED = 4
export const FRAMES_SHIFT = 3

/** The most messages that one read gives, and the most ranges that one flush takes. */
const MAX_FRAMES = 4096
export const MAX_EXTENTS = 1024
const MAX_NEWS = 1024
/** How often the reactor is asked for what is ready now, at most: some may become ready again and again. */
const MAX_LOOKS = 16

/** Messages are received into it; it must hold two of the longest that are. */
export const inbox = untransferable(Buffer.allocUnsafeSlow(2 * LARGE))
/** Offset and length of each received message in the inbox. */
export const spans = untransferable(new Uint32Array(2 * MAX_FRAMES))
/** Messages to send are packed into it, each after room for its header. */
export const outbox = untransferable(Buffer.allocUnsafeSlow(32 * LARGE))
/** From and to of each part of the outbox that a flush is to send. */
export const extents = untransferable(new Uint32Array(2 * MAX_EXTENTS))
/** The length of the large message that follows. */
export const bodyLength = untransferable(new Float64Array(1))
const news = untransferable(new Uint32Array(MAX_NEWS))
/** Whether the process is to be kept alive, and whether the reactor looks at that by itself, soon. */
const liveness = untransferable(new Uint32Array(2))

interface HotCalls {
  /** Receives messages into the inbox. */
  read(slot: number, wait: number): number
  /** Reads on in a large message: the number of bytes times 2, plus 1 when the stream has ended. */
  readBody(slot: number, target: Uint8Array, wait: number): number
  /** Sends what is unsent, and then the first `count` extents: the number of bytes that stay unsent. */
  flush(slot: number, count: number, wait: number): number
  /** Sends what is unsent, and then one message: how many bytes of its frame are on their way. */
  push(slot: number, message: Uint8Array, progress: number, wait: number): number
  /** Tells of bytes to receive, and with 1 also of room to send. */
  watch(slot: number, forRoom: 0 | 1): number
  /** Whether news that may come keeps the process alive. */
  keepAlive(yes: 0 | 1): number
}

/** What is told of news. */
export interface Observer {
  onNews(): void
}

/** Who waits for bytes to receive, by slot. Who does not wait is not in it, so that the collector can have it. */
export const readers: (Observer | undefined)[] = []
/** Who waits for room to send, by slot. */
export const writers: (Observer | undefined)[] = []
/** Who wants to know of bytes to receive even while nobody waits, by slot, if the collector has not had it. */
export const bystanders: (WeakRef<Observer> | undefined)[] = []

const threaded = process.env.CAROM_REACTOR === 'thread' || !hasLibuv

/** All calls that are not hot. */
export const environment = new Environment(
  { inbox, spans, outbox, extents, news, body: bodyLength, liveness },
  onWakeUp,
  threaded,
  !isMainThread,
)
const isOnLoop = environment.reactor === 'loop'
const calls = environment.calls as HotCalls
export const { read, readBody, flush, push, watch } = calls

/** Whether news that may come keeps the process alive. */
export function keepAlive(yes: 0 | 1): void {
  liveness[0] = yes
  if (liveness[1] === 0) calls.keepAlive(yes)
}

let turns = 0
let tellings = 0
let deferred: Observer[] = []

/** The number of the event loop's turn, for sharing it fairly. */
export function turn(): number {
  return turns
}

/** How often news was told. */
export function telling(): number {
  return tellings
}

/** Tells `observer` in the next turn of the event loop, after the others had theirs. */
export function defer(observer: Observer): void {
  if (deferred.length === 0) setImmediate(resume)
  if (deferred.at(-1) !== observer) deferred.push(observer)
}

function resume(): void {
  turns++
  tellings++
  const observers = deferred
  deferred = []
  for (const observer of observers) observer.onNews()
}

/** The part of the table of news that is not told yet. */
let next = 0
let end = 0

let isTableFull = false

/** The last wake-up told of all that were ready by then. */
export function toldAll(): boolean {
  return isOnLoop && !isTableFull
}

let isTurning = false

/** Called by the reactor, once for all that are ready. */
function onWakeUp(count: number): void {
  // A threadsafe function may be called a thousand times in one turn.
  if (isOnLoop) turns++
  else if (!isTurning) {
    isTurning = true
    setImmediate(() => {
      isTurning = false
      turns++
    })
  }
  dispatch(count)
}

function dispatch(count: number): void {
  isTableFull = count === MAX_NEWS
  tellings++
  next = 0
  end = count
  tell()
}

function tell(): void {
  try {
    while (next < end) {
      const entry = news[next++]
      const slot = entry >>> 2
      if (entry & 1) {
        readers[slot]?.onNews()
        bystanders[slot]?.deref()?.onNews()
      }
      if (entry & 2) writers[slot]?.onNews()
    }
  } finally {
    // What one of them throws must not cost the others their news.
    if (next < end) tell()
  }
}

/** Tells of all that is ready now, and was not told of yet. It is no turn of the event loop. */
export function lookNow(): void {
  for (let looks = 0; looks < MAX_LOOKS; looks++) if (learn(NOW) < MAX_NEWS) return
}

/**
 * One turn without the event loop: blocks until there is news, or until `deadline`, and tells of it.
 * @returns how many were told of.
 * @throws the system's error.
 */
export function turnSync(deadline: number): number {
  // What has to go on in a later turn goes on in this one.
  const goesOn = deferred.length > 0
  const count = learn(goesOn ? NOW : deadline)
  turns++
  if (goesOn) resume()
  return count
}

function learn(deadline: number): number {
  // A serializer of the user's may block while news is told, and wait for what is not told yet.
  const tellsOn = next < end
  if (tellsOn) {
    tellings++
    tell()
  }
  const count = environment.wait(tellsOn ? NOW : waitUntil(deadline))
  if (count < 0) throw systemError(count, 'poll')
  dispatch(count)
  return count
}

function untransferable<T extends ArrayBufferView>(view: T): T {
  markAsUntransferable(view.buffer)
  return view
}

/** The milliseconds that are left until `deadline`, on the clock of `performance.now()`. */
export function waitUntil(deadline: number): number {
  return deadline <= 0 || deadline === Number.POSITIVE_INFINITY ? deadline : Math.max(NOW, deadline - performance.now())
}

/** The moment at which a limit in milliseconds, counted from now, runs out. */
export function deadlineAfter(timeout: number): number {
  if (timeout === Number.POSITIVE_INFINITY) return timeout
  return timeout <= 0 ? NOW : performance.now() + timeout
}

/**
 * Blocks until the child process `pid` of this process has ended, for at most `timeout` milliseconds, without taking
 * it from libuv: how it ended, `undefined` when the time ran out.
 */
export function waitForExit(pid: number, timeout: number): { code?: number; signal?: number } | number | undefined {
  return environment.waitForExit(pid, Math.max(timeout, NOW)) ?? undefined
}
