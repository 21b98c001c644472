/**
 * The objects of one call of `wait`, kept for the next call with the same ones.
 *
 * A set knows which of its members may have become ready since they were looked at last, and looks at those only: what
 * a wait costs grows with what is ready, not with what is waited on.
 */
import { Limit } from '../limit.js'
import { Liveness } from '../liveness.js'
import { deadlineAfter, defer, lookNow, NOW, toldAll, turnSync } from '../native.js'
import { sendAll } from '../outbox.js'
import { sharing } from '../turns.js'
import type { Look, Readiness, ReadinessObserver } from '../waitable.js'

interface Waiter {
  /** What to give those of that are ready. */
  readonly list: readonly unknown[]
  readonly resolve: (ready: unknown[]) => void
  limit: Limit | undefined
}

/** Those that are waited on, so that the collector does not have what nobody else holds. */
const waiting = new Set<WaitSet>()

/** One object, and where it is in the list. */
class Member implements ReadinessObserver {
  readonly readiness: Readiness
  readonly positions: number[] = []
  readonly #set: WaitSet
  /** It is among those that have to be looked at. */
  isCandidate = false

  constructor(readiness: Readiness, set: WaitSet) {
    this.readiness = readiness
    this.#set = set
  }

  onChange(): void {
    this.#set.reconsider(this)
  }
}

export class WaitSet {
  /** What is waited on, place by place. */
  readonly targets: readonly unknown[]
  readonly #members: readonly Member[]
  /** Those that have something to do while a wait is pending. */
  readonly #active: readonly Member[]
  #candidates: Member[] = []
  readonly #waiters = new Set<Waiter>()
  readonly #liveness = new Liveness()
  #isBusy = false
  #isScheduled = false
  #isLooking = false
  /** How many calls are under way here that what they call could come back into. */
  #calls = 0
  #isDiscarded = false

  /** @param readinesses One for each place; the same one for the same object. */
  constructor(targets: readonly unknown[], readinesses: readonly Readiness[]) {
    this.targets = targets
    const members = new Map<Readiness, Member>()
    readinesses.forEach((readiness, position) => {
      let member = members.get(readiness)
      if (member === undefined) {
        member = new Member(readiness, this)
        members.set(readiness, member)
      }
      member.positions.push(position)
    })
    this.#members = [...members.values()]
    this.#active = this.#members.filter(({ readiness }) => readiness.begin || readiness.end)
    for (const member of this.#members) {
      member.readiness.observe(member)
      this.reconsider(member)
    }
  }

  /** Some wait is pending. */
  get isWaiting(): boolean {
    return this.#waiters.size > 0
  }

