/** For tests with processes of their own: with one for each test of a file at once, nobody is in time. */
import type { ExecutionContext } from 'ava'

const AT_ONCE = 3
let running = 0
const queue: (() => void)[] = []

/** Waits until few enough others of this file run; the turn ends with the test. */
export async function turn(t: ExecutionContext): Promise<void> {
  if (running >= AT_ONCE) await new Promise<void>(resolve => queue.push(resolve))
  else running++
  t.teardown(() => {
    const next = queue.shift()
    if (next) next()
    else running--
  })
}
