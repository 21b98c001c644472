/** What carom exports has the types of the contract, name for name. Compiling is the test. */
import type * as carom from 'carom'
import type * as contract from './contract.mjs'

type Assert<Holds extends true> = Holds
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
/** The names are compared too: without them, all objects whose members are optional would be the same. */
type Same<A, B> = Mutual<keyof A, keyof B> extends true ? Mutual<A, B> : false

/**
 * A class with private fields is a type of its own, which the contract's declaration of it cannot be: those two are
 * compared by their public members. What returns `this` is tested in `usage.mts`.
 */
type Members<T> = Omit<T, 'ref' | 'unref' | 'start'>
type SameMembers<A, B> = Same<Members<A>, Members<B>>

/** The same arguments; what comes of it is what the contract says, or a connection of carom's class. */
type SameCall<A, B> = A extends (...args: infer Given) => unknown
  ? B extends (...args: infer Wanted) => unknown
    ? A extends B
      ? Same<Given, Wanted>
      : false
    : false
  : false
type Gives = 'accept' | 'acceptSync' | typeof Symbol.asyncIterator

/** What can be waited on besides carom's classes, and what has its symbol: those of the contract are others. */
type Plain = Exclude<carom.Waitable, carom.Listener<unknown, never> | carom.Process | carom.CustomWaitable>
type ContractsPlain = Exclude<
  contract.Waitable,
  contract.Listener<unknown, never> | contract.Process | contract.CustomWaitable
>

/** What speaking to Python has added: the values that only it has, and a serializer. */
type Added = 'python'
type AddedSerializers = 'pickle'

/** All values of the contract are exported, and no others. */
export type Names = Assert<Same<keyof typeof carom, keyof typeof contract | Added>>

export interface Values {
  Pipe: Assert<typeof carom.Pipe extends typeof contract.Pipe ? true : false>
  Connection: Assert<typeof carom.Connection extends typeof contract.Connection ? true : false>
  ConnectionFrom: Assert<Same<Parameters<typeof carom.Connection.from>, Parameters<typeof contract.Connection.from>>>
  Listener: Assert<typeof carom.Listener extends typeof contract.Listener ? true : false>
  ListenerOptionsAlone: Assert<
    Same<ConstructorParameters<typeof carom.Listener>, ConstructorParameters<typeof contract.Listener>>
  >
  Client: Assert<SameCall<typeof carom.Client, typeof contract.Client>>
  ClientSync: Assert<SameCall<typeof carom.ClientSync, typeof contract.ClientSync>>
  wait: Assert<SameCall<typeof carom.wait<7>, typeof contract.wait<7>>>
  waitSync: Assert<SameCall<typeof carom.waitSync<7>, typeof contract.waitSync<7>>>
  Process: Assert<typeof carom.Process extends typeof contract.Process ? true : false>
  isMainProcess: Assert<Same<typeof carom.isMainProcess, typeof contract.isMainProcess>>
  serializers: Assert<Same<Omit<typeof carom.serializers, AddedSerializers>, typeof contract.serializers>>
  pickle: Assert<Same<typeof carom.serializers.pickle, carom.Serializer>>
  EOFError: Assert<Same<typeof carom.EOFError, typeof contract.EOFError>>
  AuthenticationError: Assert<Same<typeof carom.AuthenticationError, typeof contract.AuthenticationError>>
  BufferTooShortError: Assert<Same<typeof carom.BufferTooShortError, typeof contract.BufferTooShortError>>
  MessageTooLongError: Assert<Same<typeof carom.MessageTooLongError, typeof contract.MessageTooLongError>>
  ClosedError: Assert<Same<typeof carom.ClosedError, typeof contract.ClosedError>>
  WouldBlockError: Assert<Same<typeof carom.WouldBlockError, typeof contract.WouldBlockError>>
  TimeoutError: Assert<Same<typeof carom.TimeoutError, typeof contract.TimeoutError>>
  SerializerError: Assert<Same<typeof carom.SerializerError, typeof contract.SerializerError>>
}

type Run = (conn: carom.Connection<string>, times: number) => Promise<void>

