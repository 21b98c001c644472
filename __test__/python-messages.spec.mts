/** Messages to real Pythons and back, over a pipe that they inherit: of all sizes, of objects, and very many. */
import { crc32 } from 'node:zlib'
import test from 'ava'
import { serializers } from 'carom'
import { forms } from './helpers/forms.mjs'
import { openPipe, patterned } from './helpers/pipes.mjs'
import { billiard, everyPython, modern, needsPackages, packaged, pythons, startPython } from './helpers/pythons.mjs'
import { turn } from './helpers/turns.mjs'

const LARGE = 16 << 20
const pattern = patterned(LARGE)
const COUNT = 100_000

needsPackages('billiard, msgpack')

for (const python of everyPython) {
  for (const form of forms) {
    test(`${python.name}, ${form.name}: bytes of all sizes come back as they were sent`, async t => {
      await turn(t)
      const [conn, end] = openPipe(t)
      const program = startPython(t, python, 'echo', { format: 'bytes' }, { ends: [end] })
      for (const size of [0, 1, 65_535, 65_536, LARGE]) {
        const message = pattern.subarray(0, size)
        await form.sendBytes(conn, message)
        t.true((await form.recvBytes(conn)).equals(message), `${size}`)
      }
      await form.close(conn)
      t.is(await program.report(), 'done')
    })
  }

  for (const format of ['json', 'pickle'] as const) {
    test(`${python.name}: objects as ${format} are there what they are here`, async t => {
      await turn(t)
      const [conn, end] = openPipe(t, { serializer: serializers[format] })
      const program = startPython(t, python, 'echo', { format, report: true }, { ends: [end] })
      const value = { text: 'ü€😀', list: [1, -2.5, null, true], nested: { object: {}, array: [] } }
      await conn.send(value)
      t.deepEqual(await conn.recv(), value)
      const there = "{'text': 'ü€😀', 'list': [1, -2.5, None, True], 'nested': {'object': {}, 'array': []}}"
      t.is(await program.report(), there)
    })
  }
}

if (packaged) {
  const python = packaged
  test('objects as msgpack are there what they are here', async t => {
    const [conn, end] = openPipe(t)
    const program = startPython(t, python, 'echo', { format: 'msgpack', report: true }, { ends: [end] })
    for (const [value, there] of [
      [{ text: 'ü€😀', list: [1, -2.5, null, true] }, "{'text': 'ü€😀', 'list': [1, -2.5, None, True]}"],
      [Buffer.from('bytes'), "b'bytes'"],
      [2n ** 53n + 1n, '9007199254740993'],
      [-(2 ** 31), '-2147483648'],
      [2 ** 40, '1099511627776.0'],
      ['x'.repeat(70_000), `'${'x'.repeat(70_000)}'`],
      [Array.from({ length: 3000 }, (_, i) => i), `[${Array.from({ length: 3000 }, (_, i) => i).join(', ')}]`],
    ] as const) {
      await conn.send(value)
      t.deepEqual(await conn.recv(), value)
      t.is(await program.report(), there)
    }
  })
}

for (const python of [modern ?? pythons[0], billiard]) {
  if (!python) continue
  for (const form of forms) {
    test(`${python.name}, ${form.name}: ${COUNT} small messages each way at the same time, none changed`, async t => {
      await turn(t)
      const [conn, end] = openPipe(t)
      const program = startPython(t, python, 'stream', { count: COUNT }, { ends: [end] })
      const sums = { sent: 0, received: 0 }
      const add = (way: keyof typeof sums, message: Uint8Array) => {
        sums[way] = crc32(message, crc32(`${message.length}:`, sums[way]))
      }
      const send = async () => {
        for (let number = 0; number < COUNT; number++) {
          const message = pattern.subarray(number, number + (number % 61))
          add('sent', message)
          await form.sendBytes(conn, message)
        }
      }
      const receive = async () => {
        for (let number = 0; number < COUNT; number++) add('received', await form.recvBytes(conn))
      }
      await Promise.all([send(), receive()])
      t.deepEqual(await program.report(), { sent: sums.received, received: sums.sent })
    })
  }
}

const beyond = 'a message of more than 2^31 bytes comes back as it was sent'
if (process.env.CAROM_LARGE && modern) {
  const python = modern
  test(beyond, async t => {
    t.timeout(10 * 60_000)
    const message = Buffer.alloc(2 ** 31 + 12, pattern)
    const [conn, end] = openPipe(t)
    startPython(t, python, 'echo', { format: 'bytes' }, { ends: [end] })
    await conn.sendBytes(message)
    const reply = await conn.recvBytes()
    t.is(reply.length, message.length)
    t.true(reply.equals(message))
  })
} else {
  test(`${beyond} (left out: it takes 12 GiB, and runs with CAROM_LARGE=1)`, t =>
    t.falsy(process.env.CAROM_LARGE && modern))
}
