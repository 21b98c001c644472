//! Listening sockets.

use super::socket::{address_of, new_socket, socket_address};
use super::socket_file::{DirectoryLock, SocketFile, is_stale};
use super::stream::{Kind, Stream};
use super::{RawDescriptor, is_readable_within};
use crate::address::Address;
use crate::listener::ListenOptions;
use crate::wait::Wait;
use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Registry, Token};
use socket2::{SockAddr, Socket};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Acceptor {
    // It goes before the socket is closed: until then nobody else's file can have its number.
    _file: Option<SocketFile>,
    socket: Socket,
    kind: Kind,
    address: Address,
}

impl Acceptor {
    pub(crate) fn bind(address: &Address, options: &ListenOptions) -> io::Result<Acceptor> {
        let to = socket_address(address)?;
        let socket = new_socket(&to)?;
        match address {
            Address::Local(name) if !name.starts_with('\0') => {
                let path = Path::new(name);
                // Until it listens, nobody who looks can tell it from a stale one.
                let _lock = options.replace_stale.then(|| DirectoryLock::of(path)).transpose()?;
                // The file gets no more than these from the start: to be refused until it listens is not enough, as who
                // has been let through by the file's permissions may find it listening a moment later.
                #[cfg(any(target_os = "linux", target_os = "android"))]
                if let Some(mode) = options.mode {
                    rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(mode))?;
                }
                bind_path(&socket, &to, path, options.replace_stale)?;
                let file = SocketFile::of(path, options.owns_directory)?;
                // Those that the umask took. Elsewhere whoever connects before it listens is refused.
                if let Some(mode) = options.mode {
                    file.set_mode(mode)?;
                }
                socket.listen(backlog(options))?;
                Ok(Acceptor { _file: Some(file), socket, kind: Kind::LocalSocket, address: address.clone() })
            }
            Address::Local(_) => {
                socket.bind(&to)?;
                socket.listen(backlog(options))?;
                Ok(Acceptor { _file: None, socket, kind: Kind::LocalSocket, address: address.clone() })
            }
            Address::Inet(_) => {
                // As everywhere on Unix: not to wait until the last connection of an earlier listener is forgotten.
                socket.set_reuse_address(true)?;
                socket.set_tcp_nodelay(true)?;
                socket.bind(&to)?;
                socket.listen(backlog(options))?;
                let address = address_of(&socket.local_addr()?).ok_or(io::ErrorKind::Unsupported)?;
                Ok(Acceptor { _file: None, socket, kind: Kind::Socket, address })
            }
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn raw_descriptor(&self) -> RawDescriptor {
        self.socket.as_raw_fd()
    }

    pub(crate) fn accept(&self) -> io::Result<(Stream, Option<Address>)> {
        let (socket, peer) = loop {
            match self.socket.accept() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        // Only there it has not got the listener's options, or got too many.
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        {
            socket.set_nonblocking(false)?;
            if self.kind == Kind::Socket {
                socket.set_tcp_nodelay(true)?;
            }
        }
        Ok((Stream::new(socket.into(), self.kind), address_of(&peer)))
    }

    /// Waits until there is a connection; false when the time ran out.
    pub(crate) fn wait(&self, wait: Wait) -> io::Result<bool> {
        is_readable_within(&self.socket, wait)
    }
}

fn bind_path(socket: &Socket, to: &SockAddr, path: &Path, replace_stale: bool) -> io::Result<()> {
    match socket.bind(to) {
        Err(error) if replace_stale && error.kind() == io::ErrorKind::AddrInUse && is_stale(path, to)? => {
            std::fs::remove_file(path)?;
            socket.bind(to)
        }
        result => result,
    }
}

fn backlog(options: &ListenOptions) -> i32 {
    options.backlog.try_into().unwrap_or(i32::MAX)
}

impl Source for Acceptor {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        SourceFd(&self.socket.as_raw_fd()).register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        SourceFd(&self.socket.as_raw_fd()).reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.socket.as_raw_fd()).deregister(registry)
    }
}
