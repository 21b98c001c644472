//! Unix: sockets and pipes.

mod process;
mod stream;

pub(crate) use process::wait_for_exit;
pub(crate) use stream::{Stream, pair};

/// What identifies an open stream to other programs.
pub type RawDescriptor = std::os::fd::RawFd;
