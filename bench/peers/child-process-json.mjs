/** Node's own channel as it is by default: JSON, which has no bytes. */
import { channelPeer } from './channel-peer.mjs'

export const { launch, attach } = channelPeer('json')