  /** One more wait may begin here. @param alone It cannot share the set with one that is pending. */
  isFree(alone: boolean): boolean {
    // Who is called back by what is looked at, and waits, needs a set that is not in the middle of a look.
    if (this.#calls > 0) return false
    return !this.isWaiting || !(alone || this.#members.some(({ readiness }) => readiness.isAnew))
  }

  /**
   * Those of `list`, an object for each place, that are ready, in their order; none when the time ran out.
   * @throws for an object that can never be ready; rejects with the signal's reason.
   */
  wait<T>(list: readonly T[], timeout: number, signal: AbortSignal | undefined): Promise<T[]> {
    const begins = !this.isWaiting
    this.#calls++
    if (begins) this.#begin(false)
    let waits = false
    let ready: number[]
    try {
      ready = this.#lookFirst(timeout)
      waits = ready.length === 0 && timeout > 0
    } finally {
      this.#calls--
      if (begins && !waits) this.#end()
    }
    if (!waits) return sharing(Promise.resolve(ready.map(position => list[position])))
    return this.#waitLater(list, timeout, signal)
  }

  /** The same; blocks the thread. No other wait is pending. */
  waitSync<T>(list: readonly T[], timeout: number): T[] {
    const deadline = deadlineAfter(timeout)
    this.#calls++
    this.#begin(true)
    try {
      let ready = this.#lookFirst(timeout)
      while (ready.length === 0 && deadline > performance.now()) {
        // What was accepted for sending leaves before this thread blocks, or the other end might wait for it for ever.
        sendAll()
        turnSync(this.#isBusy ? NOW : Math.min(deadline, this.#lookAgainAt()))
        this.#reconsiderInTime()
        ready = this.#lookAgain()
      }
      return ready.map(position => list[position])
    } finally {
      this.#calls--
      this.#end()
    }
  }

  /** It is not kept for further waits. */
  discard(): void {
    this.#isDiscarded = true
    if (!this.isWaiting && this.#calls === 0) this.#unobserve()
  }

  /** A member may have become ready, or has been closed. */
  reconsider(member: Member): void {
    if (!member.isCandidate) {
      member.isCandidate = true
      this.#candidates.push(member)
    }
    if (this.isWaiting && !this.#isScheduled && !this.#isLooking) {
      // Not before all have learnt their news: one wake-up tells of all that are ready.
      this.#schedule()
    }
  }

  #schedule(): void {
    this.#isScheduled = true
    queueMicrotask(() => this.onNews())
  }

  /** Gives those who wait what is ready, if anything is. */
  onNews(): void {
    this.#isScheduled = false
    if (!this.isWaiting) return
    if (this.#calls > 0) {
      // A blocking call inside of what is looked at turns, and tells of what was put off.
      this.#schedule()
      return
    }
    let ready: number[]
    this.#calls++
    try {
      ready = this.#lookAgain()
    } finally {
      this.#calls--
    }
    if (this.#isDiscarded && !this.isWaiting) this.#unobserve()
    // Looking may have told this very set.
    if (!this.isWaiting) return
    if (ready.length === 0) {
      this.#hold()
      if (this.#isBusy) defer(this)
      return
    }
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    this.#release()
    for (const { list, resolve, limit } of waiters) {
      limit?.clear()
      resolve(ready.map(position => list[position]))
    }
  }

  #waitLater<T>(list: readonly T[], timeout: number, signal: AbortSignal | undefined): Promise<T[]> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { list, resolve: resolve as Waiter['resolve'], limit: undefined }
      if (signal !== undefined || timeout !== Number.POSITIVE_INFINITY) {
        waiter.limit = new Limit(timeout, signal, (reason, isTimeout) => {
          this.#remove(waiter)
          if (isTimeout) resolve([])
          else reject(reason)
        })
      }
      this.#waiters.add(waiter)
      if (this.#waiters.size === 1) {
        waiting.add(this)
        this.#liveness.begin()
      }
      this.#hold()
      if (this.#isBusy) defer(this)
    })
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter)
    if (!this.isWaiting) this.#release()
  }

  #release(): void {
    waiting.delete(this)
    this.#liveness.end()
    this.#end()
  }

  /** The first look of a wait. Where it is the only one, the system is asked for what it has not told yet. */
  #lookFirst(timeout: number): number[] {
    const ready = this.#look(true)
    if (ready.length === 0 && timeout > 0) return ready
    lookNow()
    return this.#look(true)
  }

  /** The look after a wake-up, which may have told of the first of several only. */
  #lookAgain(): number[] {
    const ready = this.#look(false)
    if (ready.length === 0 || toldAll()) return ready
    lookNow()
    return this.#look(false)
  }

  /** Looks at those that may be ready. @param strict Throw what a look throws; else it counts as being ready. */
  #look(strict: boolean): number[] {
    const candidates = this.#candidates
    const ready: number[] = []
    let index = 0
    let kept = 0
    this.#isBusy = false
    this.#isLooking = true
    try {
      // What changes by looking is added behind.
      for (; index < candidates.length; index++) {
        const member = candidates[index]
        const found = strict ? member.readiness.look() : lookAt(member.readiness)
        if (found === 'ready') ready.push(...member.positions)
        if (found === 'busy') this.#isBusy = true
        if (found === 'idle') member.isCandidate = false
        else candidates[kept++] = member
      }
    } finally {
      while (index < candidates.length) candidates[kept++] = candidates[index++]
      candidates.length = kept
      this.#isLooking = false
    }
    return ready.sort((a, b) => a - b)
  }

  #lookAgainAt(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const { readiness } of this.#active) earliest = Math.min(earliest, readiness.lookAgainAt)
    return earliest
  }

  #reconsiderInTime(): void {
    const now = performance.now()
    for (const member of this.#active) if (member.readiness.lookAgainAt <= now) this.reconsider(member)
  }

  /** Keeps the process alive if one of those that are waited for does. */
  #hold(): void {
    this.#liveness.setReferenced(this.#members.some(({ readiness }) => readiness.referenced))
  }

  #begin(blocking: boolean): void {
    for (const { readiness } of this.#active) readiness.begin?.(blocking)
  }

  /** No wait is under way any more. */
  #end(): void {
    for (const member of this.#active) {
      member.readiness.end?.()
      this.reconsider(member)
    }
    if (this.#isDiscarded) this.#unobserve()
  }

  #unobserve(): void {
    for (const member of this.#members) member.readiness.unobserve(member)
  }
}

/** What cannot be looked at any more was closed meanwhile, or is broken: a receive would not wait. */
function lookAt(readiness: Readiness): Look {
  try {
    return readiness.look()
  } catch {
    return 'ready'
  }
}
