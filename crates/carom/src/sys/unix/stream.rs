//! Stream sockets and pipes.
//!
//! A socket stays in the mode in which it came, which for our own is blocking: other programs that share it or take it
//! over expect that, and every call of ours that must not wait says so (`MSG_DONTWAIT`). Pipes know no such flag: they
//! are made non-blocking while they are ours.

use super::socket::{address_of, new_socket, socket_address};
use super::{RawDescriptor, poll_within};
use crate::address::Address;
use crate::readiness::Interest;
use crate::sys::Ready;
use crate::wait::Wait;
use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Registry, Token};
use rustix::event::PollFlags;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio, retry_on_intr};
use rustix::net::{AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType, sockopt};
use socket2::{SockAddr, SockRef, Socket};
use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    LocalSocket,
    Socket,
    Pipe,
}

/// An owned stream socket or pipe.
#[derive(Debug)]
pub(crate) struct Stream {
    fd: OwnedFd,
    kind: Kind,
    /// A pipe that has to be made blocking again when it is given away.
    was_blocking: bool,
}

/// Two connected streams: sockets, or with `duplex` false the reading and the writing end of a pipe.
pub(crate) fn pair(duplex: bool) -> io::Result<(Stream, Stream)> {
    let (first, second) = if duplex { socket_pair()? } else { pipe_pair()? };
    let kind = if duplex { Kind::LocalSocket } else { Kind::Pipe };
    let (first_blocks, second_blocks) = (prepare(&first, kind)?, prepare(&second, kind)?);
    Ok((
        Stream { fd: first, kind, was_blocking: first_blocks },
        Stream { fd: second, kind, was_blocking: second_blocks },
    ))
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn socket_pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn pipe_pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
}

// Elsewhere there is no such flag, and until `prepare` has run a fork on another thread can inherit the descriptor.
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn socket_pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn pipe_pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe()
}

/// What kind of stream it is; `InvalidInput` when it is none.
fn kind_of(fd: &OwnedFd) -> io::Result<Kind> {
    match FileType::from_raw_mode(fstat(fd)?.st_mode) {
        FileType::Fifo => Ok(Kind::Pipe),
        FileType::Socket if sockopt::socket_type(fd)? == SocketType::STREAM => {
            let local = rustix::net::getsockname(fd)?.address_family() == AddressFamily::UNIX;
            Ok(if local { Kind::LocalSocket } else { Kind::Socket })
        }
        _ => Err(Errno::INVAL.into()),
    }
}

