import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { isMainProcess, Pipe, Process, wait, waitSync } from 'carom'
import { test } from './smoke.mjs'
import { describe, echo, echoSync, exit, fail, handOn, leaveDaemon, print, sendIndices, sleep } from './targets.mjs'

const module = new URL('./targets.mjs', import.meta.url)

test('a process is handed a connection, and is of the same runtime', async () => {
  const [ours, theirs] = Pipe()
  const child = new Process({ module, target: describe, args: [theirs, 1, { two: [2n, new Map([[3, 4]])] }] }).start()
  assert.ok(theirs.closed)
  const told = await ours.recv()
  assert.equal(told.execPath, process.execPath)
  assert.equal(told.pid, child.pid)
  assert.equal(told.isMainProcess, false)
  assert.ok(isMainProcess)
  assert.deepEqual(told.execArgv, process.execArgv)
  assert.deepEqual(told.argv, [module.pathname])
  assert.deepEqual(told.args, [1, { two: [2n, new Map([[3, 4]])] }])
  await assert.rejects(ours.recv(), { code: 'ERR_CAROM_EOF' })
  assert.equal(await child.join(), 0)
})

for (const target of [echo, echoSync]) {
  test(`a child answers: ${target.name}`, async () => {
    const [ours, theirs] = Pipe()
    const child = new Process({ module, target, args: [theirs] }).start()
    for (const message of ['one', { two: 2 }, Buffer.alloc(3_000_000).toString()]) {
      await ours.send(message)
      assert.deepEqual(await ours.recv(), message)
      ours.sendSync(message)
      assert.deepEqual(ours.recvSync(), message)
    }
    await ours.close()
    assert.equal(await child.join(), 0)
  })
}

test('several connections go to one child', async () => {
  const pipes = [Pipe(), Pipe(), Pipe()]
  const [first, ...others] = pipes.map(([, theirs]) => theirs)
  const child = new Process({ module, target: sendIndices, args: [first, { others }] }).start()
  for (const [index, [ours]] of pipes.entries()) {
    assert.equal(await ours.recv(), index)
    await assert.rejects(ours.recv(), { code: 'ERR_CAROM_EOF' })
  }
  assert.equal(await child.join(), 0)
})

test('exit codes and signals are told, to join and to joinSync', async () => {
  const stdio = ['ignore', 'inherit', 'ignore']
  const start = (target, ...args) => new Process({ module, target, args, stdio }).start()
  assert.equal(await start(exit, 7).join(), 7)
  assert.equal(start(exit, 7).joinSync(), 7)
  assert.equal(await start(fail).join(), 1)
  const sleeper = start(sleep)
  assert.equal(await sleeper.join(20), undefined)
  assert.equal(sleeper.joinSync(20), undefined)
  sleeper.terminate()
  assert.equal(await sleeper.join(), -15)
  assert.equal(sleeper.signalCode, 'SIGTERM')
  const other = start(sleep)
  other.kill()
  assert.equal(other.joinSync(), -9)
  assert.equal(other.signalCode, 'SIGKILL')
})

test('wait knows the end of a process', async () => {
  const child = new Process({ module, target: exit, args: [3] }).start()
  assert.deepEqual(await wait([child]), [child])
  assert.equal(child.exitCode ?? (await child.join()), 3)
  const other = new Process({ module, target: exit, args: [4] }).start()
  assert.deepEqual(waitSync([other]), [other])
  assert.equal(other.exitCode, 4)
})

test('the standard output is a stream where it is wanted', async () => {
  const child = new Process({ module, target: print, args: ['to the parent'], stdio: ['ignore', 'pipe', 'inherit'] })
  assert.equal(await text(child.start().stdout), 'to the parent')
  assert.equal(await child.join(), 0)
})

test('the working directory and the environment are those that were given', async () => {
  const [ours, theirs] = Pipe()
  const child = new Process({ module, target: describe, args: [theirs], cwd: '/', env: process.env }).start()
  assert.equal((await ours.recv()).cwd, '/')
  assert.equal(await child.join(), 0)
})

test('a child starts a child of its own', async () => {
  const [ours, theirs] = Pipe()
  const child = new Process({ module, target: handOn, args: [theirs] }).start()
  const { grandchild, code } = await ours.recv()
  assert.notEqual(grandchild, child.pid)
  assert.equal(code, 0)
  assert.equal(await child.join(), 0)
})

test('a daemon ends with its parent', async () => {
  const [ours, theirs] = Pipe()
  const parent = new Process({ module, target: leaveDaemon, args: [theirs], stdio: ['ignore', 'pipe', 'inherit'] })
  assert.ok(Number(await text(parent.start().stdout)) > 0)
  await assert.rejects(ours.recv(), { code: 'ERR_CAROM_EOF' })
  assert.equal(await parent.join(), 0)
})
