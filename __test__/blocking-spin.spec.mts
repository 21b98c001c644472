import { availableParallelism } from 'node:os'
import test from 'ava'
import { openPipe } from './helpers/pipes.mjs'
import { startProgram } from './helpers/programs.mjs'

/** The processor time of waits for nothing, by form, in milliseconds. */
type Spent = Record<'recvSync' | 'pollSync' | 'waitSync', number>

const forms = ['recvSync', 'pollSync', 'waitSync'] as const

test('blocking waits for nothing look again less and less often, and cost next to nothing', async t => {
  const [, far] = openPipe(t)
  // Each may look again for 20 ms, which would be 600 ms in all.
  const program = startProgram(t, 'connection-waiting-cpu.mjs', {
    end: far,
    args: ['30', '30'],
    env: { CAROM_SPIN: '20000' },
  })
  const spent = await program.report<Spent>()
  for (const form of forms) t.true(spent[form] < 200, `${form} took ${spent[form]} ms`)
})

test('CAROM_SPIN says how long a blocking wait looks again before it sleeps', async t => {
  // The first wait is not counted, and the one after that does not look again.
  const [on, off] = await Promise.all(
    ['300000', '0'].map(microseconds => {
      const [, far] = openPipe(t)
      const args = ['2', '300']
      return startProgram(t, 'connection-waiting-cpu.mjs', {
        end: far,
        args,
        env: { CAROM_SPIN: microseconds },
      }).report<Spent>()
    }),
  )
  for (const form of ['recvSync', 'pollSync'] as const) t.true(off[form] < 100, `${form} took ${off[form]} ms`)
  // One core is left to the peer. Of the 300 ms a loaded machine gives a part.
  const least = availableParallelism() > 1 ? 50 : 0
  t.true(on.recvSync >= least, `recvSync took ${on.recvSync} ms`)
})
