import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { endOfStream, tooLong, truncated } from './helpers/expectations.mjs'
import { forms } from './helpers/forms.mjs'
import { openPipe, patterned } from './helpers/pipes.mjs'
import { testOnUnix } from './helpers/platform.mjs'
import { startProgram } from './helpers/programs.mjs'

const testSignals = testOnUnix('a signal only ends a process')

/** What a child may be in when signals come. SIGUSR1 is Node's own, hence SIGUSR2. */
const receiving = ['recvSync', 'recvBytesSync', 'recvBytesIntoSync', 'pollSync', 'messagesSync', 'recv', 'poll']

for (const how of receiving) {
  testSignals(`signals do not end a ${how}`, async t => {
    const [conn, end] = openPipe(t)
    const program = startProgram(t, 'connection-signals.mjs', { end, args: [how] })
    t.is(await program.report(), 'ready')
    for (let i = 0; i < 20; i++) {
      program.child.kill('SIGUSR2')
      await delay(3)
    }
    await conn.send('what it waits for')
    t.deepEqual(await program.report(), { received: 'what it waits for' })
    // The handlers run when the thread is back in its event loop.
    t.true((await program.report<number>()) >= 1)
    t.is(await program.exit, 0)
  })
}

for (const how of ['sendBytesSync', 'closeSync', 'sendBytes']) {
  testSignals(`signals do not end a ${how}`, async t => {
    const [conn, end] = openPipe(t)
    const program = startProgram(t, 'connection-signals.mjs', { end, args: [how] })
    t.is(await program.report(), 'ready')
    for (let i = 0; i < 20; i++) {
      program.child.kill('SIGUSR2')
      await delay(3)
    }
    t.is((await conn.recvBytes()).length, 8 * 2 ** 20)
    t.deepEqual(await program.report(), { sent: true })
    t.true((await program.report<number>()) >= 1)
    t.is(await program.exit, 0)
    await t.throwsAsync(conn.recv(), endOfStream)
  })
}

for (const how of ['recvSync with a timeout', 'pollSync with a timeout', 'sendSync with a timeout']) {
  testSignals(`signals do not prolong a ${how}`, async t => {
    const [, end] = openPipe(t)
    const program = startProgram(t, 'connection-signals.mjs', { end, args: [how] })
    t.is(await program.report(), 'ready')
    let over = false
    const ended = program.report().finally(() => {
      over = true
    })
    // Signals go on until it has ended: one that began anew with each would never end.
    while (!over) {
      program.child.kill('SIGUSR2')
      await delay(3)
    }
    t.deepEqual(await ended, { failed: how.startsWith('poll') ? false : 'ERR_CAROM_TIMEOUT' })
  })
}

testSignals('a process that was stopped and continued goes on receiving', async t => {
  const [conn, end] = openPipe(t)
  const program = startProgram(t, 'connection-signals.mjs', { end, args: ['recvSync'] })
  t.is(await program.report(), 'ready')
  program.child.kill('SIGSTOP')
  await delay(20)
  await conn.send('sent meanwhile')
  program.child.kill('SIGCONT')
  t.deepEqual(await program.report(), { received: 'sent meanwhile' })
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends a process in a blocking receive`, async t => {
    const [conn, end] = openPipe(t)
    const program = startProgram(t, 'connection-signals.mjs', { end, args: ['recvSync'] })
    t.is(await program.report(), 'ready')
    await delay(50)
    program.child.kill(signal)
    t.is(await program.exit, signal)
    await t.throwsAsync(conn.recv(), endOfStream)
  })
}

for (const form of forms) {
  test(`${form.name}: a peer that was killed while it sent leaves a truncated stream`, async t => {
    const [conn, end] = openPipe(t)
    const program = startProgram(t, 'connection-half.mjs', { end, args: ['blocked'] })
    t.is(await program.report(), 'half')
    t.is(await form.recv(conn), 'whole')
    // The beginning is here: on Windows what a process was sending and nobody has read goes with it.
    await t.throwsAsync(form.recvBytes(conn, 1), tooLong)
    program.child.kill('SIGKILL')
    t.is(await program.exit, 'SIGKILL')
    for (let i = 0; i < 2; i++) await t.throwsAsync(form.recvBytes(conn), truncated)
  })

  testOnUnix('fs cannot write to a handle')(
    `${form.name}: a peer that is killed inside a message ends the receive that waits for the rest`,
    async t => {
      const [conn, end] = openPipe(t)
      const program = startProgram(t, 'connection-half.mjs', { end, args: ['raw'] })
      t.is(await program.report(), 'half')
      t.is(await form.recv(conn), 'whole')
      await t.throwsAsync(form.recvBytes(conn), truncated)
      t.is(await program.exit, 'SIGKILL')
    },
  )

  test(`${form.name}: a peer that is killed between two messages leaves a clean end`, async t => {
    const [conn, end] = openPipe<Buffer>(t)
    const program = startProgram(t, 'connection-child-echo.mjs', { end, args: [form.name] })
    await form.send(conn, patterned(10))
    t.deepEqual(await form.recv(conn), patterned(10))
    program.child.kill('SIGKILL')
    await t.throwsAsync(form.recv(conn), endOfStream)
    t.is(await program.exit, 'SIGKILL')
  })
}
