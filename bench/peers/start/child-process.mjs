/** A bare `fork`. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { alone } from './alone.mjs'

const MODULE = new URL('child.mjs', import.meta.url)

export async function launch() {
  return alone(async () => {
    const child = fork(MODULE, { stdio: ['ignore', 2, 2, 'ipc'] })
    const [message] = await once(child, 'message')
    return {
      message,
      async ended() {
        child.disconnect()
        await once(child, 'exit')
      },
    }
  })
}
