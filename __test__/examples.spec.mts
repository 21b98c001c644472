import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { withPythonEnvironment } from '../scripts/python.mjs'
import { needsPackages, packaged, pythons } from './helpers/pythons.mjs'

/** Runs the example as a reader would, without this test's loaders, and gives the lines that it prints. */
async function run(t: ExecutionContext, name: string): Promise<string[]> {
  const file = fileURLToPath(new URL(`../examples/${name}.mjs`, import.meta.url))
  const env = withPythonEnvironment()
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000, env })
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

if (!packaged && pythons[0]?.command !== 'python3') {
  test('python/clients, worker, pool (left out: there is no python3 in PATH)', t => t.is(packaged, undefined))
} else {
  test('python/clients: each client gets its answers, whoever comes first', async t => {
    const lines = await run(t, 'python/clients')
    t.is(lines.length, 21)
    for (const id of [0, 1, 2]) {
      t.deepEqual(
        startingWith(lines, `Client ${id}`),
        [0, 1, 2].map(i => `Client ${id} got {'sum': ${id + i + 0.5}}`),
      )
      t.deepEqual(
        lines.filter(line => line.endsWith(`from client ${id}`)),
        [0, 1, 2].map(i => `Server received ${id},${i},0.5 from client ${id}`),
      )
    }
    t.deepEqual(startingWith(lines, 'A client'), Array(3).fill('A client ended with exit code 0'))
  })

  test('python/worker: the answers in order, then the worker ends by itself', async t => {
    t.deepEqual(await run(t, 'python/worker'), [
      'Of 1,2,6 the mean is 3 and the median 2',
      'Of 2.5,3.5,4.5,7.5 the mean is 4.5 and the median 4',
      'The worker ended with exit code 0',
    ])
  })

  test('python/pool: every number is squared, Node takes its part', async t => {
    const lines = await run(t, 'python/pool')
    t.is(lines.pop(), 'The program ended with exit code 0')
    const worker = /^(Python 1|Python 2|Node) says: /
    t.deepEqual(
      lines.map(line => line.replace(worker, '')).sort(),
      [2, 3, 4, 5, 6, 7, 8, 9, 10].map(number => `${number} squared is ${number ** 2}`).sort(),
    )
    t.deepEqual([...new Set(lines.map(line => worker.exec(line)?.[1]))].sort(), ['Node', 'Python 1', 'Python 2'])
  })
}

needsPackages('python/arrays')
if (packaged) {
  test('python/arrays: matrices in both directions, with their shape and the type of their items', async t => {
    const lines = await run(t, 'python/arrays')
    t.deepEqual(startingWith(lines, 'Python'), [
      'Python has a matrix of (2, 3) and float64',
      'Python has a matrix of (2, 3) and int32',
    ])
    t.deepEqual(startingWith(lines, 'Node', '['), [
      'Node has a matrix of 2 x 2 and float64, a Float64Array:',
      '[ 14, 32 ]',
      '[ 32, 77 ]',
      'Node has a matrix of 2 x 2 and int32, a Int32Array:',
      '[ 14, 32 ]',
      '[ 32, 77 ]',
    ])
  })
}

test('the demo knows all examples, and says so to who names another', t => {
  const demo = fileURLToPath(new URL('../scripts/demo.mjs', import.meta.url))
  const { status, stderr, stdout } = spawnSync(process.execPath, [demo, 'nonsense'], { encoding: 'utf8' })
  t.is(status, 1)
  t.is(stdout, '')
  t.regex(stderr, /^There is no example 'nonsense'/)
  const files = readdirSync(new URL('../examples', import.meta.url), { recursive: true, encoding: 'utf8' })
  const programs = files
    .filter(name => name.endsWith('.mjs'))
    .map(name => name.slice(0, -'.mjs'.length).replaceAll('\\', '/'))
  t.deepEqual(
    stderr
      .match(/choose among (.*)\.$/m)?.[1]
      .split(', ')
      .sort(),
    programs.sort(),
  )
})
