import test from 'ava'
import { Connection, Pipe, type PipeOptions, serializers } from 'carom'
import { closesOnExec, openDescriptors } from './helpers/descriptors.mjs'
import { outOfRange, tooLong, wrongType } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { openOneWayPipe, openPipe } from './helpers/pipes.mjs'

const onLinux = process.platform === 'linux' ? test : undefined

test('Pipe gives two open connections that read and write', t => {
  const ends = openPipe(t)
  t.is(ends.length, 2)
  for (const end of ends) {
    t.true(end instanceof Connection)
    t.true(end.readable)
    t.true(end.writable)
    t.false(end.closed)
    t.true(end.fd > 2)
    t.is(end.remoteAddress, undefined)
    t.is(end.bufferedAmount, 0)
  }
  t.not(ends[0].fd, ends[1].fd)
})

test('a one-way pipe gives a reader, then a writer', t => {
  const [reader, writer] = openOneWayPipe(t) as [Connection, Connection]
  t.true(reader.readable)
  t.false(reader.writable)
  t.false(writer.readable)
  t.true(writer.writable)
})

test('duplex: true and no options are the same', t => {
  for (const end of [...openPipe(t, { duplex: true }), ...openPipe(t, {}), ...openPipe(t, undefined)]) {
    t.true(end.readable && end.writable)
  }
})

for (const form of forms) {
  test(`${form.name}: both ends send and receive`, async t => {
    const [a, b] = openPipe<string>(t)
    await form.send(a, 'from the first')
    await form.send(b, 'from the second')
    t.is(await form.recv(b), 'from the first')
    t.is(await form.recv(a), 'from the second')
  })

  test(`${form.name}: a one-way pipe carries messages from the second end to the first`, async t => {
    const [reader, writer] = openOneWayPipe<string>(t)
    await form.send(writer, 'one')
    await form.send(writer, 'two')
    t.is(await form.recv(reader), 'one')
    t.is(await form.recv(reader), 'two')
  })

  test(`${form.name}: each pipe is its own`, async t => {
    const pipes = Array.from({ length: 20 }, () => openPipe<number>(t))
    for (const [i, [a]] of pipes.entries()) await form.send(a, i)
    for (const [i, [, b]] of [...pipes.entries()].reverse()) t.is(await form.recv(b), i)
  })

  test(`${form.name}: the options hold for both ends`, async t => {
    const [a, b] = openPipe(t, { serializer: serializers.json, maxMessageLength: 9 })
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      await form.send(from, { a: [1] })
      t.deepEqual(await form.recvBytes(to), Buffer.from('{"a":[1]}'))
      await form.sendBytes(from, Buffer.alloc(10))
      await t.throwsAsync(form.recvBytes(to), tooLong)
    }
  })
}

test('new Pipe() is a TypeError that shows the call without new', t => {
  const construct = Pipe as unknown as new () => unknown
  const error = t.throws(() => new construct(), { instanceOf: TypeError })
  t.regex(error.message, /Pipe\(/)
  t.notRegex(error.message, /is not a constructor/)
})

const wrongTypes: Record<string, unknown> = {
  'options that are a number': 5,
  'a duplex that is a string': { duplex: 'yes' },
  'an rnonblock that is a number': { rnonblock: 1 },
  'a wnonblock that is a string': { wnonblock: 'true' },
  'a serializer that is a string': { serializer: 'json' },
  'a serializer without decode': { serializer: { encode: () => Buffer.alloc(0) } },
  'a serializer without encode': { serializer: { decode: () => undefined } },
  'a maxMessageLength that is a string': { maxMessageLength: '5' },
  'a highWaterMark that is an object': { highWaterMark: {} },
}

const numbersOutOfRange: Record<string, PipeOptions> = {
  'a negative maxMessageLength': { maxMessageLength: -1 },
  'a maxMessageLength of NaN': { maxMessageLength: Number.NaN },
  'a fractional maxMessageLength': { maxMessageLength: 1.5 },
  'a negative highWaterMark': { highWaterMark: -1 },
  'a highWaterMark of NaN': { highWaterMark: Number.NaN },
}

for (const [what, options] of Object.entries(wrongTypes)) {
  test(`Pipe refuses ${what}`, t => {
    t.throws(() => Pipe(options as PipeOptions), wrongType)
  })
}

for (const [what, options] of Object.entries(numbersOutOfRange)) {
  test(`Pipe refuses ${what}`, t => {
    t.throws(() => Pipe(options), outOfRange)
  })
}

test.serial('a refused Pipe opens no descriptor', t => {
  const refuse = () => {
    for (const options of [...Object.values(wrongTypes), ...Object.values(numbersOutOfRange)]) {
      t.throws(() => Pipe(options as PipeOptions))
    }
  }
  refuse()
  const before = openDescriptors()
  refuse()
  t.is(openDescriptors(), before)
})

onLinux?.('no end is inherited by a program that is started', t => {
  for (const end of [...openPipe(t), ...openOneWayPipe(t)]) t.true(closesOnExec(end.fd))
})
