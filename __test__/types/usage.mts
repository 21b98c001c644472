/** Programs that must compile, and lines in them that must not. Compiling is the test; nothing here runs. */
import {
  type Address,
  AuthenticationError,
  type BoundAddress,
  type CaromError,
  Client,
  ClientSync,
  type ClientSyncOptions,
  Connection,
  type CustomWaitable,
  type DetachedConnection,
  EOFError,
  type Family,
  type HandshakeError,
  isMainProcess,
  Listener,
  type ListenerOptions,
  Pipe,
  Process,
  python,
  type ReadableConnection,
  type ReceivedBytes,
  serializers,
  TimeoutError,
  type Waitable,
  type WritableConnection,
  wait,
  waitable,
  waitSync,
} from 'carom'

/** The type of a value is exactly this, not merely assignable to it. */
function exactly<Expected>() {
  return <Actual,>(_value: Actual, ..._differs: Equal<Actual, Expected> extends true ? [] : [never]): void => {}
}
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

export async function oneTypeIsForBothDirections() {
  const [a, b] = Pipe<string>()
  exactly<Connection<string, string>>()(a)
  exactly<Connection<string, string>>()(b)
  await a.send('text')
  b.sendSync('text', { timeout: 10 })
  // @ts-expect-error A number is no message of this pipe.
  await a.send(1)
  // @ts-expect-error The blocking form has no signal.
  a.sendSync('text', { signal: AbortSignal.timeout(1) })
  exactly<string>()(await b.recv({ signal: AbortSignal.timeout(1), timeout: 10 }))
  exactly<string>()(b.recvSync())
  for await (const message of b) exactly<string>()(message)
  for (const message of b.messagesSync({ timeout: 10 })) exactly<string>()(message)
  for await (const message of b.bytes({ maxLength: 10 })) exactly<ReceivedBytes>()(message)
}

export async function twoTypesAreForTheTwoDirections() {
  const [client, service] = Pipe<number, { question: string }>({ serializer: serializers.v8, highWaterMark: 1 })
  await client.send({ question: 'How many?' })
  exactly<{ question: string }>()(await service.recv())
  await service.send(3)
  exactly<number>()(await client.recv())
  // @ts-expect-error The service answers with numbers.
  await service.send('three')
}

export async function withoutATypeAnythingIsSentAndUnknownReceived() {
  const [a, b] = Pipe()
  await a.send({ anything: true })
  exactly<unknown>()(await b.recv())
}

export async function theEndsOfAOneWayPipe() {
  const [reader, writer] = Pipe<string>({ duplex: false, rnonblock: true })
  exactly<ReadableConnection<string>>()(reader)
  exactly<WritableConnection<string>>()(writer)
  // @ts-expect-error The reader only receives.
  await reader.send('text')
  // @ts-expect-error The writer only sends.
  await writer.recv()
  // @ts-expect-error The writer is no source of messages.
  for await (const _ of writer);
  exactly<number>()(writer.bufferedAmount)
}

export function whatIsReceivedIsCovariant(reader: ReadableConnection<string>) {
  const wider: ReadableConnection<string | number> = reader
  // @ts-expect-error It may give strings.
  const narrower: ReadableConnection<'a'> = reader
  return [wider, narrower]
}

export function whatIsSentIsContravariant(writer: WritableConnection<string | number>) {
  const narrower: WritableConnection<string> = writer
  // @ts-expect-error It does not take booleans.
  const wider: WritableConnection<boolean> = writer
  return [narrower, wider]
}

export function bytes(conn: Connection, shared: SharedArrayBuffer) {
  conn.sendBytesSync(new Float64Array(3), 8, 8)
  conn.sendBytesSync(shared, { offset: 1, size: 2, timeout: 10 })
  conn.sendBytesSync(new DataView(new ArrayBuffer(3)))
  // @ts-expect-error A string is an object's business: send() it.
  conn.sendBytesSync('text')
  exactly<number>()(conn.recvBytesIntoSync(new ArrayBuffer(3), { offset: 1 }))
  exactly<Buffer<ArrayBuffer>>()(conn.recvBytesSync({ maxLength: 3, timeout: 0 }))
  exactly<boolean>()(conn.pollSync(Number.POSITIVE_INFINITY))
}

export async function optionsAreOptional(conn: Connection<string>, child: Process) {
  await Promise.all([conn.send('text'), conn.sendBytes(new Uint8Array(3)), conn.recv(), conn.poll()])
  await Promise.all([conn.recvBytes(), conn.recvBytesInto(new Uint8Array(3)), conn.close(), child.join()])
  conn.sendSync('text')
  conn.sendBytesSync(new Uint8Array(3))
  conn.recvBytesIntoSync(new Uint8Array(3))
  exactly<AsyncIterableIterator<string>>()(conn.messages())
  exactly<AsyncIterableIterator<ReceivedBytes>>()(conn.bytes())
  exactly<IterableIterator<string>>()(conn.messagesSync())
  exactly<IterableIterator<ReceivedBytes>>()(conn.bytesSync())
  exactly<string>()(conn.recvSync())
  exactly<ReceivedBytes>()(conn.recvBytesSync())
  exactly<boolean>()(conn.pollSync())
  exactly<void>()(conn.closeSync())
  exactly<number | undefined>()(child.joinSync())
  exactly<void>()(child.kill())
}

