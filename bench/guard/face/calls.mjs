/** `node calls.mjs NAME`: how many calls into the addon one run makes for each message. */
import { createRequire } from 'node:module'
import { works } from './works.mjs'

const require = createRequire(import.meta.url)
const binding = require(`../../../native/carom.linux-${process.arch}-gnu.node`)
let calls = 0

/** In the place of the class that the face makes its only environment of, before that is loaded. */
binding.Environment = class extends binding.Environment {
  constructor(...args) {
    super(...args)
    const { prototype } = Object.getPrototypeOf(new.target)
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const { value } = Object.getOwnPropertyDescriptor(prototype, name)
      if (name !== 'constructor' && typeof value === 'function') this[name] = counted(value.bind(this))
    }
  }

  get calls() {
    return Object.fromEntries(Object.entries(super.calls).map(([name, call]) => [name, counted(call)]))
  }
}

const round = works[process.argv[2]](require('carom'))
await round()
calls = 0
const messages = await round()
console.log(JSON.stringify({ nativeCalls: calls / messages }))

function counted(call) {
  return (...args) => {
    calls++
    return call(...args)
  }
}
