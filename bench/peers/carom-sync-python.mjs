/** carom with the blocking forms, as in `carom-sync.mjs`, to a CPython: pickle for objects. */

import { launchPythonPipe } from './carom-pipe.mjs'
import { blockingEnd } from './carom-sync.mjs'

export async function launch({ kind }, args) {
  return blockingEnd(launchPythonPipe(args), kind)
}
