/** carom with promises, as in `carom.mjs`, to a CPython: pickle for objects. */
import { asyncEnd } from './carom.mjs'
import { launchPythonPipe } from './carom-pipe.mjs'

export async function launch({ kind }, args) {
  return asyncEnd(launchPythonPipe(args), kind)
}
