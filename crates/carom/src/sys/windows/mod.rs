//! Windows: named pipes, and TCP sockets.
//!
//! What differs:
//! - what is neither a connection, a listener nor a process cannot be watched (`Unsupported`);
//! - the other end of a pipe learns that nothing more will come when it is closed (`Unsupported`);
//! - a pipe is its owner's alone and goes with its last handle, so that there is nothing that `mode` and
//!   `replace_stale` could do;
//! - a client that finds none of a listener's pipes free is told that it is busy (`WouldBlock`), also when the listener
//!   is closed, as long as one of its connections is open; until then no other listener can have the name.

mod acceptor;
mod alarm;
mod handle;
mod instance;
mod lingering;
mod memory;
mod objects;
mod operation;
mod pair;
mod pipe;
mod pipe_acceptor;
mod poll;
mod process;
mod security;
mod stream;
mod tcp;
mod tcp_acceptor;
mod transfer;
mod waiter;
mod watched;

pub(crate) use acceptor::Acceptor;
pub(crate) use memory::expect_writes;
pub(crate) use pair::pair;
pub(crate) use poll::{Poll, Registry, Source, Waker};
pub(crate) use process::wait_for_exit;
pub(crate) use stream::Stream;
pub(crate) use transfer::{hand_over, take_over};
pub(crate) use watched::Watched;

use std::io;

/// What identifies an open stream to other programs: the value of a `HANDLE` that was opened for overlapped use, or of a
/// `SOCKET`.
pub type RawDescriptor = isize;

fn unsupported(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, text)
}
