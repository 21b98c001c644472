import test from 'ava'
import { type Connection, Process, serializers } from 'carom'
import { busy, closed, endOfStream, tooLong, truncated, wrongType } from './helpers/expectations.mjs'
import { anyPort, connectedTo, listen } from './helpers/listeners.mjs'
import { openOneWayPipe, openPipe, patterned } from './helpers/pipes.mjs'
import { onLinux, testIf } from './helpers/platform.mjs'
import { fixture, start } from './helpers/processes.mjs'
import { frame, openRawPair } from './helpers/raw-peer.mjs'

const module = fixture('process-targets.mjs')
const execArgv: string[] = []

test('an end that has moved is closed here, and open there', async t => {
  const [ours, theirs] = openPipe(t)
  const child = start(t, { module, target: 'echo', args: [theirs], execArgv })
  t.deepEqual([theirs.closed, theirs.fd, theirs.readable, theirs.writable], [true, -1, false, false])
  await t.throwsAsync(theirs.recv(), closed)
  for (const message of ['Hello', { from: ['here'] }]) {
    await ours.send(message)
    t.deepEqual(await ours.recv(), message)
  }
  await ours.close()
  t.is(await child.join(), 0)
})

test('blocking, on both sides', t => {
  const [ours, theirs] = openPipe(t)
  const child = start(t, { module, target: 'echoSync', args: [theirs], execArgv })
  for (const message of ['Hello', { from: ['here'] }]) {
    ours.sendSync(message)
    t.deepEqual(ours.recvSync(), message)
  }
  ours.closeSync()
  t.is(child.joinSync(), 0)
})

test('a connection over TCP moves as well', async t => {
  const [ours, theirs] = await connectedTo(t, listen(t, anyPort))
  const child = start(t, { module, target: 'echo', args: [theirs], execArgv })
  for (const message of ['Hello', patterned(100_000)]) {
    await ours.send(message)
    t.deepEqual(await ours.recv(), message)
  }
  await ours.close()
  t.is(await child.join(), 0)
})

test('both ends move, to two children', async t => {
  const [a, b] = openPipe<string>(t)
  const [result, last] = openPipe<string>(t)
  const messages = ['Hello', 'World', 'From', 'carom']
  const sender = start(t, { module, target: 'sendAll', args: [a, messages], execArgv })
  const receiver = start(t, { module, target: 'passOn', args: [b, last], execArgv })
  const arrived: string[] = []
  for await (const message of result) arrived.push(message)
  t.deepEqual(arrived, messages)
  t.deepEqual([await sender.join(), await receiver.join()], [0, 0])
})

test('one-way ends, the reader to one child and the writer to another', async t => {
  const [reader, writer] = openOneWayPipe<string>(t)
  const [result, last] = openOneWayPipe<string>(t)
  start(t, { module, target: 'sendAll', args: [writer, ['one', 'two']], execArgv })
  start(t, { module, target: 'passOn', args: [reader, last], execArgv })
  t.deepEqual([await result.recv(), await result.recv()], ['one', 'two'])
  await t.throwsAsync(result.recv(), endOfStream)
})

test('a one-way end is one in the child too', async t => {
  for (const [method, code] of [
    ['recv', 'ERR_CAROM_NOT_READABLE'],
    ['send', undefined],
  ]) {
    const [reader, writer] = openOneWayPipe(t)
    start(t, { module, target: 'attempt', args: [writer, method, 'x'], execArgv })
    if (method === 'send') t.is(await reader.recv(), 'x')
    t.is(await reader.recv(), code)
  }
})

test('many connections, at any depth, each in its place', async t => {
  const pipes = Array.from({ length: 20 }, () => openPipe<number>(t))
  const args = pipes.map(([, theirs], index) => ({ index, deep: [[{ conn: theirs }]] }))
  start(t, { module, target: 'numbers', args: [args], execArgv })
  t.deepEqual(await Promise.all(pipes.map(([ours]) => ours.recv())), [...pipes.keys()])
})

test('what was received and not read goes along: several messages and a part of one', async t => {
  const [conn, peer] = openRawPair<Buffer>(t, { serializer: serializers.json })
  const [result, last] = openPipe(t)
  const messages = ['first', 'second', 'third', 'fourth'].map(text => frame(Buffer.from(JSON.stringify(text))))
  const bytes = Buffer.concat(messages)
  const cut = bytes.length - 5
  await peer.write(bytes.subarray(0, cut))
  t.is(await conn.recv(), 'first' as never)
  start(t, { module, target: 'passOn', args: [conn, last], execArgv })
  t.deepEqual([await result.recv(), await result.recv()], ['second', 'third'])
  await peer.write(bytes.subarray(cut))
  peer.close()
  t.is(await result.recv(), 'fourth')
  await t.throwsAsync(result.recv(), endOfStream)
})

test('a large message of which a part was received goes along', async t => {
  const [conn, peer] = openRawPair(t)
  const [result, last] = openPipe<{ length: number; sum: number }>(t)
  const message = patterned(3 * 1024 * 1024)
  const bytes = frame(message)
  await peer.write(bytes.subarray(0, 100_000))
  t.false(await conn.poll(20))
  start(t, { module, target: 'weigh', args: [conn, last], execArgv })
  await peer.write(bytes.subarray(100_000))
  t.deepEqual(await result.recv(), { length: message.length, sum: message.reduce((sum, byte) => sum + byte, 0) })
})

