/** What the smoke suite's processes and worker threads run. */
import { setTimeout as delay } from 'node:timers/promises'
import { Client, isMainProcess, Pipe, Process, wait } from 'carom'

export async function echo(conn) {
  for await (const message of conn) await conn.send(message)
}

export function echoSync(conn) {
  for (const message of conn.messagesSync()) conn.sendSync(message)
}

/** What this process is, and what it was given. */
export async function describe(conn, ...args) {
  const { execPath, execArgv, argv, pid } = process
  await conn.send({ isMainProcess, execPath, execArgv, argv: argv.slice(1), pid, cwd: process.cwd(), args })
}

export async function sendIndices(first, { others }) {
  for (const [index, conn] of [first, ...others].entries()) await conn.send(index)
}

export function print(text) {
  process.stdout.write(text)
}

export function exit(code) {
  process.exit(code)
}

export function fail() {
  throw new Error('thrown by the target')
}

export function sleep() {
  setInterval(() => {}, 1_000)
}

/** Hands the connection on to a process of its own, and tells how that ended. */
export async function handOn(conn) {
  const [ours, theirs] = Pipe()
  const child = new Process({ module: import.meta.url, target: describe, args: [theirs] }).start()
  await wait([ours, child])
  const { pid } = await ours.recv()
  await conn.send({ grandchild: pid, code: await child.join() })
}

/** Ends while a daemon of its own runs, whose end the connection that it holds tells of. */
export function leaveDaemon(conn) {
  const child = new Process({ module: import.meta.url, target: echo, args: [conn], daemon: true }).start()
  console.log(child.pid)
}

/** Sends when its parent waits for nothing else. */
export async function sendLater(conn) {
  await delay(300)
  await conn.send('later')
}

export async function connectLater(address) {
  await delay(300)
  const conn = await Client(address)
  await conn.close()
}

export async function printLength(conn) {
  await conn.send('ready')
  const { length } = await conn.recvBytes()
  print(`got ${length} bytes\n`)
}
