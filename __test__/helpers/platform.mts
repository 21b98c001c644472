/** What the platform of the tests has, and tests that need what it has not. */
import test, { type ImplementationFn } from 'ava'

export const onLinux = process.platform === 'linux'
export const onWindows = process.platform === 'win32'
/** Set by the recipe that runs the tests under Wine. */
export const underWine = 'CAROM_UNDER_WINE' in process.env

type Declare = <Arguments extends unknown[]>(
  title: string,
  run: ImplementationFn<Arguments>,
  ...args: Arguments
) => void

/** `test` where it is possible; elsewhere a test that is skipped, with the reason in its name. */
export function testIf(possible: boolean, reason: string, declare: Declare = test): Declare {
  return possible ? declare : (title, run, ...args) => skipped(`${title} [skipped: ${reason}]`, run, ...args)
}

const skipped: Declare = test.skip

/** For what there is on Unix alone. */
export const testOnUnix = (reason: string, declare?: Declare): Declare => testIf(!onWindows, reason, declare)
