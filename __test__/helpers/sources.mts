/**
 * Modules that the package does not export. They come by `require`, which gives all of them the same errors: by
 * `import`, each would have classes of its own.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const address = require('../../lib/address.js') as typeof import('../../lib/address.js')
export const errors = require('../../lib/errors.js') as typeof import('../../lib/errors.js')
export const handshake = require('../../lib/handshake.js') as typeof import('../../lib/handshake.js')
/** Loaded when it is asked for: it brings the addon with it. */
export const inheritance = () =>
  require('../../lib/process/inheritance.js') as typeof import('../../lib/process/inheritance.js')
export const messages = require('../../lib/handshake-messages.js') as typeof import('../../lib/handshake-messages.js')
