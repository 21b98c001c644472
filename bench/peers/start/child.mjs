/** The child of both peers: that of `fork` has Node's channel to speak over, that of `Process` the connection given. */

/** As in works/child-start.mjs, which is not imported: the child is to load nothing but itself. */
const GREETING = 'here'

export async function speak(conn) {
  await conn.send(GREETING)
  await conn.close()
}

process.send?.(GREETING)
