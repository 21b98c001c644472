// The names of index.ts for `require`. In the JavaScript of Node 6, so that an old Node can read it, and says what is wanted.
'use strict'

const wanted = [20, 19]
const found = process.versions.node
const [major, minor] = found.split('.').map(Number)

if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  const error = new Error(`carom needs Node.js ${wanted.join('.')} or later, this is ${found}: install a newer one`)
  error.code = 'ERR_CAROM_NODE_TOO_OLD'
  throw error
}

module.exports = require('./dist/index.js')
