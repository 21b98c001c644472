//! The files of Unix sockets: whose they are, and when they go.

use super::socket::new_socket;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use socket2::SockAddr;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long to wait for others who replace a file in the same directory.
const LOCK_LIMIT: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(5);
/// How long a socket may be bound and not yet listen, so that it looks stale.
const BIRTH: Duration = Duration::from_millis(10);

/// The file of a socket, which is removed when this is dropped, if it is still the same.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    owns_directory: bool,
}

impl SocketFile {
    /// Of a socket that was just bound.
    pub(super) fn of(path: &Path, owns_directory: bool) -> io::Result<SocketFile> {
        let found = fs::symlink_metadata(path)?;
        // The working directory may change.
        let path = std::path::absolute(path)?;
        Ok(SocketFile { path, device: found.dev(), inode: found.ino(), owns_directory })
    }

    pub(super) fn set_mode(&self, mode: u32) -> io::Result<()> {
        fs::set_permissions(&self.path, Permissions::from_mode(mode))
    }

    fn is_mine(&self, found: &Metadata) -> bool {
        found.dev() == self.device && found.ino() == self.inode
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| self.is_mine(&found)) {
            _ = fs::remove_file(&self.path);
        }
        if let Some(directory) = self.path.parent().filter(|_| self.owns_directory) {
            _ = fs::remove_dir(directory);
        }
    }
}

/// Whether it is a socket's file and nobody accepts there.
pub(super) fn is_stale(path: &Path, address: &SockAddr) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    let is_refused = || {
        let result = new_socket(address)?.connect(address);
        Ok(matches!(result, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused))
    };
    if !is_refused()? {
        return Ok(false);
    }
    sleep(BIRTH);
    is_refused()
}

/// Keeps others from replacing a file in the same directory at the same time, until it is dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock(#[expect(dead_code, reason = "closing it unlocks")] OwnedFd);

impl DirectoryLock {
    /// Fails with `EADDRINUSE` when others do not come to an end.
    pub(super) fn of(path: &Path) -> io::Result<DirectoryLock> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let fd = open(directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let deadline = Instant::now() + LOCK_LIMIT;
        loop {
            match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(DirectoryLock(fd)),
                Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < deadline => sleep(LOCK_PAUSE),
                Err(Errno::WOULDBLOCK | Errno::INTR) => return Err(Errno::ADDRINUSE.into()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
