/** A `Process`, and a pipe to it. */
import { Pipe, Process } from 'carom'
import { alone } from './alone.mjs'

const module = new URL('child.mjs', import.meta.url)

export async function launch() {
  return alone(async () => {
    const [ours, theirs] = Pipe()
    const child = new Process({ module, target: 'speak', args: [theirs], stdio: ['ignore', 2, 2] }).start()
    return {
      message: await ours.recv(),
      async ended() {
        ours.closeSync()
        await child.join()
      },
    }
  })
}
