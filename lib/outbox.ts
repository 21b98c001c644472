/**
 * The arena in which the messages of one tick wait for the system call that sends them all.
 *
 * All connections of this thread share it. Each remembers which parts of it are its own; when it is full, all send.
 */
import { outbox as arena, HEADER, LARGE } from './native.js'
import type { FastSerializer } from './serializers/serializer.js'

/** Who has messages in the arena. */
export interface Tenant {
  /** Where it stands among the tenants; -1: nowhere. */
  place: number
  /** Sends what the tenant has in the arena, or takes it elsewhere; never throws. */
  leaveOutbox(): void
}

let position = 0
let tenants: Tenant[] = []
/** A value is being written at `position`; a getter of it may send in between. */
let encoding = false

/** Where the last message that was packed lies, header included. */
export const packed = { from: 0, to: 0 }

/** Packs a value as one message; false when it does not fit into an arena, or another one is just being packed. */
export function packValue(serializer: FastSerializer, value: unknown): boolean {
  if (encoding) return false
  encoding = true
  try {
    let end = serializer.encodeInto(value, arena, position + HEADER)
    if (end < 0 && arena.length - position < LARGE) {
      sendAll()
      position = 0
      end = serializer.encodeInto(value, arena, HEADER)
    }
    return end >= 0 && finish(end)
  } finally {
    encoding = false
  }
}

/** Packs bytes as one message; false when there are too many, or a value is just being packed. */
export function packBytes(bytes: Uint8Array): boolean {
  const size = HEADER + bytes.byteLength
  if (encoding || size > arena.length) return false
  if (size > arena.length - position) sendAll()
  arena.set(bytes, position + HEADER)
  return finish(position + size)
}

/** Takes the message that was packed last, and that nobody owns yet, out of the arena again. */
export function unpack(): Uint8Array {
  position = packed.from
  return Buffer.from(arena.subarray(packed.from + HEADER, packed.to))
}

/** Writes the header: `i32be(n)`, the short form. The codec itself is the core's. */
function finish(end: number): true {
  arena.writeInt32BE(end - position - HEADER, position)
  packed.from = position
  packed.to = end
  position = end
  return true
}

/** From now on this one is asked to leave when the arena is needed. */
export function moveIn(tenant: Tenant): void {
  tenant.place = tenants.length
  tenants.push(tenant)
}

/** This one has left. The last one to leave frees the arena. */
export function moveOut(tenant: Tenant): void {
  if (tenant.place < 0) return
  // The last one takes its place: in which order the tenants leave means nothing.
  const last = tenants.pop() as Tenant
  if (last !== tenant) {
    tenants[tenant.place] = last
    last.place = tenant.place
  }
  tenant.place = -1
  if (tenants.length === 0 && !encoding) position = 0
}

/** Makes all tenants send, which frees the arena. */
export function sendAll(): void {
  const leaving = tenants
  tenants = []
  for (const tenant of leaving) tenant.place = -1
  for (const tenant of leaving) tenant.leaveOutbox()
  if (!encoding) position = 0
}