export interface Instances {
  Connection: Assert<SameMembers<carom.Connection, contract.Connection>>
  TypedConnection: Assert<SameMembers<carom.Connection<string, number>, contract.Connection<string, number>>>
  ReadableConnection: Assert<Same<carom.ReadableConnection<string>, contract.ReadableConnection<string>>>
  WritableConnection: Assert<Same<carom.WritableConnection<string>, contract.WritableConnection<string>>>
  Listener: Assert<SameMembers<Omit<carom.Listener, Gives>, Omit<contract.Listener, Gives>>>
  TypedListener: Assert<carom.Listener<string, number> extends contract.Listener<string, number> ? true : false>
  accept: Assert<SameCall<carom.Listener['accept'], contract.Listener['accept']>>
  acceptSync: Assert<SameCall<carom.Listener['acceptSync'], contract.Listener['acceptSync']>>
  Process: Assert<SameMembers<carom.Process, contract.Process>>
  TypedProcess: Assert<SameMembers<carom.Process<Run>, contract.Process<Run>>>
  EOFError: Assert<Same<carom.EOFError, contract.EOFError>>
  AuthenticationError: Assert<Same<carom.AuthenticationError, contract.AuthenticationError>>
  BufferTooShortError: Assert<Same<carom.BufferTooShortError, contract.BufferTooShortError>>
  MessageTooLongError: Assert<Same<carom.MessageTooLongError, contract.MessageTooLongError>>
  ClosedError: Assert<Same<carom.ClosedError, contract.ClosedError>>
  WouldBlockError: Assert<Same<carom.WouldBlockError, contract.WouldBlockError>>
  TimeoutError: Assert<Same<carom.TimeoutError, contract.TimeoutError>>
  SerializerError: Assert<Same<carom.SerializerError, contract.SerializerError>>
}

export interface Types {
  SyncOptions: Assert<Same<carom.SyncOptions, contract.SyncOptions>>
  AsyncOptions: Assert<Same<carom.AsyncOptions, contract.AsyncOptions>>
  ByteRange: Assert<Same<carom.ByteRange, contract.ByteRange>>
  ConnectionOptions: Assert<Same<carom.ConnectionOptions, contract.ConnectionOptions>>
  PipeOptions: Assert<Same<carom.PipeOptions, contract.PipeOptions>>
  Bytes: Assert<Same<carom.Bytes, contract.Bytes>>
  ReceivedBytes: Assert<Same<carom.ReceivedBytes, contract.ReceivedBytes>>
  Serializer: Assert<Same<carom.Serializer, contract.Serializer>>
  Family: Assert<Same<carom.Family, contract.Family>>
  Address: Assert<Same<carom.Address, contract.Address>>
  InetAddress: Assert<Same<carom.InetAddress, contract.InetAddress>>
  BoundAddress: Assert<Same<carom.BoundAddress, contract.BoundAddress>>
  DetachedConnection: Assert<Same<carom.DetachedConnection, contract.DetachedConnection>>
  ListenerOptions: Assert<Same<carom.ListenerOptions, contract.ListenerOptions>>
  ClientOptions: Assert<Same<carom.ClientOptions, contract.ClientOptions>>
  ClientSyncOptions: Assert<Same<carom.ClientSyncOptions, contract.ClientSyncOptions>>
  Waitable: Assert<Same<Plain, ContractsPlain>>
  WaitableClasses: Assert<
    carom.Listener<unknown, never> | carom.Process<Run> | carom.CustomWaitable extends carom.Waitable ? true : false
  >
  CustomWaitable: Assert<Same<carom.CustomWaitable, { [carom.waitable](): true | carom.Waitable }>>
  ProcessOptions: Assert<Same<carom.ProcessOptions<Run>, contract.ProcessOptions<Run>>>
  HandshakeError: Assert<Same<carom.HandshakeError, contract.HandshakeError>>
  CaromError: Assert<Same<carom.CaromError, contract.CaromError>>
  MisuseCode: Assert<Same<carom.MisuseCode, contract.MisuseCode>>
}
