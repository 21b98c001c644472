/**
 * All globals of Python that a pickle may name, and what they make here. They are found in Maps, so that no name from
 * the wire is ever looked up in an object of JavaScript's. Their arguments may be anything: nothing is believed.
 */
import * as python from '../../python/index.js'
import { malformed } from '../refusal.js'
import { Internal, Unbuilt } from './internal.js'
import { reviveNdarray, reviveScalar } from './numpy.js'
import { Timezone, unpackDate, unpackDateTime, unpackTime } from './time.js'

type Arguments = readonly unknown[]
type Call = (args: Arguments) => unknown

/** A class or function of Python's. */
export class Global extends Internal {
  /** What calling it gives; `undefined` for what is only ever an argument. */
  readonly call: Call | undefined
  constructor(name: string, call?: Call) {
    super(name)
    this.call = call
  }
}

/** The global of that name, if it is one that a pickle may name. */
export function findGlobal(module: string, name: string): Global | undefined {
  return MODULES.get(module)?.get(name)
}

/** What a `defaultdict` makes its values with, by the name that it has in `builtins`, or with that of its module. */
const FACTORIES = new Map<string, python.Factory>([
  ...(
    [
      'list',
      'dict',
      'set',
      'tuple',
      'frozenset',
      'int',
      'float',
      'complex',
      'bool',
      'str',
      'bytes',
      'bytearray',
    ] as const
  ).map(name => [`builtins.${name}`, name] as const),
  ['collections.OrderedDict', 'collections.OrderedDict'],
  ['collections.deque', 'collections.deque'],
  ['decimal.Decimal', 'decimal.Decimal'],
])

/** Python's whole name of a factory; `undefined` if it is none. */
export function globalOfFactory(factory: string): string | undefined {
  const name = factory.includes('.') ? factory : `builtins.${factory}`
  return FACTORIES.has(name) ? name : undefined
}

/** A UUID without its number. */
class UnbuiltUUID extends Unbuilt {
  build(state: unknown): unknown {
    const { int } = (state ?? {}) as { int?: unknown }
    if (typeof int !== 'number' && typeof int !== 'bigint') throw notOne('uuid.UUID')
    if (int < 0 || BigInt(int) >> 128n !== 0n) throw notOne('uuid.UUID')
    return new python.UUID(BigInt(int).toString(16).padStart(32, '0'))
  }
}

/** A `numpy.dtype`, which is the type of an array or of a single item, and no value. */
class DType extends Unbuilt {
  readonly code: string
  order = '|'
  constructor(code: string) {
    super('numpy.dtype')
    this.code = code
  }
  build(state: unknown): unknown {
    const [, order] = listOf(state, this.name)
    if (order !== '<' && order !== '>' && order !== '|') throw notOne(this.name)
    this.order = order
    return this
  }
}

/** A numpy array before it has anything. */
class UnbuiltArray extends Unbuilt {
  build(state: unknown): unknown {
    const [version, shape, dtype, inFortransOrder, bytes] = listOf(state, this.name)
    if (version !== 1 || !(dtype instanceof DType)) throw notOne(this.name)
    const items = bytesOf(bytes, this.name)
    const layout = inFortransOrder === true ? 'F' : 'C'
    return reviveNdarray(dtype.code, dtype.order, listOf(shape, this.name), layout, items)
  }
}

const dateTime: Call = ([bytes, zone]) => unpackDateTime(bytesOf(bytes, 'datetime.datetime'), zoneOf(zone))
const time: Call = ([bytes, zone]) => unpackTime(bytesOf(bytes, 'datetime.time'), zoneOf(zone))
const bytes: Call = ([content = '']) => bytesOf(content, 'builtins.bytes')

const timeDelta: Call = args => {
  const [days, seconds, microseconds] = args.map(part => integerOf(part, 'datetime.timedelta'))
  return new python.TimeDelta(days, seconds, microseconds)
}

const timezone: Call = ([delta]) => {
  if (!(delta instanceof python.TimeDelta) || delta.microseconds !== 0) throw notOne('datetime.timezone')
  const offset = delta.days * 86_400 + delta.seconds
  if (!(Math.abs(offset) < 86_400)) throw notOne('datetime.timezone')
  return new Timezone(offset)
}

