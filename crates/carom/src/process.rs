//! Waiting for a child process.

use crate::sys;
use crate::wait::Wait;
use std::io;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// By itself, with this code.
    Code(i32),
    /// By the signal of this number.
    Signal(i32),
}

/// Waits until the child `pid` of this process has ended; `None` when the time ran out.
///
/// The child is not reaped: whoever started it still learns its end. Fails with the system's error, on Unix `ECHILD`,
/// when there is no such child.
pub fn wait_for_exit(pid: u32, wait: Wait) -> io::Result<Option<ExitStatus>> {
    sys::wait_for_exit(pid, wait)
}
