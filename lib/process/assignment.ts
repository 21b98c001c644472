/** What the parent tells its child over the control channel: an assignment, then the packed arguments. */
import type { settingsOf } from '../connection.js'

/** One connection that moves: what `adopt` needs besides the descriptor. */
export type MovedConnection = ReturnType<typeof settingsOf> & {
  readonly readable: boolean
  readonly writable: boolean
  readonly received: Uint8Array<ArrayBuffer>
}

export interface Assignment {
  /** The URL of the target's module. */
  readonly module: string
  readonly target: string
  /** Where the child goes when its preloaded modules, which the parent's directory may be needed for, are loaded. */
  readonly cwd: string | undefined
  /** The child dies with its parent: the control channel stays open, and its end is the parent's. */
  readonly daemon: boolean
  /** Their descriptors follow the control channel's. */
  readonly connections: readonly MovedConnection[]
}
