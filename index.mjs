// The names of index.ts for `import`: the same objects that `require` gives.
export {
  AuthenticationError,
  BufferTooShortError,
  ClosedError,
  Connection,
  EOFError,
  isMainProcess,
  MessageTooLongError,
  Pipe,
  Process,
  SerializerError,
  serializers,
  TimeoutError,
  WouldBlockError,
} from './dist/index.js'
