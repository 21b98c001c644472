//! TCP streams.
//!
//! They are non-blocking while they are ours, as Windows knows no call that does not wait on a socket that does.

use super::RawDescriptor;
use super::poll::{Registry, Source};
use super::waiter::Waiter;
use crate::address::Address;
use crate::readiness::Interest;
use crate::sys::Ready;
use crate::wait::Wait;
use mio::Token;
use mio::event::Source as _;
use mio::net::TcpStream;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::windows::io::{AsRawSocket, BorrowedSocket, FromRawSocket, IntoRawSocket, RawSocket};
use std::time::Duration;

/// An owned TCP stream.
#[derive(Debug)]
pub(crate) struct Tcp {
    waiter: Waiter,
    socket: TcpStream,
}

/// A non-blocking socket, which no child process inherits.
pub(super) fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        // Addresses of IPv4 are among those of IPv6, as on other systems.
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Tcp {
    /// Of a socket that does not wait, and is not inherited.
    pub(super) fn new(socket: TcpStream) -> Tcp {
        Tcp { waiter: Waiter::default(), socket }
    }

    /// Begins to connect.
    pub(super) fn connect(address: SocketAddr) -> io::Result<Tcp> {
        let socket = new_socket(address)?;
        match socket.connect(&SockAddr::from(address)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => result?,
        }
        Ok(Tcp::new(TcpStream::from_std(socket.into())))
    }

    /// Whether it is connected; false while that takes its time.
    pub(super) fn finish_connect(&self) -> io::Result<bool> {
        if !self.waiter.look(&self.socket, Interest::Write, Some(Duration::ZERO))?.writable {
            return Ok(false);
        }
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        // Not before: what that does, mio does not promise.
        self.socket.set_nodelay(true)?;
        Ok(true)
    }

    /// Takes over a socket, which stays open and the caller's when that fails; `None` when it is none.
    pub(super) fn adopt(descriptor: RawDescriptor) -> io::Result<Option<Tcp>> {
        let raw = descriptor as RawSocket;
        if raw == RawSocket::MAX {
            return Ok(None);
        }
        // SAFETY: it is borrowed for the calls below, the first of which fails when it is no open socket.
        let socket = unsafe { BorrowedSocket::borrow_raw(raw) };
        let socket = SockRef::from(&socket);
        if socket.r#type().is_err() {
            return Ok(None);
        }
        if socket.r#type()? != Type::STREAM || socket.local_addr()?.as_socket().is_none() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the socket is not one of TCP"));
        }
        socket.set_no_inherit(true)?;
        socket.set_nonblocking(true)?;
        // SAFETY: it is open and the caller gives it away.
        Ok(Some(Tcp::new(unsafe { TcpStream::from_raw_socket(raw) })))
    }

    pub(super) fn raw_descriptor(&self) -> RawDescriptor {
        self.socket.as_raw_socket() as RawDescriptor
    }

    /// Gives the socket away, in the blocking mode in which other programs expect it.
    pub(super) fn into_raw(self) -> io::Result<RawDescriptor> {
        SockRef::from(&self.socket).set_nonblocking(false)?;
        Ok(self.socket.into_raw_socket() as RawDescriptor)
    }

    pub(super) fn local_address(&self) -> io::Result<Address> {
        self.socket.local_addr().map(Address::Inet)
    }

    pub(super) fn peer_address(&self) -> io::Result<Address> {
        self.socket.peer_addr().map(Address::Inet)
    }

    /// Tells the other end that nothing more will come.
    pub(super) fn end(&self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    pub(super) fn read(&self, target: &mut [u8]) -> io::Result<usize> {
        let length = target.len();
        self.told_again((&self.socket).read(target), length)
    }

    pub(super) fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        self.told_again((&self.socket).write_vectored(slices), length)
    }

    /// After a part of `length` bytes no more is asked for until it is told: mio tells again only after an operation that
    /// would have had to wait.
    fn told_again(&self, result: io::Result<usize>, length: usize) -> io::Result<usize> {
        if matches!(result, Ok(count) if 0 < count && count < length) {
            _ = self.socket.try_io(|| Err::<(), _>(ErrorKind::WouldBlock.into()));
        }
        result
    }

    pub(super) fn wait(&self, interest: Interest, wait: Wait) -> io::Result<Ready> {
        self.waiter.wait(&self.socket, interest, wait)
    }
}

impl Source for Tcp {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        self.socket.register(&registry.sockets, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        self.socket.reregister(&registry.sockets, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.socket.deregister(&registry.sockets)
    }
}
