//! Listening TCP sockets.

use super::RawDescriptor;
use super::poll::{Registry, Source};
use super::tcp::{Tcp, new_socket};
use super::waiter::Waiter;
use crate::address::Address;
use crate::listener::ListenOptions;
use crate::readiness::Interest;
use crate::wait::Wait;
use mio::Token;
use mio::event::Source as _;
use mio::net::TcpListener;
use socket2::{SockAddr, SockRef};
use std::io;
use std::net::SocketAddr;
use std::os::windows::io::AsRawSocket;

/// A listening TCP socket.
#[derive(Debug)]
pub(crate) struct TcpAcceptor {
    waiter: Waiter,
    socket: TcpListener,
    address: Address,
}

impl TcpAcceptor {
    pub(super) fn bind(address: SocketAddr, options: &ListenOptions) -> io::Result<TcpAcceptor> {
        let socket = new_socket(address)?;
        // Without `SO_REUSEADDR`, which here lets others take an address that is in use, and is not needed for one that
        // a listener had before. Without `SO_EXCLUSIVEADDRUSE`, which keeps the address until the last of its
        // connections is forgotten: what it prevents is for the same user only.
        socket.bind(&SockAddr::from(address))?;
        socket.listen(options.backlog.try_into().unwrap_or(i32::MAX))?;
        let socket = TcpListener::from_std(socket.into());
        let address = Address::Inet(socket.local_addr()?);
        Ok(TcpAcceptor { waiter: Waiter::default(), socket, address })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn raw_descriptor(&self) -> RawDescriptor {
        self.socket.as_raw_socket() as RawDescriptor
    }

    pub(super) fn accept(&self) -> io::Result<(Tcp, Address)> {
        // It does not wait, as the listener does not.
        let (socket, peer) = self.socket.accept().map_err(|error| match error.kind() {
            // What other systems call aborted: whoever that was is gone already. Wine says that it is not connected.
            io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected => io::ErrorKind::ConnectionAborted.into(),
            _ => error,
        })?;
        SockRef::from(&socket).set_no_inherit(true)?;
        socket.set_nodelay(true)?;
        Ok((Tcp::new(socket), Address::Inet(peer)))
    }

    pub(super) fn wait(&self, wait: Wait) -> io::Result<bool> {
        Ok(self.waiter.wait(&self.socket, Interest::Read, wait)?.readable)
    }
}

impl Source for TcpAcceptor {
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
