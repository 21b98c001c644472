/**
 * Python writes half a surrogate pair as if it were a character of UTF-8 (`surrogatepass`), which UTF-8 forbids: WTF-8.
 */

const SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** For text that has such a half in it. */
export function encodeWtf8(text: string): Buffer {
  const parts: Buffer[] = []
  let from = 0
  for (const { index } of text.matchAll(SURROGATES)) {
    const code = text.charCodeAt(index)
    parts.push(
      Buffer.from(text.slice(from, index)),
      Buffer.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)),
    )
    from = index + 1
  }
  parts.push(Buffer.from(text.slice(from)))
  return Buffer.concat(parts)
}

/** For bytes that are no UTF-8; `undefined` if they are no WTF-8, either. */
export function decodeWtf8(bytes: Buffer): string | undefined {
  const parts: string[] = []
  let from = 0
  for (let at = bytes.indexOf(0xed); at !== -1; at = bytes.indexOf(0xed, at + 1)) {
    const second = bytes[at + 1]
    const third = bytes[at + 2]
    if (!(second >= 0xa0 && second <= 0xbf && third >= 0x80 && third <= 0xbf)) continue
    parts.push(bytes.toString('utf8', from, at), String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f)))
    from = at + 3
  }
  parts.push(bytes.toString('utf8', from))
  const text = parts.join('')
  return encodeWtf8(text).equals(bytes) ? text : undefined
}
