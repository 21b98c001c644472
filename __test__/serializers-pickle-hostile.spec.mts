/** Pickles that nobody should send: each is refused with a reason, alone, at once, and in words that hold no part of it. */
import { execFileSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import { python, type SerializerError, serializers } from 'carom'
import fc from 'fast-check'
import { oldPickles } from './helpers/old-pickles.mjs'
import { openPipe } from './helpers/pipes.mjs'

const { encode, decode } = serializers.pickle
const bytes = (text: string) => Buffer.from(text, 'latin1')

/** What must show up in no error's text. */
const secret = 'hunter2secret'
const MILLION = 1_000_000

/** What is wrong with each, and what its error says. */
const hostile: Record<string, [pickle: string, says: RegExp]> = {
  'nothing at all': ['', /cut short/],
  'no end': ['\x80\x04K\x01', /cut short/],
  'something behind the end': ['N.N', /something follows/],
  'two values': ['NN.', /more or less than one value/],
  'no value': ['.', /more or less than one value/],
  'a mark that is left': ['(N.', /more or less than one value/],
  'a protocol of the future': ['\x80\x06N.', /protocol beyond 5/],
  'a byte that is no opcode': ['\xff.', /no opcode/],
  'a frame longer than the message': ['\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.', /cut short/],
  'a text longer than the message': [`X\xff\xff\xff\x7f${secret}.`, /cut short/],
  'a short text longer than the message': [`\x8c\xff${secret}.`, /cut short/],
  'a text of 2^63 bytes': ['\x8d\0\0\0\0\0\0\0\x80.', /cut short/],
  'bytes of 4 GiB': ['B\xff\xff\xff\xff.', /cut short/],
  'bytes of 2^64': ['\x8e\xff\xff\xff\xff\xff\xff\xff\xff.', /cut short/],
  'a bytearray of 2^64': ['\x96\xff\xff\xff\xff\xff\xff\xff\xff.', /cut short/],
  'an integer of 2 GiB': ['\x8b\xff\xff\xff\x7f\x01.', /cut short/],
  'an integer of a negative length': ['\x8b\xff\xff\xff\xff\x01.', /cut short/],
  'an integer of a million digits': [`L${'9'.repeat(MILLION)}L\n.`, /integer is not one/],
  'an integer that is none': [`I${secret}\n.`, /integer is not one/],
  'a float that is none': [`F${secret}\n.`, /float is not one/],
  'a float cut off': ['G\0\0.', /cut short/],
  'a line without end': [`V${secret}`, /cut short/],
  'a text that is no UTF-8': ['X\x02\0\0\0\xff\xfe.', /UTF-8/],
  'a quoted string without quotes': [`S${secret}\n.`, /not quoted/],
  'a character beyond Unicode': ['V\\U00110000\n.', /character that there is not/],
  'a place that the memo does not have': ['h\x05.', /does not have/],
  'a far place that it does not have': ['j\xff\xff\xff\xff.', /does not have/],
  'a place that is no number': [`Np${secret}\n.`, /place in the memo/],
  'MEMOIZE without a value': ['\x94N.', /value is missing/],
  'POP without a value': ['0N.', /mark is missing/],
  'DUP without a value': ['2.', /value is missing/],
  'TUPLE2 of one': ['N\x86.', /value is missing/],
  'TUPLE2 across a mark': ['N(N\x86t.', /value is missing/],
  'TUPLE without a mark': ['Nt.', /mark is missing/],
  'APPENDS without a mark': [']Ne.', /mark is missing/],
  'APPENDS without a list': ['(Ne.', /value is missing/],
  'APPEND to a dict': ['}Na.', /no list/],
  'APPEND to a tuple': [')Na.', /no list/],
  'APPEND to bytes': ['C\x01aNa.', /no list/],
  'SETITEM in a list': [']NNs.', /no dict/],
  'SETITEM in a number': ['K\x01NNs.', /no dict/],
  'SETITEM in a set': ['\x8fNNs.', /no dict/],
  'SETITEMS with half an item': ['}(Nu.', /key has no value/],
  'DICT with half an item': ['(NNNd.', /key has no value/],
  'ADDITEMS to a list': ['](N\x90.', /no set/],
  'ADDITEMS to a frozenset': ['(\x91(N\x90.', /no set/],
  'a global': [`cos\nsystem\n(X\x0d\0\0\0${secret}tR.`, /it names os\.system,/],
  'a global from the stack': ['\x8c\x05posix\x8c\x06system\x93.', /it names posix\.system,/],
  'a builtin': ['cbuiltins\neval\n(Vprint(1)\ntR.', /it names builtins\.eval,/],
  getattr: ['c__builtin__\ngetattr\n.', /it names __builtin__\.getattr,/],
  'a dotted name': [
    '\x8c\x08datetime\x8c\x12datetime.fromtimestamp'.replace('\x12', '\x16').concat('\x93.'),
    /it names datetime\.datetime\.fromtimestamp,/,
  ],
  'a class of an INST': [`(cos\n.`, /cut short/],
  INST: ['(ios\nsystem\n.', /it names os\.system,/],
  OBJ: ['(cos\nsystem\nN o.', /it names os\.system,/],
  'a name that is not one': [`c${'\x07'}<b>\n"${'x'.repeat(500)}\n.`, /it names \?\?b\?\.\?x{63}…,/],
  'a global as a value': ['cbuiltins\nlist\n.', /builtins\.list is there as a value/],
  'a global in a list': [']cbuiltins\nlist\na.', /builtins\.list is there as a value/],
  'a global as a key': ['}cbuiltins\nlist\nNs.', /builtins\.list is there as a value/],
  'a global in a set': ['c__builtin__\nset\n(](cbuiltins\nlist\netR.', /global is in a list/],
  'a global in an OrderedDict': ['ccollections\nOrderedDict\n(](](Ncbuiltins\nlist\neetR.', /OrderedDict is not one/],
  'a global twice': ['cbuiltins\nlist\n2\x86.', /global is in no value/],
  'a time zone as a value': [
    'cdatetime\ntimezone\n(cdatetime\ntimedelta\n(K\x00K\x00K\x00tRtR.',
    /timezone is there as a value/,
  ],
  'a dtype as a value': ['cnumpy\ndtype\n(U\x02f8\x89\x88tR.', /dtype is there as a value/],
  'a class that is called and must not be': ['cbuiltins\nlist\n)R.', /it calls builtins\.list/],
  'REDUCE of a value': ['])R.', /no global/],
  'REDUCE without arguments': ['cbuiltins\nset\nNR.', /without arguments/],
  'NEWOBJ of a value': ['K\x01)\x81.', /no global/],
  'NEWOBJ_EX with names': ['cuuid\nUUID\n)}U\x01aNs\x92.', /named arguments/],
  'BUILD of a list': [']}b.', /no state|has none/],
  'BUILD of an object': ['ccollections\nOrderedDict\n)R}b.', /has none/],
  'very many empty sets': [`](${'\x8f'.repeat(6000)}e.`, /more sets/],
  'a persistent id': [`P${secret}\n.`, /persistent id/],
  'a binary persistent id': ['NQ.', /persistent id/],
  'an extension code': ['\x82\x01.', /extension code/],
  'a long extension code': ['\x84\x01\0\0\0.', /extension code/],
  'a buffer outside': ['\x97.', /buffer outside/],
  'a readonly buffer outside': ['N\x98.', /buffer outside/],
  'a UUID that is not built': ['cuuid\nUUID\n)\x81.', /UUID is there as a value/],
  'a UUID used before it is built': ['cuuid\nUUID\n)\x81\x94h\x00.', /used before/],
  'a UUID of 129 bits': [`cuuid\nUUID\n)\x81}U\x03int\x8a\x11${'\xff'.repeat(16)}\x01sb.`, /UUID is not one/],
  'a UUID without a number': [`cuuid\nUUID\n)\x81}b.`, /UUID is not one/],
  'a Decimal that is none': [`cdecimal\nDecimal\n(U\x0d${secret}tR.`, /Decimal is not one/],
  'a datetime of nine bytes': ['cdatetime\ndatetime\n(C\x09123456789tR.', /datetime is not one/],
  'a datetime in no month': ['cdatetime\ndatetime\n(C\x0a\x07\xe4\x0d\x01\0\0\0\0\0\0tR.', /is not one/],
  'a datetime in no time zone': [
    `cdatetime\ndatetime\n(C\x0a\x07\xe4\x01\x01\0\0\0\0\0\0U\x0d${secret}tR.`,
    /timezone is not one/,
  ],
  'a range that never gets on': ['cbuiltins\nrange\n(K\x01K\x02K\x00tR.', /range is not one/],
  'bytes by another codec': ['c_codecs\nencode\n(U\x01aU\x03zip\x74R.', /encode is not one/],
  'an array longer than its bytes': [array('f8', '\x4a\xff\xff\xff\x7f'), /not as long as its shape/],
  'an array of a negative length': [array('f8', '\x4a\xff\xff\xff\xff'), /has no shape/],
  'an array of objects': [array('O8', 'K\x01'), /no typed array/],
  'an array of text': [array(secret, 'K\x01'), /no typed array/],
}

/** A numpy array of a type and of a length, with eight bytes. */
function array(type: string, length: string): string {
  const dtype = `cnumpy\ndtype\n(U${String.fromCharCode(type.length)}${type}\x89\x88tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb`
  return `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR(K\x01(${length}t${dtype}\x89C\x0812345678tb.`
}

/** A million levels, in each way to have them. */
const deep: Record<string, Buffer> = {
  'lists, one by one': Buffer.concat([Buffer.alloc(MILLION, ']'), Buffer.alloc(MILLION - 1, 'a'), bytes('.')]),
  'lists, with marks': Buffer.concat([Buffer.alloc(MILLION * 2, ']('), Buffer.alloc(MILLION, 'e'), bytes('.')]),
  'old lists': Buffer.concat([Buffer.alloc(MILLION, '('), Buffer.alloc(MILLION, 'l'), bytes('.')]),
  tuples: Buffer.concat([bytes('N'), Buffer.alloc(MILLION, 0x85), bytes('.')]),
  dicts: Buffer.concat([Buffer.alloc(MILLION * 4, '}U\x01a'), bytes('N'), Buffer.alloc(MILLION, 's'), bytes('.')]),
  Maps: Buffer.concat([Buffer.alloc(MILLION * 2, '}N'), bytes('N'), Buffer.alloc(MILLION, 's'), bytes('.')]),
  marks: Buffer.alloc(MILLION, '('),
  // Each list is fetched and put into the next one, and nothing is ever deep on the stack.
  'lists by the memo': Buffer.concat([
    bytes(']\x94'),
    Buffer.concat(Array.from({ length: 20_000 }, (_, i) => fetched(i))),
    bytes('.'),
  ]),
}

function fetched(index: number): Buffer {
  const list = bytes('0]\x94j\0\0\0\0a')
  list.writeUInt32LE(index, 4)
  return list
}

function refuses(t: ExecutionContext, pickle: Buffer, says: RegExp, what: string): void {
  const error = t.throws(() => decode(pickle), { message: says }, what)
  t.false(error?.message.includes('hunter'), what)
  t.true((error?.message.length ?? 0) < 300, what)
}

test('each is refused with its reason', t => {
  for (const [what, [pickle, says]] of Object.entries(hostile)) refuses(t, bytes(pickle), says, what)
  t.is(decode(bytes('N.')), null)
})

test('what is nested a million deep is refused, whatever the levels are', t => {
  for (const [what, pickle] of Object.entries(deep)) refuses(t, pickle, /nested too deeply|cut short/, what)
})

test('what is deep, but not that deep, is read, and so is what contains itself', t => {
  let levels = 0
  const lists = decode(Buffer.concat([Buffer.alloc(4000, ']'), Buffer.alloc(3999, 'a'), bytes('.')]))
  for (let list = lists as unknown[]; list !== undefined; list = list[0] as unknown[]) levels++
  t.is(levels, 4000)
  const ring: unknown[] = []
  const many = Array.from({ length: 20_000 }, () => [ring])
  ring.push(many)
  t.is((decode(encode(many)) as typeof many)[0][0].length, 1)
})

test('every message that is cut off is refused', t => {
  const whole = encode([1.5, { a: 'text', b: new Map([[1, new Set(['x'])]]) }, new Date(0), Buffer.alloc(3), 2n ** 70n])
  for (let length = 0; length < whole.length; length++) t.throws(() => decode(whole.subarray(0, length)))
})

test('over a connection each is a SerializerError, and the next message is received', async t => {
  const [conn, peer] = openPipe(t, { serializer: serializers.pickle })
  const all = [
    ...Object.entries(hostile).map(([what, [text]]) => [what, bytes(text)] as const),
    ...Object.entries(deep),
  ]
  for (const [what, pickle] of all) {
    const [error] = await Promise.all([
      t.throwsAsync(conn.recv(), { name: 'SerializerError', code: 'ERR_CAROM_DECODE' }, what),
      peer.sendBytes(pickle),
    ])
    t.true((error as SerializerError).bytes?.equals(pickle), what)
    await peer.send({ after: what })
    t.deepEqual(await conn.recv(), { after: what })
  }
})

test('a message takes no more than a small multiple of its length', t => {
  // Each is of 1 MB; what it makes, at most, of a byte is a list or an object of its own.
  const program = `
    const { decode } = require('carom').serializers.pickle
    const bytes = text => Buffer.from(text, 'latin1')
    const much = (before, part, after) =>
      Buffer.concat([bytes(before), Buffer.alloc(1_000_000, part, 'latin1'), bytes(after)])
    const list = bytes(']\\x94(' + 'N'.repeat(500_000) + 'e\\x85\\x940ccollections\\n')
    const messages = [
      much('', ']', '.'), much('](', ']', 'e.'), much('](', '}', 'e.'), much('](', '\\x8f', 'e.'),
      much('](', '(\\x91', 'e.'), much('](', '(t', 'e.'), much('](', ']Na', 'e.'), much('N', '\\x94', '.'),
      much('N', 'r\\xff\\xff\\xff\\xff', '.'), much(']\\x94(', 'h\\x00', 'e.'), much('](N', '2', 'e.'),
      much('ccollections\\nOrderedDict\\n\\x940](', 'h\\x00)R', 'e.'),
      // The same long list, given to a call again and again.
      Buffer.concat([list, much('deque\\n\\x940](', 'h\\x02h\\x01R', 'e.')]),
    ]
    for (const message of messages) {
      try {
        decode(message)
      } catch (error) {
        if (!error.message.startsWith('The message cannot be read')) throw error
      }
    }
    console.log('done')
  `
  const output = execFileSync(process.execPath, ['--max-old-space-size=130', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  t.is(output, 'done\n')
})

/** All classes whose instances may come out. */
const classes = new Set<object>(
  [Object, Array, Map, Set, Date, Buffer, Uint8Array, Int16Array, Int32Array, Float32Array, Float64Array]
    .map((known): object => known.prototype)
    .concat(Object.values(python).flatMap(known => ('prototype' in known ? [known.prototype as object] : []))),
)

/** Whether there is nothing but values in what was read. */
function isClean(root: unknown): boolean {
  const seen = new Set<unknown>()
  const rest = [root]
  while (rest.length > 0) {
    const value = rest.pop()
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    if (!classes.has(Object.getPrototypeOf(value))) return false
    if (ArrayBuffer.isView(value)) continue
    if (value instanceof Map) rest.push(...value.keys(), ...value.values())
    else if (value instanceof Set) rest.push(...value)
    else rest.push(...Object.values(value))
  }
  return true
}

test('arguments that are kept in the memo are no way to get at a global', t => {
  const got = decode(bytes('ccollections\ndefaultdict\n\x94cbuiltins\nlist\n\x85\x94Rh\x00h\x01R\x86h\x01\x86.'))
  t.true(isClean(got))
  t.deepEqual((got as unknown[])[1], python.Tuple.of())
})

test('spoilt bytes give a value or a reason, and neither code of carom nor a changed prototype', t => {
  const cycle: Record<string, unknown> = { dates: [new Date(0), new python.DateTime(0, 60, 5), new python.Time(1)] }
  cycle.self = new Map<unknown, unknown>([[1, cycle], ['a', new Set([new python.FrozenSet([1])])]]) // biome-ignore format: one row
  cycle.values = [
    new python.UUID('0'.repeat(32)),
    new python.Path('/a'),
    new python.Range(0, 1),
    new python.Decimal('1'),
  ]
  cycle.containers = [new python.DefaultDict('list'), new python.OrderedDict([[1, 2]]), python.Deque.of(1)]
  cycle.arrays = [new Float64Array(3), python.ndarray(new Int16Array(4), [2, 2]), Buffer.from('bytes')]
  const whole = [
    Buffer.from(encode(cycle)),
    ...[...oldPickles('Python 2.7').values(), ...oldPickles('numpy 1.24').values()].flat(),
    ...Object.values(hostile).map(([text]) => bytes(text.slice(0, 1000))),
  ]
  const opcodes = [...'(.012FGIJKLMNPQRSTUVXabcdegjhilopqrstu)]}', ...'\x81\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x92\x93\x94'].map(c => c.charCodeAt(0)) // biome-ignore format: one row
  const change = fc.record({
    at: fc.nat(),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...opcodes)),
    insert: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.constantFrom(...whole), fc.array(change, { minLength: 1, maxLength: 6 }), (pickle, changes) => {
      const message = [...pickle]
      for (const { at, byte, insert } of changes) message.splice(at % (message.length + 1), insert ? 0 : 1, byte)
      try {
        return isClean(decode(Buffer.from(message)))
      } catch (error) {
        return error instanceof Error && error.message.startsWith('The message cannot be read: ')
      }
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: 5000 },
  )
  t.deepEqual(Object.keys(Object.prototype), [])
  t.deepEqual(Object.keys(Array.prototype), [])
})
