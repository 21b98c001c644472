//! Descriptors that are only watched.

use super::{RawDescriptor, is_readable_within};
use crate::wait::Wait;
use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Registry, Token};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// A copy of a descriptor.
#[derive(Debug)]
pub(crate) struct Watched(OwnedFd);

impl Watched {
    pub(crate) fn of(descriptor: RawDescriptor) -> io::Result<Watched> {
        if descriptor < 0 {
            return Err(Errno::BADF.into());
        }
        // SAFETY: it is borrowed for this one call, which says so if it is not open.
        let fd = unsafe { BorrowedFd::borrow_raw(descriptor) };
        Ok(Watched(fcntl_dupfd_cloexec(fd, 0)?))
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn of_process(pid: u32) -> io::Result<Watched> {
        use rustix::process::{Pid, PidfdFlags, pidfd_open};

        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            // Kernels before 5.3 do not know it, some sandboxes forbid it.
            Err(Errno::NOSYS | Errno::PERM) => Err(io::ErrorKind::Unsupported.into()),
            result => Ok(Watched(result?)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of_process(_pid: u32) -> io::Result<Watched> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn is_readable(&self) -> io::Result<bool> {
        is_readable_within(&self.0, Wait::No)
    }
}

impl Source for Watched {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).deregister(registry)
    }
}
