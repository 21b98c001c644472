/** `require` has the types that `import` has. Compiling is the test; nothing here runs. */
import carom = require('carom')

export async function receive(reader: carom.ReadableConnection<string>): Promise<string> {
  return await reader.recv()
}

export async function main(): Promise<number | undefined> {
  const [reader, writer] = carom.Pipe<string>({ duplex: false })
  const child = new carom.Process({ module: __filename, target: receive, args: [reader] }).start()
  await writer.send('text')
  // @ts-expect-error The writer only sends.
  await writer.recv()
  return await child.join()
}

export async function serve(): Promise<string[]> {
  const listener = new carom.Listener<string>({ family: 'AF_INET', authkey: 'key' })
  const client = carom.ClientSync<string>(listener.address, { authkey: 'key', retryFor: 100 })
  const [ready] = await carom.wait([listener, client], 1000)
  const messages: string[] = []
  if (ready === listener) for await (const message of await ready.accept()) messages.push(message)
  // @ts-expect-error A listener has no messages of its own.
  await listener.recv()
  return messages
}
