/** A Python that makes pickles, and tells what it got. */
import type { ExecutionContext } from 'ava'
import { type Connection, serializers } from 'carom'
import { openPipe } from './pipes.mjs'
import { type Python, startPython } from './pythons.mjs'

export class PicklingPython {
  readonly #conn: Connection

  constructor(t: ExecutionContext, python: Python) {
    const [conn, end] = openPipe(t, { serializer: serializers.pickle })
    startPython(t, python, 'serve', {}, { program: 'pickles', ends: [end] })
    this.#conn = conn
  }

  /** What an expression gives, as it comes by that protocol. */
  async make(expression: string, protocol: number): Promise<unknown> {
    await this.#request({ make: expression, protocol })
    return await this.#conn.recv()
  }

  /** The bytes of the same. */
  async dump(expression: string, protocol: number): Promise<Buffer> {
    await this.#request({ make: expression, protocol })
    return await this.#conn.recvBytes()
  }

  /** True when what it gets is what an expression gives, of the same type; else a text that shows both. */
  async compare(value: unknown, expression: string): Promise<true | string> {
    await this.#request({ compare: expression })
    return await this.#answer(value)
  }

  /** What an expression says of the value that it gets: JSON. */
  async ask(value: unknown, expression: string): Promise<unknown> {
    await this.#request({ ask: expression })
    return await this.#answer(value)
  }

  async echo(value: unknown, protocol = 4): Promise<unknown> {
    await this.#request({ echo: protocol })
    await this.#conn.send(value)
    return await this.#conn.recv()
  }

  #request(request: object): Promise<void> {
    return this.#conn.sendBytes(Buffer.from(JSON.stringify(request)))
  }

  async #answer<T>(value: unknown): Promise<T> {
    await this.#conn.send(value)
    return JSON.parse((await this.#conn.recvBytes()).toString())
  }
}
