/**
 * The runs of the face. Both ends are in one process, so that no other one decides what comes when. Each is given the
 * package, makes its connections, and gives the function that does one round: how many messages that has exchanged.
 */
import { bytes, objects } from '../../works/messages.mjs'

/** The messages of a round, and how many of them are under way at a time. */
const MESSAGES = 2048
const BURST = 128
const CONNECTIONS = 64
const BIG = 1 << 20
const BIG_MESSAGES = 16

const asBytes = {
  send: (conn, message) => conn.sendBytes(message),
  recv: conn => conn.recvBytes(),
  each: conn => conn.bytes(),
  sendSync: (conn, message) => conn.sendBytesSync(message),
  recvSync: conn => conn.recvBytesSync(),
}
const asObjects = {
  send: (conn, value) => conn.send(value),
  recv: conn => conn.recv(),
  each: conn => conn.messages(),
  sendSync: (conn, value) => conn.sendSync(value),
  recvSync: conn => conn.recvSync(),
}

export const works = {
  '64 B, for await': carom => iterated(carom, bytes(64), asBytes),
  '1 KiB, for await': carom => iterated(carom, bytes(1024), asBytes),
  'objects, for await': carom => iterated(carom, objects(), asObjects),
  'objects, recv': carom => received(carom, objects(), asObjects),
  '64 B, blocking': carom => blocking(carom, bytes(64), asBytes),
  'objects, blocking': carom => blocking(carom, objects(), asObjects),
  '64 B, round trip': carom => roundTrips(carom, bytes(64), asBytes),
  'objects, round trip': carom => roundTrips(carom, objects(), asObjects),
  'objects, wait': carom => waitedFor(carom, objects(), asObjects),
  '1 MiB, recvBytesInto': carom => large(carom, bytes(BIG)),
}

/** Bursts of messages that are not awaited one by one, received by an iterator. */
function iterated({ Pipe }, { message, check }, { send, each }) {
  const [receiver, sender] = Pipe()
  return async () => {
    for (let sent = 0; sent < MESSAGES; sent += BURST) {
      for (let index = sent; index < sent + BURST; index++) send(sender, message(index))
      let index = sent
      for await (const received of each(receiver)) {
        check(index, received)
        if (++index === sent + BURST) break
      }
    }
    return MESSAGES
  }
}

/** The same, received one by one. */
function received({ Pipe }, { message, check }, { send, recv }) {
  const [receiver, sender] = Pipe()
  return async () => {
    for (let sent = 0; sent < MESSAGES; sent += BURST) {
      for (let index = sent; index < sent + BURST; index++) send(sender, message(index))
      for (let index = sent; index < sent + BURST; index++) check(index, await recv(receiver))
    }
    return MESSAGES
  }
}

function blocking({ Pipe }, { message, check }, { sendSync, recvSync }) {
  const [receiver, sender] = Pipe()
  return () => {
    for (let index = 0; index < MESSAGES; index++) {
      sendSync(sender, message(index))
      check(index, recvSync(receiver))
    }
    return MESSAGES
  }
}

/** A message there, and the same one back. */
function roundTrips({ Pipe }, { message, check }, { send, recv }) {
  const [client, server] = Pipe()
  return async () => {
    for (let index = 0; index < MESSAGES / 2; index++) {
      send(client, message(index))
      send(server, await recv(server))
      check(index, await recv(client))
    }
    return MESSAGES
  }
}

/** A message on each of many connections, of which `wait` tells. */
function waitedFor({ Pipe, wait }, { message, check }, { send, recv }) {
  const pipes = Array.from({ length: CONNECTIONS }, () => Pipe())
  const receivers = pipes.map(([receiver]) => receiver)
  return async () => {
    for (let sent = 0; sent < MESSAGES; sent += CONNECTIONS) {
      for (const [, sender] of pipes) send(sender, message(sent))
      for (let left = CONNECTIONS; left > 0; ) {
        for (const ready of await wait(receivers)) {
          check(sent, await recv(ready))
          left--
        }
      }
    }
    return MESSAGES
  }
}

function large({ Pipe }, { message, check }) {
  const [receiver, sender] = Pipe()
  const target = Buffer.alloc(BIG)
  return async () => {
    for (let index = 0; index < BIG_MESSAGES; index++) {
      const accepted = sender.sendBytes(message(index))
      await receiver.recvBytesInto(target)
      check(index, target)
      await accepted
    }
    return BIG_MESSAGES
  }
}
