/** Waiting until any of several objects is ready. */
import { type AsyncOptions, checkSignal, checkTimeout, limitOf, type SyncOptions } from './arguments.js'
import { invalidArgType, invalidArgValue } from './errors.js'
import type { ReadableConnection } from './interfaces.js'
import type { Listener } from './listener.js'
import type { Process } from './process.js'
import { DescriptorReadiness } from './wait/descriptor-readiness.js'
import { WaitSet } from './wait/wait-set.js'
import { type Look, Readiness, readiness, waitable } from './waitable.js'

/** An object that can be waited on because something inside it can. */
export interface CustomWaitable {
  /** Called once at the start of each wait: `true` when ready now, else what becomes ready when this does. */
  [waitable](): true | Waitable
}

/** What `wait` takes. A bare descriptor, or an object with one, counts as ready when it is readable (not on Windows). */
export type Waitable =
  | ReadableConnection
  | Listener<unknown, never>
  // biome-ignore lint/suspicious/noExplicitAny: a process of any target
  | Process<any>
  | CustomWaitable
  | number
  | {
      /** A descriptor. */
      readonly fd: number
    }

/** How many lists are kept for the next wait for the same objects. */
const KEPT = 8
/** How many objects may stand for each other in a row. */
const MAX_STANDING = 100

/** What stands for an object that is ready, which is nothing that a user could have. */
const ready = Symbol('ready')

/** Weakly, so that objects that were dropped are not held: their readiness holds the sets that they are in. */
const kept: (WeakRef<WaitSet> | undefined)[] = new Array(KEPT).fill(undefined)
let oldest = 0

/**
 * Waits until at least one of `objects` is ready: those that are, in the order given; `[]` when the time ran out, or
 * for an empty list. Consumes nothing.
 * @param timeout Milliseconds; 0 or less: what is ready now. Default: no limit.
 * @throws ClosedError for one that is closed at the start; TypeError for what cannot be waited on.
 */
export function wait<T extends Waitable>(objects: Iterable<T>, timeout?: number | AsyncOptions): Promise<T[]> {
  try {
    const options = limitOf(timeout)
    const milliseconds = checkTimeout(options.timeout)
    const signal = checkSignal(options.signal)
    if (signal?.aborted) throw signal.reason
    // Its list is a copy already: at thousands of objects, another one costs more than the wait.
    const same = Array.isArray(objects) ? keptSet(objects, false) : undefined
    if (same !== undefined) return same.wait(same.targets as readonly T[], milliseconds, signal)
    const list = listOf(objects)
    if (list.length === 0) return Promise.resolve([])
    const set = setOf(list)
    return set.wait(list, milliseconds, signal)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The same; blocks the thread. Receives may be pending. */
export function waitSync<T extends Waitable>(objects: Iterable<T>, timeout?: number | SyncOptions): T[] {
  const milliseconds = checkTimeout(limitOf(timeout).timeout)
  const same = Array.isArray(objects) ? keptSet(objects, true) : undefined
  if (same !== undefined) return same.waitSync(same.targets as readonly T[], milliseconds)
  const list = listOf(objects)
  return list.length === 0 ? [] : setOf(list, true).waitSync(list, milliseconds)
}

function listOf<T>(objects: Iterable<T>): readonly T[] {
  if (typeof (objects as Iterable<T> | undefined)?.[Symbol.iterator] !== 'function' || typeof objects === 'string')
    throw invalidArgType('objects', 'an iterable of waitables', objects)
  // What has holes is no list of waitables: they become `undefined`.
  return [...objects]
}

/** The kept set for the same objects, or a new one. @param alone Nobody else may be waiting on it. */
function setOf(list: readonly unknown[], alone = false): WaitSet {
  // Most lists come again, and none of their objects need be touched then.
  return keptSet(list, alone) ?? setOfTargets(list, alone)
}

function keptSet(targets: readonly unknown[], alone: boolean): WaitSet | undefined {
  for (const reference of kept) {
    const set = reference?.deref()
    if (set && isSame(set.targets, targets) && set.isFree(alone)) return set
  }
  return undefined
}

function setOfTargets(list: readonly unknown[], alone: boolean): WaitSet {
  // Each is asked once, however often it stands in the list.
  const asked = new Map<unknown, unknown>()
  const targets = list.map(object => {
    if (!isCustom(object)) return object
    if (!asked.has(object)) asked.set(object, targetOf(object))
    return asked.get(object)
  })
  return keptSet(targets, alone) ?? keep(targets)
}

/** What stands for an object: itself, unless it has a `[waitable]` of its own. */
function targetOf(object: unknown): unknown {
  let target = object
  for (let i = 0; i < MAX_STANDING; i++) {
    if (!isCustom(target)) return target
    target = target[waitable]()
    if (target === true) return ready
  }
  throw invalidArgValue('waitable', 'stands for itself')
}

function isCustom(object: unknown): object is CustomWaitable {
  return typeof object === 'object' && typeof (object as CustomWaitable | null)?.[waitable] === 'function'
}

function keep(targets: readonly unknown[]): WaitSet {
  const readinesses = new Map<unknown, Readiness>()
  targets.forEach((target, index) => {
    if (!readinesses.has(target)) readinesses.set(target, readinessOf(target, index))
  })
  const set = new WaitSet(
    targets,
    targets.map(target => readinesses.get(target) as Readiness),
  )
  kept[oldest]?.deref()?.discard()
  kept[oldest] = new WeakRef(set)
  oldest = (oldest + 1) % KEPT
  return set
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** What `[waitable]` says with `true`. */
class AlwaysReady extends Readiness {
  readonly referenced = true
  look(): Look {
    return 'ready'
  }
}

function readinessOf(target: unknown, index: number): Readiness {
  if (typeof target === 'number') return new DescriptorReadiness(target)
  if (target === ready) return new AlwaysReady()
  const object = target as { readonly [readiness]?: Readiness; readonly fd?: unknown } | null | undefined
  if (typeof object === 'object' && object !== null) {
    if (object[readiness] !== undefined) return object[readiness]
    if (typeof object.fd === 'number') return new DescriptorReadiness(object as { fd: number })
  }
  throw invalidArgType(`objects[${index}]`, 'a connection, listener, process, descriptor or waitable', target)
}