const complex: Call = ([real, imag]) => {
  if (typeof real !== 'number' || typeof imag !== 'number') throw notOne('builtins.complex')
  return new python.Complex(real, imag)
}

const range: Call = args => {
  const [start, stop, step] = args.map(part => {
    if (typeof part !== 'bigint') return integerOf(part, 'builtins.range')
    return part
  })
  if (args.length !== 3 || BigInt(step) === 0n) throw notOne('builtins.range')
  return new python.Range(start, stop, step)
}

const orderedDict: Call = ([pairs = []]) => {
  const dict = new python.OrderedDict()
  for (const pair of listOf(pairs, 'collections.OrderedDict')) {
    const [key, value] = listOf(pair, 'collections.OrderedDict')
    if (key instanceof Internal || value instanceof Internal) throw notOne('collections.OrderedDict')
    dict.set(key, value)
  }
  return dict
}

const defaultDict: Call = ([factory = null]) => {
  if (factory === null) return new python.DefaultDict(null)
  const name = factory instanceof Global ? FACTORIES.get(factory.name) : undefined
  if (name === undefined) throw notOne('collections.defaultdict')
  return new python.DefaultDict(name)
}

const deque: Call = ([values = [], maxlen = null]) => {
  const made = new python.Deque()
  for (const value of listOf(values, 'collections.deque')) made.push(value)
  if (maxlen !== null) made.maxlen = integerOf(maxlen, 'collections.deque')
  return made
}

const decimal: Call = ([digits]) => {
  try {
    if (typeof digits === 'string') return new python.Decimal(digits)
  } catch {
    // Its text says how to make one.
  }
  throw notOne('decimal.Decimal')
}

/** How bytes are written in protocols that have no opcode for them. */
const encode: Call = ([text, encoding]) => {
  if (encoding !== 'latin1' || typeof text !== 'string') throw notOne('_codecs.encode')
  return bytesOf(text, '_codecs.encode')
}

/** How objects are made in protocols that have no opcode for it. */
const reconstructor: Call = ([type, base, state]) => {
  if (!(type instanceof Global) || !(base instanceof Global) || base.name !== 'builtins.object' || state !== null)
    throw notOne('copyreg._reconstructor')
  if (type.call !== newUUID) throw notOne('copyreg._reconstructor')
  return type.call([])
}

/** Python makes it without arguments, and builds it from its number; carom has Python call it with its text. */
const newUUID: Call = ([text]) => {
  if (text === undefined) return new UnbuiltUUID('uuid.UUID')
  try {
    if (typeof text === 'string') return new python.UUID(text)
  } catch {
    // Its text says how to make one.
  }
  throw notOne('uuid.UUID')
}

const reconstruct: Call = ([type]) => {
  if (!(type instanceof Global) || type.name !== 'numpy.ndarray') throw notOne('numpy.ndarray')
  return new UnbuiltArray('numpy.ndarray')
}

const dtype: Call = ([code]) => {
  if (typeof code !== 'string') throw notOne('numpy.dtype')
  return new DType(code)
}

const scalar: Call = ([dtype, bytes]) => {
  if (!(dtype instanceof DType)) throw notOne('numpy.dtype')
  return reviveScalar(dtype.code, dtype.order, bytesOf(bytes, 'numpy.dtype'))
}

const fromBuffer: Call = ([bytes, dtype, shape, order, axes]) => {
  if (!(dtype instanceof DType)) throw notOne('numpy.dtype')
  const items = bytesOf(bytes, 'numpy.ndarray')
  const layout = order === 'K' ? listOf(axes, 'numpy.ndarray') : order
  if (layout !== 'C' && layout !== 'F' && !Array.isArray(layout)) throw notOne('numpy.ndarray')
  return reviveNdarray(dtype.code, dtype.order, listOf(shape, 'numpy.ndarray'), layout, items)
}

function path(kind: python.PathKind, join: (path: string, part: string) => string): Call {
  return parts => {
    if (!parts.every(part => typeof part === 'string')) throw notOne('pathlib.PurePath')
    return new python.Path(parts.length === 0 ? '.' : parts.reduce(join), kind)
  }
}

