//! Unix: sockets and pipes.

mod acceptor;
mod memory;
mod poll;
mod process;
mod socket;
mod socket_file;
mod stream;
mod transfer;
mod watched;

pub(crate) use acceptor::Acceptor;
pub(crate) use memory::expect_writes;
pub(crate) use poll::{Poll, Registry, Source, Waker};
pub(crate) use process::wait_for_exit;
pub(crate) use stream::{Stream, pair};
pub(crate) use transfer::{hand_over, take_over};
pub(crate) use watched::Watched;

use crate::wait::Wait;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// What identifies an open stream to other programs.
pub type RawDescriptor = std::os::fd::RawFd;

/// Where `poll` counts in milliseconds, it takes no more than 2^31 of them.
const MAX_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Waits until one of `flags` holds for a descriptor: those that do, and the errors that count as such; none when the
/// time ran out. Looks once even when nothing is left to wait.
fn poll_within(fd: &impl AsFd, flags: PollFlags, wait: Wait) -> io::Result<PollFlags> {
    loop {
        let left = wait.left();
        let timeout = match left {
            None => Some(Timespec::default()),
            Some(left) => left.and_then(|left| Timespec::try_from(left.min(MAX_SLEEP)).ok()),
        };
        let mut fds = [PollFd::new(fd, flags)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) if left.is_none() => return Ok(PollFlags::empty()),
            Ok(0) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(fds[0].revents()),
        }
    }
}

/// Waits until a read would not wait; false when the time ran out.
fn is_readable_within(fd: &impl AsFd, wait: Wait) -> io::Result<bool> {
    Ok(!poll_within(fd, PollFlags::IN, wait)?.is_empty())
}