/// Makes it close on exec, and a pipe non-blocking: whether it was blocking.
fn prepare(fd: &OwnedFd, kind: Kind) -> io::Result<bool> {
    fcntl_setfd(fd, FdFlags::CLOEXEC)?;
    #[cfg(target_vendor = "apple")]
    if kind != Kind::Pipe {
        // `EINVAL`: the other end is gone already.
        match sockopt::set_socket_nosigpipe(fd, true) {
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if kind != Kind::Pipe {
        return Ok(false);
    }
    let flags = fcntl_getfl(fd)?;
    fcntl_setfl(fd, flags | OFlags::NONBLOCK)?;
    Ok(!flags.contains(OFlags::NONBLOCK))
}

impl Stream {
    /// A socket of our own, in blocking mode and close-on-exec.
    pub(super) fn new(fd: OwnedFd, kind: Kind) -> Stream {
        Stream { fd, kind, was_blocking: false }
    }

    /// Begins to connect.
    pub(crate) fn connect(address: &Address) -> io::Result<Stream> {
        let to = socket_address(address)?;
        let socket = new_socket(&to)?;
        let kind = if matches!(address, Address::Local(_)) { Kind::LocalSocket } else { Kind::Socket };
        if kind == Kind::Socket {
            socket.set_tcp_nodelay(true)?;
        }
        match socket.connect(&to) {
            Err(error) if Errno::from_io_error(&error) == Some(Errno::INPROGRESS) => {}
            // It goes on without us, and is then as if it had just begun.
            Err(error) if error.kind() == io::ErrorKind::Interrupted && kind == Kind::Socket => {}
            result => result?,
        }
        Ok(Stream::new(socket.into(), kind))
    }

    /// Whether it is connected; false while that takes its time. From then on it is in blocking mode.
    pub(crate) fn finish_connect(&self) -> io::Result<bool> {
        if self.kind == Kind::Socket {
            if poll_within(&self.fd, PollFlags::OUT, Wait::No)?.is_empty() {
                return Ok(false);
            }
            let socket = SockRef::from(&self.fd);
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
            // Where nobody listens, the system may choose that very port for this end, and connect it to itself.
            if socket.local_addr()?.as_socket() == socket.peer_addr()?.as_socket() {
                return Err(Errno::CONNREFUSED.into());
            }
        }
        ioctl_fionbio(&self.fd, false)?;
        Ok(true)
    }

    /// The address of this end: `None` for a pipe, and for a socket without a name.
    pub(crate) fn local_address(&self) -> io::Result<Option<Address>> {
        self.address(Socket::local_addr)
    }

    /// The address of the other end: `None` for a pipe, and for a socket without a name.
    pub(crate) fn peer_address(&self) -> io::Result<Option<Address>> {
        self.address(Socket::peer_addr)
    }

    fn address(&self, of: impl FnOnce(&Socket) -> io::Result<SockAddr>) -> io::Result<Option<Address>> {
        if self.kind == Kind::Pipe {
            return Ok(None);
        }
        Ok(address_of(&of(&SockRef::from(&self.fd))?))
    }

    /// Tells the other end that nothing more will come.
    pub(crate) fn end(&self) -> io::Result<()> {
        SockRef::from(&self.fd).shutdown(Shutdown::Write)
    }

    /// Takes over a descriptor, which stays open and the caller's when that fails.
    pub(crate) fn adopt(descriptor: RawDescriptor) -> io::Result<Stream> {
        if descriptor < 0 {
            return Err(Errno::BADF.into());
        }
        // SAFETY: the caller gives the descriptor away; if it is not open, the first system call says so.
        let fd = unsafe { OwnedFd::from_raw_fd(descriptor) };
        match kind_of(&fd).and_then(|kind| Ok((kind, prepare(&fd, kind)?))) {
            Ok((kind, was_blocking)) => Ok(Stream { fd, kind, was_blocking }),
            Err(error) => {
                _ = fd.into_raw_fd();
                Err(error)
            }
        }
    }

    pub(crate) fn raw_descriptor(&self) -> RawDescriptor {
        self.fd.as_raw_fd()
    }

    pub(crate) fn into_raw(self) -> io::Result<RawDescriptor> {
        if self.was_blocking {
            fcntl_setfl(&self.fd, fcntl_getfl(&self.fd)? - OFlags::NONBLOCK)?;
        }
        Ok(self.fd.into_raw_fd())
    }

    pub(crate) fn directions(&self) -> io::Result<(bool, bool)> {
        let mode = fcntl_getfl(&self.fd)? & OFlags::ACCMODE;
        Ok((mode != OFlags::WRONLY, mode != OFlags::RDONLY))
    }

    pub(crate) fn is_local(&self) -> bool {
        self.kind != Kind::Socket
    }

    pub(crate) fn read(&self, target: &mut [u8], block: bool) -> io::Result<usize> {
        let flags = if block { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
        let count = match self.kind {
            Kind::Pipe => retry_on_intr(|| rustix::io::read(&self.fd, &mut *target))?,
            _ => retry_on_intr(|| rustix::net::recv(&self.fd, &mut *target, flags))?.0,
        };
        Ok(count)
    }

    /// How many bytes were taken and have not left yet: the system takes them at once.
    pub(crate) fn under_way(&self) -> usize {
        0
    }

    pub(crate) fn wait(&self, interest: Interest, wait: Wait) -> io::Result<Ready> {
        let flags = match interest {
            Interest::Read => PollFlags::IN,
            Interest::Write => PollFlags::OUT,
            Interest::ReadAndWrite => PollFlags::IN | PollFlags::OUT,
        };
        if wait.left().is_none() {
            return Ok(Ready::default());
        }
        let found = poll_within(&self.fd, flags, wait)?;
        let over = found.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
        Ok(Ready {
            readable: flags.contains(PollFlags::IN) && (over || found.contains(PollFlags::IN)),
            writable: flags.contains(PollFlags::OUT) && (over || found.contains(PollFlags::OUT)),
        })
    }

    /// A local peer that is gone may have left a reset behind, which the next call takes: to a sender both mean that
    /// nobody reads any more.
    fn sent(&self, result: rustix::io::Result<usize>) -> io::Result<usize> {
        Ok(result.map_err(|error| if error == Errno::CONNRESET && self.is_local() { Errno::PIPE } else { error })?)
    }
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
// Here the socket itself is told not to raise the signal, in `prepare`.
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
const SEND: SendFlags = SendFlags::DONTWAIT;

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent(match self.kind {
            Kind::Pipe => retry_on_intr(|| rustix::io::write(&self.fd, bytes)),
            _ => retry_on_intr(|| rustix::net::send(&self.fd, bytes, SEND)),
        })
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.sent(match self.kind {
            Kind::Pipe => retry_on_intr(|| rustix::io::writev(&self.fd, slices)),
            _ => retry_on_intr(|| rustix::net::sendmsg(&self.fd, slices, &mut SendAncillaryBuffer::default(), SEND)),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        SourceFd(&self.fd.as_raw_fd()).register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        SourceFd(&self.fd.as_raw_fd()).reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.fd.as_raw_fd()).deregister(registry)
    }
}
