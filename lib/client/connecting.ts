/** Connecting in the background. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { formatAddress } from '../address.js'
import type { ClientPlan, Connected } from '../client.js'
import { notFound, systemError, TimeoutError } from '../errors.js'
import { Limit } from '../limit.js'
import { Liveness } from '../liveness.js'
import { environment, NOW, watch, writers } from '../native.js'
import { Negotiation } from '../negotiation.js'
import {
  arrive,
  connectError,
  handshakeLimit,
  isWorthAnother,
  literalAddress,
  ofFamily,
  Pauses,
  type SystemAddress,
} from './attempt.js'

/** Stops what a step has begun. */
type Undo = () => void

/** Connects; keeps the process alive until that is done. */
export function connectTo(plan: ClientPlan): Promise<Connected> {
  return new Connecting(plan).run()
}

/** Several steps, one at a time, under one limit. */
class Connecting {
  readonly #plan: ClientPlan
  readonly #deadline: number
  readonly #liveness = new Liveness()
  /** The connection, as far as it is. */
  #slot: number | undefined
  /** Ends the step that is under way. */
  #fail: ((reason: unknown) => void) | undefined
  /** The limit has come. */
  #over: { readonly reason: unknown } | undefined

  constructor(plan: ClientPlan) {
    this.#plan = plan
    this.#deadline = performance.now() + plan.timeout
  }

  async run(): Promise<Connected> {
    const { timeout, signal } = this.#plan
    // A limit of 0 ends the first step that would wait.
    const limit = new Limit(timeout > 0 ? timeout : Number.POSITIVE_INFINITY, signal, reason => {
      this.#over = { reason }
      this.#fail?.(reason)
    })
    this.#liveness.begin()
    try {
      const result = await this.#connect()
      if (this.#over !== undefined) throw this.#over.reason
      return result
    } catch (error) {
      this.#close()
      // The limit may have come while no step was under way that it could end.
      throw this.#over === undefined ? error : this.#over.reason
    } finally {
      limit.clear()
      this.#liveness.end()
    }
  }

  async #connect(): Promise<Connected> {
    const { slot, address } = await this.#reach(await this.#lookUp())
    const { connected, handshake } = arrive(slot, address, this.#plan)
    if (handshake === undefined) return connected
    const { authentication, timeout } = this.#plan
    const { until, error } = handshakeLimit(authentication, timeout, this.#deadline)
    await this.#step<void>((resolve, reject) => {
      const negotiation = new Negotiation(connected.inbox, handshake, failure =>
        failure ? reject(failure) : resolve(),
      )
      const limit = new Limit(Math.max(until - performance.now(), NOW), undefined, () => reject(error()))
      negotiation.begin()
      return () => {
        limit.clear()
        negotiation.abandon()
      }
    })
    return connected
  }

  async #lookUp(): Promise<SystemAddress[]> {
    const { endpoint } = this.#plan
    const literal = literalAddress(endpoint)
    if (literal !== undefined) return [literal]
    const { host, port, family } = endpoint as { host: string; port: number; family: string }
    const addresses = isIP(host)
      ? (environment.resolve(host, port, Number.POSITIVE_INFINITY) ?? [])
      : await this.#step<string[]>((resolve, reject) => {
          const format = (found: { address: string }[]) =>
            found.map(({ address }) => formatAddress({ host: address, port }))
          lookup(host, { all: true, family: family === 'AF_INET6' ? 6 : 4 }).then(
            found => resolve(format(found)),
            reject,
          )
          return () => {}
        })
    const found = ofFamily(addresses, endpoint)
    if (found.length === 0) throw notFound(host)
    return found
  }

  /** The slot of a connection to the first of the addresses that answers. */
  async #reach(addresses: readonly SystemAddress[]): Promise<{ slot: number; address: SystemAddress }> {
    const retryUntil = performance.now() + this.#plan.retryFor
    const pauses = new Pauses()
    for (;;) {
      let failure: unknown
      for (const address of addresses) {
        try {
          return { slot: await this.#attempt(address), address }
        } catch (error) {
          this.#close()
          if (this.#over !== undefined) throw error
          failure = error
        }
      }
      if (!isWorthAnother(failure as NodeJS.ErrnoException, retryUntil)) throw failure
      await this.#step<void>(resolve => {
        const timer = setTimeout(resolve, pauses.next())
        return () => clearTimeout(timer)
      })
    }
  }

  async #attempt(address: SystemAddress): Promise<number> {
    const slot = environment.connect(address.name, address.inet, this.#plan.maxMessageLength)
    if (slot < 0) throw connectError(slot, address)
    this.#slot = slot
    const finish = () => {
      const status = environment.finishConnect(slot, NOW)
      if (status < 0) throw connectError(status, address)
      return status === 1
    }
    if (finish()) return slot
    await this.#step<void>((resolve, reject) => {
      const onNews = () => {
        try {
          if (finish()) resolve()
        } catch (error) {
          reject(error)
        }
      }
      writers[slot] = { onNews }
      const status = watch(slot, 1)
      if (status < 0) reject(systemError(status, 'connect'))
      return () => {
        writers[slot] = undefined
        watch(slot, 0)
      }
    })
    return slot
  }

  /** Runs something that takes its time, unless the limit comes first; `begin` gives what stops it. */
  #step<T>(begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => Undo): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) throw this.#over.reason
      let undo: Undo | undefined
      let isOver = false
      const settle = () => {
        isOver = true
        this.#fail = undefined
        undo?.()
      }
      this.#fail = reason => {
        settle()
        reject(reason)
      }
      undo = begin(value => {
        settle()
        resolve(value)
      }, this.#fail)
      if (isOver) undo()
      else if (this.#plan.timeout <= 0) this.#fail(TimeoutError.create(this.#plan.timeout))
    })
  }

  #close(): void {
    if (this.#slot !== undefined) environment.close(this.#slot)
    this.#slot = undefined
  }
}
