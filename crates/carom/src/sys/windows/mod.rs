//! Windows: named pipes.
//!
//! Type-checked, and not run yet. Not there: sockets; a pipe that was used both alone and by a
//! [`Poller`](crate::Poller); giving a used pipe away; sending on in the background when a pipe is closed. The first
//! three fail with `Unsupported`; the last loses what the peer has not read.

mod process;
mod stream;

pub(crate) use process::wait_for_exit;
pub(crate) use stream::{Stream, pair};

/// What identifies an open stream to other programs: the value of a `HANDLE` that was opened for overlapped use.
pub type RawDescriptor = isize;
