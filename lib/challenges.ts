/**
 * The challenges that the listeners and clients of this process have open, in all its threads. Whoever connects to a
 * listener could otherwise pass its challenge on to a client of the same process, and have the answer from there.
 */
import { realpathSync } from 'node:fs'
import type { OpenChallenges } from './handshake.js'
import { environment } from './native.js'

/** Of a client: nobody of this process answers them. */
const NOWHERE = ''

/** To a listener at all interfaces, an IPv4 peer's address looks like one of IPv6. */
function plain(address: string): string {
  return address.replace(/^\[::ffff:([\d.]+)\]/, '$1')
}

/** @param address Where the listener is, as the accepted connection has it. */
export function challengesOfListener(address: string): OpenChallenges {
  return {
    open: challenge => environment.openChallenge(challenge, plain(address)),
    close: challenge => environment.closeChallenge(challenge),
    mayAnswer: () => true,
  }
}

/** Whether two paths, of a listener and of what a client is connected to, are those of one file. */
function isSameFile(path: string, other: string): boolean {
  try {
    return realpathSync(path) === realpathSync(other)
  } catch {
    return false
  }
}

/**
 * @param address What the client is connected to. A path is the one that it was given, made absolute: what the system
 * has is the name that somebody once bound, which may be another socket's by now.
 */
export function challengesOfClient(address: string, isPath: boolean): OpenChallenges {
  return {
    open: challenge => environment.openChallenge(challenge, NOWHERE),
    close: challenge => environment.closeChallenge(challenge),
    mayAnswer: challenge => {
      const opener = environment.addressOfChallenge(challenge)
      if (opener === null) return true
      if (opener === NOWHERE) return false
      return opener === plain(address) || (isPath && isSameFile(opener, address))
    },
  }
}
