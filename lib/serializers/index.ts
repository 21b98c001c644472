/** The built-in serializers. */
import { json } from './json.js'
import { msgpack } from './msgpack.js'
import { pickle } from './pickle.js'
import type { Serializer } from './serializer.js'
import { v8 } from './v8.js'

/** The built-in serializers. */
export const serializers: {
  /** The default: compact and fast, and Python's `msgpack` reads and writes it. */
  readonly msgpack: Serializer
  /** For peers that have nothing else. */
  readonly json: Serializer
  /** Everything that structured clone carries, with cycles and shared references. */
  readonly v8: Serializer
  /**
   * What Python's own `conn.send(obj)` and `conn.recv()` write and read, with cycles and shared references. It writes
   * protocol 4 and reads all, 0 to 5.
   *
   * | Python | JavaScript |
   * | --- | --- |
   * | `None`, `bool`, `str` | `null`, boolean, string |
   * | `int` | number, or bigint beyond `Number.MAX_SAFE_INTEGER`; whole numbers are sent as `int` |
   * | `float` | number; `new python.Float(1)` sends 1.0 |
   * | `bytes`, `bytearray` | `Buffer`; any `Uint8Array`, `ArrayBuffer` or `DataView` is sent as `bytes` |
   * | `list`, `set` | `Array`, `Set` |
   * | `dict` | an object if all its keys are strings, else a `Map`; both are sent as `dict` |
   * | `datetime` | `Date`, or {@link python.DateTime} where that says more; a `Date` is sent as one in UTC |
   * | numpy array | typed array with `shape` and `dtype`; to send one, see {@link python.ndarray} |
   * | `tuple`, `frozenset`, `deque`, `OrderedDict`, `defaultdict` | a class of {@link python} that extends `Array`, `Set` or `Map` |
   * | `complex`, `Decimal`, `range`, `date`, `time`, `timedelta`, `Path`, `UUID` | a class of {@link python} |
   *
   * Nothing else is read: a message that names any other class or function of Python's is an error with that name in
   * its cause, and nothing is imported or called.
   */
  readonly pickle: Serializer
} = Object.freeze({ msgpack, json, v8, pickle })
