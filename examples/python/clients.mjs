/**
 * A server in Node answers three clients in Python, side by side; both sides prove first that they know the same key.
 *
 * The clients use nothing but Python's standard library. Their `conn.send(obj)` writes a pickle, and so does
 * `serializers.pickle`; to read one runs nothing. `legacyAuth` lets Python before 3.12 in, which knows MD5 alone.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Listener, serializers } from 'carom'

const client = fileURLToPath(new URL('client.py', import.meta.url))
const listener = new Listener({ authkey: 'secret', legacyAuth: true, serializer: serializers.pickle })

async function serve(conn) {
  for await (const { from, values } of conn) {
    console.log(`Server received ${values} from ${from}`)
    await conn.send({ sum: values.reduce((sum, value) => sum + value) })
  }
  await conn.close()
}

async function serveAll() {
  for await (const conn of listener) serve(conn)
}

const serving = serveAll()
const endings = [0, 1, 2].map(number => {
  const child = spawn('python3', [client, listener.address, `${number}`], { stdio: 'inherit' })
  return once(child, 'exit')
})
for (const ending of endings) {
  const [code] = await ending
  console.log('A client ended with exit code', code)
}
await listener.close() // The loop over the listener ends.
await serving
