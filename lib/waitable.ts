/** What can be waited on, as `wait` sees it: it knows no classes. */

/**
 * The key of a method of objects that can be waited on because something inside them can: it gives `true` when ready
 * now, else the waitable that stands for the object. `Symbol.for('carom.waitable')`.
 */
export const waitable: unique symbol = Symbol.for('carom.waitable')

/** The key under which carom's own objects have their readiness. */
export const readiness: unique symbol = Symbol('carom.readiness')

/** Who wants to know when it is worth looking again. */
export interface ReadinessObserver {
  onChange(): void
}

/**
 * What a look finds. `idle`: not ready, and `changed` is called before it can be. `busy`: not ready, and there is more
 * to be done, in a later turn of the event loop.
 */
export type Look = 'ready' | 'idle' | 'busy'

/** Whether one object is ready: a receive, an `accept`, a `join` would not wait. */
export abstract class Readiness {
  #observers: ReadinessObserver[] = []

  /** Looks, without waiting and without consuming anything. @throws what keeps it from ever being ready. */
  abstract look(): Look
  /** Whether waiting for it keeps the process alive. */
  abstract readonly referenced: boolean
  /** When to look again even if nothing was told, on the clock of `performance.now()`. */
  get lookAgainAt(): number {
    return Number.POSITIVE_INFINITY
  }
  /** What it is, is found out anew by each wait. */
  readonly isAnew: boolean = false
  /** A wait begins; `blocking`: the event loop does not turn until it ends. */
  begin?(blocking: boolean): void
  /** That wait is over. */
  end?(): void

  /** What a look finds may be different from now on. */
  changed(): void {
    for (const observer of this.#observers) observer.onChange()
  }

  /** For the table of those who are told of news. */
  onNews(): void {
    this.changed()
  }

  observe(observer: ReadinessObserver): void {
    this.#observers.push(observer)
  }

  unobserve(observer: ReadinessObserver): void {
    this.#observers = this.#observers.filter(other => other !== observer)
  }
}
