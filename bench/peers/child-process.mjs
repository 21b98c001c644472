/** Node's own channel with `serialization: 'advanced'`: structured clone. */
import { channelPeer } from './channel-peer.mjs'

export const { launch, attach } = channelPeer('advanced')