const joinPosix = (path: string, part: string) =>
  part.startsWith('/') ? part : path.endsWith('/') ? path + part : `${path}/${part}`
const joinWindows = (path: string, part: string) => (/[\\/:]$/.test(path) ? path + part : `${path}\\${part}`)

const BUILTINS: Record<string, Call | undefined> = {
  set: ([values = []]) => new Set(listOf(values, 'builtins.set')),
  frozenset: ([values = []]) => new python.FrozenSet(listOf(values, 'builtins.frozenset')),
  bytes,
  bytearray: bytes,
  complex,
  range,
  object: undefined,
  list: undefined,
  dict: undefined,
  tuple: undefined,
  int: undefined,
  float: undefined,
  bool: undefined,
  str: undefined,
}

const COLLECTIONS = { OrderedDict: orderedDict, defaultdict: defaultDict, deque }
const DATETIME = {
  datetime: dateTime,
  date: ([bytes]: Arguments) => unpackDate(bytesOf(bytes, 'datetime.date')),
  time,
  timedelta: timeDelta,
  timezone,
}
const PATHLIB = {
  Path: path('Path', joinPosix),
  PosixPath: path('Path', joinPosix),
  WindowsPath: path('Path', joinWindows),
  PurePosixPath: path('PurePosixPath', joinPosix),
  PureWindowsPath: path('PureWindowsPath', joinWindows),
}
const MULTIARRAY = { _reconstruct: reconstruct, scalar }

/** @param module Its name in Python 3, where it has had others. */
function moduleOf(contents: Record<string, Call | undefined>, module: string): Map<string, Global> {
  return new Map(Object.entries(contents).map(([name, call]) => [name, new Global(`${module}.${name}`, call)]))
}

const builtins = moduleOf(BUILTINS, 'builtins')
const copyreg = moduleOf({ _reconstructor: reconstructor }, 'copyreg')
const multiarray = moduleOf(MULTIARRAY, 'numpy.core.multiarray')
const numeric = moduleOf({ _frombuffer: fromBuffer }, 'numpy.core.numeric')
const pathlib = moduleOf(PATHLIB, 'pathlib')

const MODULES = new Map<string, Map<string, Global>>([
  ['builtins', builtins],
  // Python 2's names, which protocols 0 to 2 still have.
  [
    '__builtin__',
    new Map([
      ...builtins,
      ['xrange', builtins.get('range') as Global],
      ['long', builtins.get('int') as Global],
      ['unicode', builtins.get('str') as Global],
    ]),
  ],
  ['copyreg', copyreg],
  ['copy_reg', copyreg],
  ['_codecs', moduleOf({ encode }, '_codecs')],
  ['collections', moduleOf(COLLECTIONS, 'collections')],
  ['datetime', moduleOf(DATETIME, 'datetime')],
  ['decimal', moduleOf({ Decimal: decimal }, 'decimal')],
  ['pathlib', pathlib],
  // Python 3.13's.
  ['pathlib._local', pathlib],
  ['uuid', moduleOf({ UUID: newUUID }, 'uuid')],
  ['numpy', moduleOf({ ndarray: undefined, dtype }, 'numpy')],
  // numpy 1's and numpy 2's.
  ['numpy.core.multiarray', multiarray],
  ['numpy._core.multiarray', multiarray],
  ['numpy.core.numeric', numeric],
  ['numpy._core.numeric', numeric],
])

/** @param name Of carom's own, never one that a peer has sent. */
function notOne(name: string): Error {
  return malformed(`a ${name} is not one`)
}

function listOf(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw notOne(name)
  return value
}

function integerOf(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value)) throw notOne(name)
  return value as number
}

/** Bytes; Python 2 has them as text, and so have protocols without an opcode for bytes. */
function bytesOf(value: unknown, name: string): Buffer {
  if (Buffer.isBuffer(value)) return value
  if (typeof value !== 'string' || /[^\0-\xff]/.test(value)) throw notOne(name)
  return Buffer.from(value, 'latin1')
}

function zoneOf(value: unknown): Timezone | undefined {
  if (value === undefined || value instanceof Timezone) return value
  throw notOne('datetime.timezone')
}
