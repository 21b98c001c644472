//! Windows: named pipes, and TCP sockets.
//!
//! Type-checked, and not run yet. Not there, so that it fails with `Unsupported`:
//! - a pipe, or a listener for pipes, that was used both alone and by a [`Poller`](crate::Poller);
//! - giving a used pipe away;
//! - telling the other end of a pipe that nothing more will come, other than by closing it;
//! - watching what is neither a connection nor a listener.
//!
//! What differs:
//! - a pipe that is closed loses what the peer has not read;
//! - of the clients of a pipe one waits to be accepted, whatever the backlog, and the next finds it busy
//!   (`WouldBlock`);
//! - a pipe is its owner's alone and goes with its last handle, so that there is nothing that `mode` and
//!   `replace_stale` could do;
//! - of a client of a pipe, a poller tells as writable, not as readable.

mod acceptor;
mod handle;
mod instance;
mod memory;
mod pair;
mod pipe;
mod pipe_acceptor;
mod process;
mod security;
mod stream;
mod tcp;
mod tcp_acceptor;
mod waiter;
mod watched;

pub(crate) use acceptor::Acceptor;
pub(crate) use memory::expect_writes;
pub(crate) use pair::pair;
pub(crate) use process::wait_for_exit;
pub(crate) use stream::Stream;
pub(crate) use watched::Watched;

use std::io;

/// What identifies an open stream to other programs: the value of a `HANDLE` that was opened for overlapped use, or of a
/// `SOCKET`.
pub type RawDescriptor = isize;

fn unsupported(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, text)
}
