/** Ends of pipes that are handed from Node to Python and from Python to Node. */
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { wait } from 'carom'
import { endOfStream, truncated } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { openOneWayPipe, openPipe, patterned } from './helpers/pipes.mjs'
import { billiard, everyPython, needsPackages, startPython } from './helpers/pythons.mjs'
import { turn } from './helpers/turns.mjs'
import { atMost } from './helpers/waits.mjs'

const child = fileURLToPath(new URL('fixtures/python-child.mjs', import.meta.url))
const SIZES = [0, 1, 65_535, 65_536, 1_000_000]

needsPackages('billiard')

for (const python of everyPython) {
  for (const { name } of forms) {
    const setting = { command: [process.execPath, child, name], sizes: SIZES, options: {} }

    test(`${python.name}, ${name}: a Node that it starts opens the end of its Pipe`, async t => {
      await turn(t)
      const program = startPython(t, python, 'start', { ...setting, duplex: true })
      t.deepEqual(await program.report(), [true, true])
      t.is(await program.exit, 0)
    })

    test(`${python.name}, ${name}: a Node that it starts opens the ends of two one-way pipes`, async t => {
      await turn(t)
      const program = startPython(t, python, 'start', { ...setting, duplex: false })
      t.deepEqual(await program.report(), [false, false])
      t.is(await program.exit, 0)
    })
  }

  test(`${python.name}: it gets one-way ends of ours in the mode that it expects`, async t => {
    await turn(t)
    const [reader, readerEnd] = openOneWayPipe(t)
    const [writerEnd, writer] = openOneWayPipe(t)
    const program = startPython(t, python, 'relay', {}, { ends: [writerEnd, readerEnd] })
    for (const size of SIZES) {
      // It waits for this one meanwhile: at a non-blocking end it would fail.
      await delay(20)
      const message = patterned(size)
      const sent = writer.sendBytes(message)
      t.true((await reader.recvBytes()).equals(message))
      await sent
    }
    await writer.close()
    t.is(await program.report(), 'done')
  })

  test(`${python.name}: the end of a Python is the end of its stream, also inside a message`, async t => {
    await turn(t)
    const [whole, wholeEnd] = openPipe(t)
    const [cut, cutEnd] = openPipe(t)
    startPython(t, python, 'leave', {}, { ends: [wholeEnd] })
    startPython(t, python, 'leave', {}, { ends: [cutEnd] })
    for (const conn of [whole, cut]) t.is(String(await conn.recvBytes()), 'so far')
    t.deepEqual(await wait([whole, cut], 0), [])
    await whole.sendBytes(Buffer.from('whole'))
    t.deepEqual(await wait([cut, whole], atMost), [whole])
    await t.throwsAsync(whole.recvBytes(), endOfStream)
    await cut.sendBytes(Buffer.from('cut'))
    t.deepEqual(await wait([cut], atMost), [cut])
    await t.throwsAsync(cut.recvBytes(), truncated)
  })
}

if (billiard) {
  const python = billiard
  for (const { name } of forms) {
    test(`billiard, ${name}: a Node that it starts waits at an end that was made non-blocking`, async t => {
      await turn(t)
      const command = [process.execPath, child, name]
      const setting = { command, sizes: SIZES, options: { wnonblock: true }, duplex: true }
      const program = startPython(t, python, 'start', setting)
      t.deepEqual(await program.report(), [true, true])
      t.is(await program.exit, 0)
    })
  }
}
