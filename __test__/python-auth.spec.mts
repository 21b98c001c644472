/** Real Pythons at the other end, every version that is here: their handshake, and what is sent after it. */
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import {
  type Address,
  AuthenticationError,
  type BoundAddress,
  Client,
  type Connection,
  type Family,
  Listener,
  type ListenerOptions,
} from 'carom'
import { abstractName, anyPort, socketPath } from './helpers/listeners.mjs'
import { startProgram } from './helpers/programs.mjs'
import { everyPython, modern, needsPackages, pythons, startPython } from './helpers/pythons.mjs'
import { turn } from './helpers/turns.mjs'

const LONG = 60_000
const authkey = 'the key of both'
const SIZES = [0, 1, 59, 256, 257, 16_384, 65_535, 65_536, 1_000_000]

/** What each family is tested with, made anew for each test. */
const places: Record<string, (t: ExecutionContext) => { family: Family; address: Address }> = {
  'a path': t => ({ family: 'AF_UNIX', address: socketPath(t) }),
  'a host and port': () => ({ family: 'AF_INET', address: anyPort }),
}
if (process.platform === 'linux') places['an abstract name'] = () => ({ family: 'AF_UNIX', address: abstractName() })

interface Report {
  error?: string
  code?: string
  text?: string
  sent?: number
  echoed?: number
}

const forms = ['async', 'blocking'] as const
type Form = (typeof forms)[number]
type Options = Pick<ListenerOptions, 'authkey' | 'legacyAuth'>

/** Connects to a Python, and sends it what it sends back. */
async function talk(t: ExecutionContext, form: Form, address: Address, family: Family, more: Options): Promise<Report> {
  const options = { ...more, handshakeTimeout: LONG }
  if (form === 'blocking') {
    const setting = { role: 'connect', address, family, options, sizes: SIZES }
    return await startProgram(t, 'hostile-python.mjs', { args: [JSON.stringify(setting)] }).report()
  }
  try {
    await using conn = await Client(address, { ...options, family })
    for (const size of SIZES) {
      const message = Buffer.alloc(size, 'carom')
      const [, reply] = await Promise.all([conn.sendBytes(message), conn.recvBytes()])
      t.true(reply.equals(message))
    }
    return { sent: SIZES.length }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { error: error.name, code: (error as NodeJS.ErrnoException).code, text: error.message }
  }
}

/** Listens, and sends back what it gets; its failures, as they come. */
async function host(t: ExecutionContext, form: Form, address: Address, family: Family, more: Options) {
  const options = { ...more, handshakeTimeout: LONG }
  if (form === 'blocking') {
    const setting = { role: 'listen', address, family, options, times: 100 }
    const program = startProgram(t, 'hostile-python.mjs', { args: [JSON.stringify(setting)] })
    return { address: await program.report<BoundAddress>(), failure: () => program.report<Report>() }
  }
  const failures: Report[] = []
  const listener = new Listener(address, {
    ...options,
    family,
    onAuthenticationFailed: ({ name, message, code }) => failures.push({ error: name, code, text: message }),
  })
  t.teardown(() => listener.closeSync())
  const echo = async (conn: Connection) => {
    for await (const bytes of conn.bytes()) await conn.sendBytes(bytes)
    await conn.close()
  }
  ;(async () => {
    for await (const conn of listener) echo(conn).catch(error => t.fail(String(error)))
  })()
  const failure = async () => {
    while (failures.length === 0) await delay(5)
    return failures.shift() as Report
  }
  return { address: listener.address, failure }
}

needsPackages('billiard')

