/**
 * The peers by name. `prepare` makes sure that the peer is there, or says why it is left out; `takesPart` says in which
 * works that do not name their peers themselves, and `command` starts its driver; `version`, where it has one of its own. A peer in JavaScript is a module
 * `NAME.mjs` with `launch(messages, args, variant)` for the driver's end and `attach(messages, variant)` for the
 * responder's; an end has the members that the works use (see `callback-end.mjs`). Works of another kind have modules
 * of their own, in the folder that is their `ends`. A peer in another language is a program that serves the driver's
 * lines (see `driver.mjs`).
 */
import { fileURLToPath } from 'node:url'
import { npmPackage, npmVersion } from '../optional/install.mjs'
import * as billiard from './billiard.mjs'
import * as ipcChannel from './ipc-channel.mjs'
import * as limit from './limit.mjs'
import * as python from './python.mjs'

const DRIVER = fileURLToPath(new URL('../driver.mjs', import.meta.url))

const inJavaScript = (name, peer) => ({
  prepare: async () => {},
  takesPart: ({ into }) => !into,
  command: (_work, workName, { name: variant }) => [
    process.execPath,
    DRIVER,
    name,
    workName,
    ...(variant === undefined ? [] : [variant]),
  ],
  ...peer,
})

/** Node's end of small messages, beside those of two Pythons. */
const toPython = (name, about) =>
  inJavaScript(name, {
    about,
    prepare: python.prepare,
    takesPart: ({ kind, size }) => kind === 'objects' || size === 64,
  })

export const peers = {
  carom: inJavaScript('carom', { about: 'carom, promises', takesPart: () => true, prepare: importCarom }),
  'carom-sync': inJavaScript('carom-sync', {
    about: 'carom, blocking forms',
    takesPart: () => true,
    prepare: importCarom,
  }),
  'carom-python': toPython('carom-python', 'carom, promises, to a CPython; pickle for objects'),
  'carom-sync-python': toPython('carom-sync-python', 'carom, blocking forms, to a CPython; pickle for objects'),
  'child-process': inJavaScript('child-process', { about: "child_process IPC, serialization: 'advanced'" }),
  'child-process-json': inJavaScript('child-process-json', {
    about: "the same, serialization: 'json'",
    takesPart: ({ kind }) => kind === 'objects',
  }),
  net: inJavaScript('net', { about: 'node:net over a Unix socket, each message written; msgpackr for objects' }),
  'net-batched': inJavaScript('net-batched', { about: 'the same, the frames of a tick in one write' }),
  'message-port': inJavaScript('message-port', { about: 'MessagePort to a worker thread: not two processes' }),
  zeromq: inJavaScript('zeromq', {
    about: 'zeromq, PAIR over ipc://; msgpackr for objects',
    prepare: () => npmPackage('zeromq'),
    version: () => npmVersion('zeromq'),
  }),
  python: {
    ...python,
    about: "CPython's multiprocessing.connection, of the python3 in PATH; pickle for objects",
    takesPart: () => true,
  },
  billiard: { ...billiard, about: "billiard's Pipe, with the same Python", takesPart: () => true },
  'ipc-channel': {
    ...ipcChannel,
    about: "servo's ipc-channel, blocking Rust; serde for objects",
    takesPart: ({ into }) => !into,
  },
  limit: {
    ...limit,
    about: 'blocking Rust over a bare socketpair, no framing, a write per message',
    takesPart: ({ kind }) => kind === 'bytes',
  },
}

async function importCarom() {
  try {
    await import('carom')
  } catch (error) {
    throw new Error('carom cannot be imported: build it first (npm run setup)', { cause: error })
  }
}
