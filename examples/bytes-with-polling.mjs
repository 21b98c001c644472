/**
 * Bytes instead of objects, received when polling says that a message has come.
 *
 * `poll` is also true at the end of the stream, where a receive does not wait either: it fails with `EOFError`. The
 * receiver uses the blocking forms, which suit a process that has nothing else to do.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { EOFError, isMainProcess, Pipe, Process } from 'carom'

export async function byteSender(writer) {
  for (const text of ['Hello', 'World', 'Bytes']) {
    console.log(`Sending bytes: ${text}`)
    await writer.sendBytes(Buffer.from(text))
    await sleep(200)
  }
  await writer.close()
}

export function byteReceiver(reader) {
  while (reader.pollSync(5000)) {
    try {
      const bytes = reader.recvBytesSync(1024)
      console.log(`Received ${bytes.length} bytes: ${bytes}`)
    } catch (error) {
      if (!(error instanceof EOFError)) throw error
      console.log('End of the stream')
      return
    }
  }
  console.log('Nothing came for five seconds')
}

if (isMainProcess) {
  const [reader, writer] = Pipe({ duplex: false })
  const processes = [
    new Process({ module: import.meta.url, target: byteSender, args: [writer] }).start(),
    new Process({ module: import.meta.url, target: byteReceiver, args: [reader] }).start(),
  ]
  for (const child of processes) await child.join()
}
