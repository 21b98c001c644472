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
