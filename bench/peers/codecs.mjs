/** What the peers that carry bytes alone do with each kind of messages: msgpackr for objects. */
import { Packr } from 'msgpackr'

export const codecs = {
  bytes: () => ({ encode: message => message, decode: payload => payload }),
  objects: () => {
    const packr = new Packr({ useRecords: false })
    return { encode: message => packr.pack(message), decode: payload => packr.unpack(payload) }
  },
}
