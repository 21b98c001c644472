import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'

/** Runs the example as a reader would, without this test's loaders, and gives the lines that it prints. */
async function run(t: ExecutionContext, name: string): Promise<string[]> {
  const file = fileURLToPath(new URL(`../examples/${name}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
  const closed = new Promise(resolve => child.on('close', (code, signal) => resolve(code ?? signal)))
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  t.is(complaints, '')
  t.is(await closed, 0)
  return output.trimEnd().split('\n')
}

/** The lines of one of the processes: among themselves they have an order, between the processes there is none. */
const startingWith = (lines: string[], ...starts: string[]) =>
  lines.filter(line => starts.some(start => line.startsWith(start)))

test('sender and receiver: all arrives in order, and the end of the stream ends the receiver', async t => {
  const lines = await run(t, 'sender-receiver')
  t.is(lines.length, 11)
  t.deepEqual(startingWith(lines, 'Sending'), ['Sending: Hello', 'Sending: World', 'Sending: From', 'Sending: carom'])
  t.deepEqual(startingWith(lines, 'Received', 'The sender'), [
    'Received: Hello',
    'Received: World',
    'Received: From',
    'Received: carom',
    'The sender is done',
  ])
  t.deepEqual(startingWith(lines, 'sender ended', 'receiver ended'), [
    'sender ended with exit code 0',
    'receiver ended with exit code 0',
  ])
})

test('bytes with polling: each message by itself, then the end of the stream', async t => {
  const lines = await run(t, 'bytes-with-polling')
  t.is(lines.length, 7)
  t.deepEqual(startingWith(lines, 'Sending'), ['Sending bytes: Hello', 'Sending bytes: World', 'Sending bytes: Bytes'])
  t.deepEqual(startingWith(lines, 'Received', 'End', 'Nothing'), [
    'Received 5 bytes: Hello',
    'Received 5 bytes: World',
    'Received 5 bytes: Bytes',
    'End of the stream',
  ])
})

test('producer and consumer: every item, until null', async t => {
  const lines = await run(t, 'producer-consumer')
  const items = [0, 1, 2, 3, 4]
  t.is(lines.length, 10)
  t.deepEqual(
    startingWith(lines, 'Produced'),
    items.map(i => `Produced: item_${i}`),
  )
  t.deepEqual(
    startingWith(lines, 'Consumed'),
    items.map(i => `Consumed: item_${i}`),
  )
})

test('request and response: the answers in order, then both end by themselves', async t => {
  const lines = await run(t, 'request-response')
  t.deepEqual(startingWith(lines, 'Got'), [
    'Got response: Processed: request_0',
    'Got response: Processed: request_1',
    'Got response: Processed: request_2',
  ])
  t.deepEqual(lines.slice(-2), ['service ended with exit code 0', 'clientRequests ended with exit code 0'])
})
