import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
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

test('echo server: three clients, one at a time, each with all its answers', async t => {
  const lines = await run(t, 'echo-server')
  const numbers = [0, 1, 2]
  t.is(lines.length, 29)
  // Which of them comes first is left to chance; the other two wait until it is done.
  const order = startingWith(lines, 'Server received: Message 0').map(line => Number(line.at(-1)))
  t.deepEqual(order.toSorted(), numbers)
  t.deepEqual(startingWith(lines, 'Server', 'Connection', 'Client of'), [
    'Server listening',
    ...order.flatMap((id, i) => [
      `Connection ${i + 1}`,
      ...numbers.map(n => `Server received: Message ${n} from client ${id}`),
      `Client of connection ${i + 1} disconnected`,
    ]),
  ])
  for (const id of numbers)
    t.deepEqual(
      startingWith(lines, `Client ${id}`),
      numbers.map(n => `Client ${id} got response: Echo: Message ${n} from client ${id}`),
    )
  t.deepEqual(lines.slice(-4), ['server ended with exit code 0', ...numbers.map(() => 'client ended with exit code 0')])
})

test('wait for many: every message, in the order in which they come', async t => {
  const lines = await run(t, 'wait-for-many')
  t.is(lines[0], 'Waiting for messages from multiple connections')
  t.deepEqual(
    lines.slice(1, -1).sort(),
    [0, 1, 2, 3].map(i => `Received: Message from connection ${i}`),
  )
  t.is(lines.at(-1), 'All have ended')
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

test('the demo knows all examples, and says so to who names another', t => {
  const demo = fileURLToPath(new URL('../scripts/demo.mjs', import.meta.url))
  const { status, stderr, stdout } = spawnSync(process.execPath, [demo, 'nonsense'], { encoding: 'utf8' })
  t.is(status, 1)
  t.is(stdout, '')
  t.regex(stderr, /^There is no example 'nonsense'/)
  const files = readdirSync(new URL('../examples', import.meta.url)).map(name => name.replace(/\.mjs$/, ''))
  t.deepEqual(stderr.match(/[a-z]+(-[a-z]+)+/g)?.sort(), files.sort())
})
