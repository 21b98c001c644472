//! Giving other processes what is open here, on Windows. On Unix a child inherits it, and all of this fails with
//! `Unsupported`.

use crate::sys::{self, RawDescriptor};
use std::io;

/// Gives the process `pid` a descriptor of its own to what this one stands for, which stays open here: what
/// [`take_over`] has to be told there. Nothing that is under way in this process may be left on it.
///
/// Fails with the system's error when there is no such process, or when it is another user's.
pub fn hand_over(descriptor: RawDescriptor, pid: u32) -> io::Result<Vec<u8>> {
    sys::hand_over(descriptor, pid)
}

/// The descriptor that this process was given; once.
pub fn take_over(told: &[u8]) -> io::Result<RawDescriptor> {
    sys::take_over(told)
}
