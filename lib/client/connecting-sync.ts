/** Connecting, blocking. */
import type { ClientPlan, Connected } from '../client.js'
import { notFound, TimeoutError } from '../errors.js'
import { deadlineAfter, environment, NOW, waitUntil } from '../native.js'
import { negotiateSync } from '../negotiation.js'
import { sendAll } from '../outbox.js'
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

/** Where a thread sleeps that has nothing to wake it. */
const bed = new Int32Array(new SharedArrayBuffer(4))

export function connectToSync(plan: ClientPlan): Connected {
  const { authentication, timeout } = plan
  const deadline = deadlineAfter(timeout)
  // What was accepted for sending leaves before this thread blocks, or the other end might wait for it for ever.
  sendAll()
  const { slot, address } = reach(lookUp(plan, deadline), plan, deadline)
  try {
    const { connected, handshake } = arrive(slot, address, plan)
    if (handshake !== undefined) {
      const { until, error } = handshakeLimit(authentication, timeout, deadline)
      if (!negotiateSync(connected.inbox, handshake, until)) throw error()
    }
    return connected
  } catch (error) {
    environment.close(slot)
    throw error
  }
}

function lookUp({ endpoint, timeout }: ClientPlan, deadline: number): SystemAddress[] {
  const literal = literalAddress(endpoint)
  if (literal !== undefined) return [literal]
  const { host, port } = endpoint as { host: string; port: number }
  const addresses = environment.resolve(host, port, waitUntil(deadline)) ?? []
  const found = ofFamily(addresses, endpoint)
  if (found.length > 0) return found
  throw performance.now() < deadline ? notFound(host) : TimeoutError.create(timeout)
}

/** The slot of a connection to the first of the addresses that answers. */
function reach(
  addresses: readonly SystemAddress[],
  plan: ClientPlan,
  deadline: number,
): { slot: number; address: SystemAddress } {
  const retryUntil = performance.now() + plan.retryFor
  const pauses = new Pauses()
  for (;;) {
    let failure: NodeJS.ErrnoException | undefined
    for (const address of addresses) {
      const slot = attempt(address, plan, deadline)
      if (typeof slot === 'number') return { slot, address }
      failure = slot
    }
    if (!isWorthAnother(failure as NodeJS.ErrnoException, retryUntil)) throw failure
    const left = deadline - performance.now()
    if (left <= 0) throw TimeoutError.create(plan.timeout)
    Atomics.wait(bed, 0, 0, Math.min(pauses.next(), left))
  }
}

/** A slot, or why there is none. */
function attempt(address: SystemAddress, plan: ClientPlan, deadline: number): number | NodeJS.ErrnoException {
  const slot = environment.connect(address.name, address.inet, plan.maxMessageLength)
  if (slot < 0) return connectError(slot, address)
  const status = environment.finishConnect(slot, Math.max(waitUntil(deadline), NOW))
  if (status === 1) return slot
  environment.close(slot)
  if (status === 0) throw TimeoutError.create(plan.timeout)
  return connectError(status, address)
}
