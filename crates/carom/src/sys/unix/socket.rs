//! Sockets and their addresses.

use crate::address::Address;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::path::Path;

/// A socket of the address's family, close-on-exec, that does not wait.
pub(super) fn new_socket(address: &SockAddr) -> io::Result<Socket> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    return Socket::new(address.domain(), Type::STREAM.nonblocking(), None);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    {
        let socket = Socket::new(address.domain(), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

/// Fails with `InvalidInput` for a path that is too long.
pub(super) fn socket_address(address: &Address) -> io::Result<SockAddr> {
    match address {
        Address::Local(name) => SockAddr::unix(Path::new(name)),
        Address::Inet(address) => Ok((*address).into()),
    }
}

/// `None` for a Unix socket without a name.
pub(super) fn address_of(address: &SockAddr) -> Option<Address> {
    if address.domain() != Domain::UNIX {
        return address.as_socket().map(Address::Inet);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = address.as_abstract_namespace() {
        return Some(Address::Local(format!("\0{}", String::from_utf8_lossy(name))));
    }
    address.as_pathname().map(|path| Address::Local(path.to_string_lossy().into_owned()))
}
