/** An entry at work: its driver as a process, which does a round for each line that it is given (see `driver.mjs`). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A round takes a fraction of a second: one that takes so long hangs. */
const PATIENCE = 60_000

export class Session {
  #driver
  #answers
  #exited

  constructor(name, command) {
    this.name = name
    this.#driver = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.#driver, 'close')
    // Both show in that no answer comes.
    this.#exited.catch(() => {})
    this.#driver.stdin.on('error', () => {})
    this.#answers = createInterface({ input: this.#driver.stdout })[Symbol.asyncIterator]()
  }

  /** The nanoseconds that `count` messages took. `whole`: every byte of each is compared. */
  async round(count, { whole = false } = {}) {
    const timer = setTimeout(() => this.kill(), PATIENCE)
    this.#driver.stdin.write(`${count} ${whole ? 1 : 0}\n`)
    const { value, done } = await this.#answers.next()
    clearTimeout(timer)
    if (done) throw new Error(`${this.name} has ended, or hung, in a round of ${count} messages`)
    return Number(value)
  }

  /** Lets both processes end by themselves. */
  async close() {
    const timer = setTimeout(() => this.kill(), PATIENCE)
    this.#driver.stdin.end()
    const [code, signal] = await this.#exited
    clearTimeout(timer)
    if (code !== 0) throw new Error(`${this.name} has ended with ${signal ?? `exit code ${code}`}`)
  }

  /** Ends the driver at once; the responder sees the end of the stream. */
  kill() {
    this.#driver.kill('SIGKILL')
  }
}
