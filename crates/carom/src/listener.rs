//! Listening for connections.

use crate::address::Address;
use crate::connection::Connection;
use crate::sys::{Acceptor, RawDescriptor};
use crate::wait::Wait;
use std::io;

/// How a [`Listener`] listens.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    /// How many connections the system keeps until they are accepted.
    pub backlog: u32,
    /// The permissions of the socket's file, which it has from the moment on at which it can be connected to.
    pub mode: Option<u32>,
    /// Replace the file of a socket on which nobody accepts.
    pub replace_stale: bool,
    /// The directory of the socket's file is the listener's own, and goes away with it.
    pub owns_directory: bool,
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions { backlog: 511, mode: None, replace_stale: false, owns_directory: false }
    }
}

/// Accepts connections at an address.
///
/// The file of a Unix socket is removed when the listener is dropped, if it still is that file.
///
/// ```
/// use carom::{Address, Connection, ListenOptions, Listener, Wait};
///
/// let any_port = Address::Inet(([127, 0, 0, 1], 0).into());
/// let mut listener = Listener::bind(&any_port, &ListenOptions::default())?;
/// let mut ours = Connection::connect(listener.address())?;
/// let (mut theirs, _) = listener.accept(Wait::Forever)?.expect("no limit");
/// assert!(ours.finish_connect(Wait::Forever)?);
/// ours.send(b"hello", Wait::Forever)?;
/// assert_eq!(theirs.recv(Wait::Forever)?, b"hello");
/// # Ok::<(), carom::Error>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    acceptor: Acceptor,
    /// There may be a connection to accept: it is asked for until there was none.
    may_accept: bool,
}

impl Listener {
    /// Binds the address and listens. Fails with the system's error, such as `EADDRINUSE`.
    pub fn bind(address: &Address, options: &ListenOptions) -> io::Result<Listener> {
        Ok(Listener { acceptor: Acceptor::bind(address, options)?, may_accept: true })
    }

    /// The bound address, with the port that the system has chosen where it was 0.
    pub fn address(&self) -> &Address {
        self.acceptor.address()
    }

    /// The descriptor, which stays the listener's.
    pub fn raw_descriptor(&self) -> RawDescriptor {
        self.acceptor.raw_descriptor()
    }

    /// Notes that a [`Poller`](crate::Poller) told of this listener.
    pub fn told(&mut self) {
        self.may_accept = true;
    }

    /// The next connection, and the address of its other end if that has one. `None` when the time ran out.
    ///
    /// Fails with the system's error, such as `EMFILE`: the connection stays where it is, for a later call.
    pub fn accept(&mut self, wait: Wait) -> io::Result<Option<(Connection, Option<Address>)>> {
        if wait == Wait::UntilTold && !self.may_accept {
            return Ok(None);
        }
        loop {
            match self.acceptor.accept() {
                Ok((stream, peer)) => return Ok(Some((Connection::new(stream, true, true), peer))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.may_accept = false;
                    if wait.left().is_none() || !self.acceptor.wait(wait)? {
                        return Ok(None);
                    }
                }
                // Whoever that was is gone already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    // Nothing more is told of those who wait already.
                    self.may_accept = true;
                    return Err(error);
                }
            }
        }
    }

    pub(crate) fn acceptor_mut(&mut self) -> &mut Acceptor {
        &mut self.acceptor
    }
}