export function connectionsAreNotConstructed(detached: DetachedConnection) {
  // @ts-expect-error Pipe() and Connection.from() make them.
  new Connection()
  // @ts-expect-error Pipe is a function.
  new Pipe()
  const conn = Connection.from<string, number>(detached, { readable: true, maxMessageLength: 10 })
  exactly<Connection<string, number>>()(conn)
  exactly<Connection<string, number>>()(conn.unref().ref())
  // @ts-expect-error It is for reading.
  conn.closed = true
}

export function connectionsAreDisposable() {
  using conn = Connection.from(7)
  return conn.fd
}

export async function connectionsAreDisposableAsynchronously() {
  await using conn = Connection.from(7)
  await using child = new Process({ module: import.meta.url, target: 'work' })
  return [conn.fd, child.pid]
}

export async function work(conn: Connection<string>, times: number) {
  for (let i = 0; i < times; i++) await conn.send('again')
}

export async function argsAreThoseOfTheTarget() {
  const [a, b] = Pipe<string>()
  const child = new Process({ module: import.meta.url, target: work, args: [a, 3] })
  exactly<Process<typeof work>>()(child.start())
  exactly<number | undefined>()(await child.join({ timeout: 10 }))
  exactly<NodeJS.Signals | undefined>()(child.signalCode)
  // @ts-expect-error `times` is missing.
  new Process({ module: import.meta.url, target: work, args: [b] })
  // @ts-expect-error `times` is a number; what is given does not widen what is wanted.
  new Process({ module: import.meta.url, target: work, args: [b, 'thrice'] })
  // @ts-expect-error The target has arguments.
  new Process({ module: import.meta.url, target: work })
  new Process({ module: import.meta.url, target: () => {} })
  new Process({ module: new URL(import.meta.url), target: 'work', args: [b, 3] })
  new Process<typeof work>({ module: import.meta.url, target: 'work', args: [b, 3], daemon: true, stdio: 'pipe' })
  // @ts-expect-error By name, with the types of the function.
  new Process<typeof work>({ module: import.meta.url, target: 'work', args: [3] })
}

export async function aListenerGivesConnectionsOfItsTypes() {
  const listener = new Listener<string, number>('/tmp/s', { authkey: 'key', backlog: 1, mode: 0o600, maxPending: 3 })
  exactly<Connection<string, number>>()(await listener.accept({ timeout: 10, signal: AbortSignal.timeout(1) }))
  exactly<Connection<string, number>>()(listener.acceptSync())
  for await (const conn of listener) exactly<Connection<string, number>>()(conn)
  exactly<BoundAddress>()(listener.address)
  exactly<BoundAddress | undefined>()(listener.lastAccepted)
  exactly<Family>()(listener.family)
  exactly<boolean>()(listener.closed)
  exactly<number>()(listener.fd)
  exactly<Listener<string, number>>()(listener.ref().unref())
  exactly<void>()(await listener.close())
  exactly<void>()(listener.closeSync())
  // @ts-expect-error The blocking form has no signal.
  listener.acceptSync({ signal: AbortSignal.timeout(1) })
  // @ts-expect-error It is for reading.
  listener.address = '/tmp/t'
}

export async function aListenerWithoutAnAddress() {
  await using listener = new Listener({ authkey: new Uint8Array(3), legacyAuth: true, handshakeTimeout: 100 })
  using other = new Listener(undefined, { family: 'AF_INET', serializer: serializers.json, replaceStale: true })
  exactly<Connection<unknown, unknown>>()(await listener.accept())
  return [other.address, new Listener()]
}

export function addresses(address: Address, bound: BoundAddress) {
  const options = { family: 'AF_INET6' } as const
  // An address as it is reported is one that can be given.
  return [
    new Listener(address, options),
    Client(bound),
    Client(['::1', 80] as const),
    Client({ host: '::1', port: 80 }),
  ]
}

export function wrongAddresses() {
  // @ts-expect-error A port alone is no address.
  new Listener(80)
  // @ts-expect-error It has no port.
  new Listener(['127.0.0.1'])
  // @ts-expect-error A port is a number.
  Client({ host: '127.0.0.1', port: '80' })
  // @ts-expect-error No such family.
  Client('/tmp/s', { family: 'AF_LOCAL' })
  // @ts-expect-error A client needs an address.
  Client()
  // @ts-expect-error A key is bytes or a string.
  Client('/tmp/s', { authkey: 7 })
  // @ts-expect-error A client has no backlog.
  Client('/tmp/s', { backlog: 7 })
}

