/**
 * The challenges that the listeners and clients of this process have open, in all its threads. Whoever connects to a
 * listener could otherwise pass its challenge on to a client of the same process, and have the answer from there.
 */
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

/** @param remoteAddress What the client is connected to, as the system has it. */
export function challengesOfClient(remoteAddress: () => string): OpenChallenges {
  return {
    open: challenge => environment.openChallenge(challenge, NOWHERE),
    close: challenge => environment.closeChallenge(challenge),
    mayAnswer: challenge => {
      const address = environment.addressOfChallenge(challenge)
      return address === null || (address !== NOWHERE && address === plain(remoteAddress()))
    },
  }
}