for (const python of everyPython) {
  const legacyAuth = python.isOld
  for (const form of forms) {
    const title = `${python.name}, ${form}`

    // The versions differ in the handshake, not in the sockets.
    const isEverywhere = python === pythons[0] || python === modern
    for (const [place, make] of Object.entries(places).slice(0, isEverywhere ? undefined : 1)) {
      test(`${title}: at ${place}, it is let in with the key, and without one where none is asked for`, async t => {
        await turn(t)
        for (const more of [{ authkey, legacyAuth }, {}]) {
          const { address, family } = make(t)
          const listener = await host(t, form, address, family, more)
          const setting = { ...more, address: listener.address, family, sizes: SIZES }
          // The second one meets `waitSync` in the blocking form.
          for (let i = 0; i < 2; i++)
            t.deepEqual(await startPython(t, python, 'connect', setting).report(), { sent: SIZES.length })
        }
      })

      test(`${title}: at ${place}, it lets us in with the key, and without one where it asks for none`, async t => {
        await turn(t)
        for (const more of [{ authkey, legacyAuth }, {}]) {
          const { address, family } = make(t)
          const program = startPython(t, python, 'listen', {
            ...more,
            family,
            address: family === 'AF_INET' ? { host: '127.0.0.1', port: 0 } : address,
            times: 1,
          })
          const at = await program.report<BoundAddress>()
          t.deepEqual(await talk(t, form, at, family, more), { sent: SIZES.length })
          t.deepEqual(await program.report(), { echoed: SIZES.length })
        }
      })
    }

    test(`${title}: a wrong key is an AuthenticationError on both sides, and the next one gets in`, async t => {
      await turn(t)
      const { address, family } = places['a path'](t)
      const listener = await host(t, form, address, family, { authkey, legacyAuth })
      const setting = { address: listener.address, family, sizes: [1] }
      const wrong = await startPython(t, python, 'connect', { ...setting, authkey: 'another' }).report<Report>()
      t.is(wrong.error, 'AuthenticationError')
      const failure = await listener.failure()
      t.is(failure.error, 'AuthenticationError')
      t.is(failure.code, 'ERR_CAROM_AUTH')
      t.deepEqual(await startPython(t, python, 'connect', { ...setting, authkey }).report(), { sent: 1 })

      const program = startPython(t, python, 'listen', { ...places['a path'](t), authkey, times: 2 })
      const at = await program.report<BoundAddress>()
      const ours = await talk(t, form, at as Address, family, { authkey: 'another', legacyAuth })
      t.is(ours.error, 'AuthenticationError')
      t.regex(ours.text ?? '', /rejected/)
      t.is((await program.report<Report>()).error, 'AuthenticationError')
      t.is((await talk(t, form, at as Address, family, { authkey, legacyAuth })).sent, SIZES.length)
    })

    if (python.isOld) {
      test(`${title}: without legacyAuth, both sides learn that they do not speak the same`, async t => {
        await turn(t)
        const { address, family } = places['a path'](t)
        const listener = await host(t, form, address, family, { authkey })
        const setting = { address: listener.address, family, sizes: [1], authkey }
        t.is((await startPython(t, python, 'connect', setting).report<Report>()).error, 'AuthenticationError')
        const failure = await listener.failure()
        t.is(failure.error, 'AuthenticationError')
        t.regex(failure.text ?? '', /legacyAuth/)

        const program = startPython(t, python, 'listen', { ...places['a path'](t), authkey, times: 1 })
        const at = await program.report<BoundAddress>()
        const ours = await talk(t, form, at as Address, family, { authkey })
        t.is(ours.error, 'AuthenticationError')
        t.regex(ours.text ?? '', /legacyAuth/)
        t.truthy((await program.report<Report>()).error)
      })
    } else {
      test(`${title}: with legacyAuth, too, it is let in and lets us in`, async t => {
        await turn(t)
        const { address, family } = places['a path'](t)
        const listener = await host(t, form, address, family, { authkey, legacyAuth: true })
        const setting = { address: listener.address, family, sizes: [1], authkey }
        t.deepEqual(await startPython(t, python, 'connect', setting).report(), { sent: 1 })
        const program = startPython(t, python, 'listen', { ...places['a path'](t), authkey, times: 1 })
        const at = await program.report<BoundAddress>()
        t.is((await talk(t, form, at as Address, family, { authkey, legacyAuth: true })).sent, SIZES.length)
      })
    }
  }
}

for (const python of pythons.slice(0, 1)) {
  test('one side with a key and one without: each learns of it', async t => {
    await turn(t)
    const { address, family } = places['a path'](t)
    const program = startPython(t, python, 'listen', { address, family, authkey, times: 1 })
    const at = await program.report<string>()
    const conn = await Client(at)
    const error = await t.throwsAsync(conn.recvBytes())
    t.true(error instanceof AuthenticationError)
    conn.closeSync()
    t.is((await program.report<Report>()).error, 'EOFError')

    const keyless = startPython(t, python, 'listen', { ...places['a path'](t), times: 1 })
    const to = await keyless.report<string>()
    await t.throwsAsync(Client(to, { authkey, handshakeTimeout: 300 }), { code: 'ERR_CAROM_TIMEOUT' })
    t.deepEqual(await keyless.report(), { echoed: 0 })
  })
}