export async function aClient(options: ClientSyncOptions) {
  exactly<Connection<string, number>>()(
    await Client<string, number>('/tmp/s', {
      authkey: 'key',
      retryFor: 100,
      timeout: 10,
      signal: AbortSignal.timeout(1),
    }),
  )
  exactly<Connection<string, string>>()(ClientSync<string>('/tmp/s', options))
  exactly<Connection<unknown, unknown>>()(await Client('/tmp/s'))
  // @ts-expect-error The blocking form has no signal.
  ClientSync('/tmp/s', { signal: AbortSignal.timeout(1) })
  // @ts-expect-error Client is a function.
  new Client('/tmp/s')
}

export const failedHandshakes: ListenerOptions = {
  onAuthenticationFailed(error, address) {
    exactly<HandshakeError>()(error)
    exactly<BoundAddress | undefined>()(address)
    if (error instanceof AuthenticationError || error instanceof EOFError || error instanceof TimeoutError) throw error
  },
}

export async function whatIsReadyIsOfTheTypeOfWhatWasGiven(
  a: ReadableConnection<string>,
  b: Connection<number>,
  listener: Listener<string, number>,
  child: Process<typeof work>,
) {
  exactly<ReadableConnection<string>[]>()(await wait([a, a], 10))
  exactly<Connection<number>[]>()(waitSync(new Set([b]), { timeout: 10 }))
  const ready = await wait([b, listener, child, 7], { timeout: 10, signal: AbortSignal.timeout(1) })
  exactly<(Connection<number> | Listener<string, number> | Process<typeof work> | 7)[]>()(ready)
  for (const one of await wait([listener, child] as const)) {
    if (one instanceof Process) exactly<number | undefined>()(await one.join())
    else exactly<Connection<string, number>>()(await one.accept())
  }
  const all: Waitable[] = [a, b, listener, child, 7, { fd: 7 }, process.stdin]
  exactly<Waitable[]>()(waitSync(all))
  // @ts-expect-error The blocking form has no signal.
  waitSync(all, { signal: AbortSignal.timeout(1) })
}

export async function whatCannotBeWaitedOn(writer: WritableConnection<string>) {
  // @ts-expect-error A list of them.
  await wait(7)
  // @ts-expect-error Nothing to wait for.
  await wait([{}])
  // @ts-expect-error Not ready for ever.
  await wait(['text'])
  // An end that only sends has a descriptor, so that it is refused when the program runs.
  await wait([writer])
}

export class Inbox implements CustomWaitable {
  readonly #conn: Connection<string>
  readonly #messages: string[] = []
  constructor(conn: Connection<string>) {
    this.#conn = conn
  }
  [waitable]() {
    return this.#messages.length > 0 || this.#conn
  }
}

export async function customWaitables(inbox: Inbox) {
  exactly<Inbox[]>()(await wait([inbox]))
  // @ts-expect-error It never says that it is ready with anything but true.
  const never: CustomWaitable = { [waitable]: () => 'ready' }
  return never
}

export function errorsAreNarrowedByTheirCode(error: CaromError) {
  switch (error.code) {
    case 'ERR_CAROM_BUFFER_TOO_SHORT':
      return error.bytes.length
    case 'ERR_CAROM_MESSAGE_TOO_LONG':
      return error.length
    case 'ERR_CAROM_DECODE':
      return error.bytes?.length
    case 'ERR_CAROM_AUTH':
      return error instanceof AuthenticationError
    case 'EAGAIN':
      exactly<'WouldBlockError'>()(error.name)
  }
  return undefined
}

exactly<boolean>()(isMainProcess)

export async function pythonsValuesAreWhatTheyExtend() {
  const [conn] = Pipe<unknown>({ serializer: serializers.pickle })
  const array: python.NDArray<Float64Array> = python.ndarray(new Float64Array(6), [2, 3])
  exactly<readonly number[]>()(array.shape)
  await conn.send([array, new python.Float(1), new python.DefaultDict('list'), python.Deque.of(1)])
  const tuple: python.Tuple<number> = python.Tuple.of(1, 2)
  exactly<number[]>()([...tuple])
  const map: Map<string, number> = new python.OrderedDict([['a', 1]])
  const date: Date = new python.DateTime(0, null, 5)
  const name: string = `${map.size} ${date.getTime()} ${new python.Path('/a')}`
  // @ts-expect-error No class of Python's goes by that name.
  void [name, new python.DefaultDict('os.system')]
  // @ts-expect-error Only truth values need to be told.
  python.ndarray(new Float64Array(6), [6], 'float64')
}