test('limits and a built-in serializer go along', async t => {
  const [json, jsonTheirs] = openPipe(t, { serializer: serializers.json })
  start(t, { module, target: 'attempt', args: [jsonTheirs, 'send', 1n], execArgv })
  t.is(await json.recv(), 'ERR_CAROM_ENCODE')

  const [short, shortTheirs] = openPipe(t, { maxMessageLength: 40 })
  await short.send('x'.repeat(50))
  start(t, { module, target: 'attempt', args: [shortTheirs, 'recv'], execArgv })
  t.is(await short.recv(), 'ERR_CAROM_MESSAGE_TOO_LONG')

  const [patient, impatientTheirs] = openPipe(t, { wnonblock: true })
  start(t, { module, target: 'attempt', args: [impatientTheirs, 'recv'], execArgv })
  t.is(await patient.recv(), 'EAGAIN')
})

test("with a serializer of one's own an end does not move", t => {
  const own = { encode: (value: unknown) => Buffer.from(String(value)), decode: (bytes: Uint8Array) => String(bytes) }
  const [ours, theirs] = openPipe<string>(t, { serializer: own })
  const child = new Process({ module, target: 'nothing', args: [theirs], execArgv })
  t.throws(() => child.start(), { instanceOf: TypeError })
  theirs.sendSync('still there')
  t.is(ours.recvSync(), 'still there')
})

test('an end that is closed, or in use, does not move, and neither do those beside it', async t => {
  const [, beside] = openPipe(t)
  const refuse = (conn: Connection, expected: object) => {
    const child = new Process({ module, target: 'nothing', args: [beside, { conn }], execArgv })
    t.throws(() => child.start(), expected)
    t.is(child.pid, undefined)
    t.false(beside.closed)
  }
  const [, gone] = openPipe(t)
  await gone.close()
  refuse(gone, closed)

  const [ours, receiving] = openPipe(t)
  const pending = receiving.recv()
  refuse(receiving, busy)
  await ours.send('answer')
  t.is(await pending, 'answer')

  const [, sending] = openPipe(t)
  sending.sendBytes(Buffer.alloc(1024 * 1024)).catch(() => {})
  t.true(sending.bufferedAmount > 0)
  refuse(sending, busy)
})

test('the end of the stream comes when the child is done', async t => {
  const [ours, theirs] = openPipe(t)
  const child = start(t, { module, target: 'lastFor', args: [100, theirs], execArgv })
  await t.throwsAsync(ours.recv(), endOfStream)
  t.is(await child.join(), 0)
})

testIf(onLinux, 'no /proc')('the child gets no descriptor that is not its own', async t => {
  const others = Array.from({ length: 5 }, () => openPipe(t))
  const [ours, theirs] = openPipe<string[]>(t)
  const [, second] = openOneWayPipe(t)
  const first = start(t, { module, target: 'stay', args: [second], execArgv, daemon: true })
  const stdio = 'ignore'
  start(t, { module, target: 'descriptors', args: [theirs], execArgv, stdio })
  const links = await ours.recv()
  t.deepEqual(links.filter(link => link.startsWith('socket:')).length, 1, links.join(' '))
  t.true(first.alive)
  t.is(others.length, 5)
})

test('a message sent right before the exit arrives, a hundred times', async t => {
  const attempt = async (number: number) => {
    const [ours, theirs] = openPipe<number>(t)
    const child = start(t, { module, target: 'sendAndExit', args: [theirs, number], execArgv })
    const message = await ours.recv()
    t.is(await child.join(), 0)
    return message
  }
  const numbers = [...Array(100).keys()]
  const arrived: number[] = []
  for (let at = 0; at < 100; at += 4) arrived.push(...(await Promise.all(numbers.slice(at, at + 4).map(attempt))))
  t.deepEqual(arrived, numbers)
})

test('a child killed in mid-message: the stream ends inside the message', async t => {
  const [ours, theirs] = openPipe(t)
  const [signal, signalTheirs] = openPipe<string>(t)
  const args = [theirs, signalTheirs, 16 * 1024 * 1024]
  const child = start(t, { module, target: 'sendForEver', args, execArgv })
  t.is(await signal.recv(), 'under way')
  // The beginning is here: on Windows what a process was sending and nobody has read goes with it.
  await t.throwsAsync(ours.recvBytes(1), tooLong)
  child.kill()
  t.is(await child.join(), -9)
  await t.throwsAsync(ours.recvBytes(), truncated)
})

test('a worker thread may start processes too', async t => {
  const { startWorker } = await import('./helpers/programs.mjs')
  const worker = await startWorker(t, 'process-in-worker.mjs')
  t.deepEqual(await worker.report(), { message: 'from the child', exitCode: 0, warnings: [] })
})

test('wrong types of arguments are told from connections', t => {
  t.throws(() => new Process({ module, target: 'nothing', args: 'conn' as never }), wrongType)
})
