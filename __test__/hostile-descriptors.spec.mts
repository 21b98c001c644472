/** Nobody has a descriptor to spare: whoever waits gets in when there is one again, and nobody is busy until then. */
import test from 'ava'
import { type Address, Client, Listener } from 'carom'
import { families, key, LONG, RawStream } from './helpers/hostile-peers.mjs'
import { onLinux, testIf } from './helpers/platform.mjs'
import { startProgram } from './helpers/programs.mjs'

const options = { authkey: key, handshakeTimeout: LONG }
const PAUSE = 600
const forms = ['accept', 'for await', 'wait', 'acceptSync', 'waitSync']
const testOnLinux = testIf(onLinux, 'uses ulimit and /proc', test.serial)

interface Ended {
  isFree: boolean
  failures: string[]
  left: number
}

for (const form of forms) {
  for (const [family, authkey] of [
    ['AF_UNIX', key],
    ['AF_INET', undefined],
  ] as const) {
    testOnLinux(
      `${form}, ${family}, ${authkey ? 'with' : 'without'} a key: accepting goes on when descriptors are free again`,
      async t => {
        const setting = { form, pause: PAUSE, options: { ...options, authkey, family } }
        const program = startProgram(t, 'hostile-no-descriptors.mjs', { args: [JSON.stringify(setting)] })
        const { address } = await program.report<{ address: Address }>()
        const conn = await Client(address, { ...options, authkey })
        t.teardown(() => conn.closeSync())
        await conn.sendBytes(Buffer.from('patient'))
        t.is((await conn.recvBytes()).toString(), 'patient')
        conn.closeSync()
        const { cpu } = await program.report<{ cpu: number }>()
        const { isFree, failures, left } = await program.report<Ended>()
        t.true(cpu < PAUSE / 4, `${cpu} ms of the processor in ${PAUSE} ms`)
        t.true(isFree)
        t.deepEqual(failures, [])
        // What is opened on first use stays.
        t.true(left <= 2, `${left} more than before`)
        t.is(await program.exit, 0)
      },
    )
  }

  testOnLinux(`${form}: silent peers do not keep the last descriptors`, async t => {
    // Nobody else frees any as long as this lasts.
    const setting = { form, pause: LONG, spare: 5, options: { ...options, family: 'AF_UNIX' } }
    const program = startProgram(t, 'hostile-no-descriptors.mjs', { args: [JSON.stringify(setting)] })
    const { address } = await program.report<{ address: string }>()
    const peers = await Promise.all(Array.from({ length: 20 }, () => RawStream.connect(address)))
    const conn = await Client(address, { ...options, timeout: 10_000 })
    t.teardown(() => conn.closeSync())
    await conn.sendBytes(Buffer.from('patient'))
    t.is((await conn.recvBytes()).toString(), 'patient')
    for (const peer of peers) peer.close()
    const { failures } = await program.report<Ended>()
    t.true(failures.includes('TimeoutError'))
  })
}

for (const form of ['async', 'blocking']) {
  for (const family of families) {
    testOnLinux(
      `${form}, ${family}: a client without a descriptor gets the system's error, and has one later`,
      async t => {
        const listener = new Listener({ family, ...options })
        t.teardown(() => listener.closeSync())
        const accepted = listener.accept()
        const setting = { role: 'client', form, address: listener.address, options }
        const program = startProgram(t, 'hostile-no-descriptors.mjs', { args: [JSON.stringify(setting)] })
        ;(await accepted).closeSync()
        const { outcomes, left } = await program.report<{ outcomes: unknown[]; left: number }>()
        t.deepEqual(outcomes, Array(3).fill({ name: 'Error', code: 'EMFILE', syscall: 'connect' }))
        t.true(left <= 2, `${left} more than before`)
      },
    )
  }
}
