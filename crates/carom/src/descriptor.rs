//! Waiting for what is not a connection.

use crate::sys::{self, RawDescriptor};
use std::io;

/// Anything that becomes readable: a descriptor of somebody else's, or the end of a child process.
///
/// It is a handle of its own to the same file, so that it stays valid, and apart from others, whatever happens to the
/// one that it was made of.
#[derive(Debug)]
pub struct Descriptor(sys::Watched);

impl Descriptor {
    /// Of an open descriptor, which stays the caller's. Fails with `Unsupported` on Windows.
    pub fn of(descriptor: RawDescriptor) -> io::Result<Descriptor> {
        sys::Watched::of(descriptor).map(Descriptor)
    }

    /// Becomes readable when the child `pid` of this process has ended. Fails with `Unsupported` where the system has no
    /// such thing: only Linux has, from 5.3 on.
    pub fn of_process(pid: u32) -> io::Result<Descriptor> {
        sys::Watched::of_process(pid).map(Descriptor)
    }

    /// Whether a read would not wait: there are bytes, the end, or an error.
    pub fn is_readable(&self) -> io::Result<bool> {
        self.0.is_readable()
    }

    pub(crate) fn watched_mut(&mut self) -> &mut sys::Watched {
        &mut self.0
    }
}
