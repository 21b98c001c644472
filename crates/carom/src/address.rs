//! Where listeners listen and connections lead to.

use crate::wait::Wait;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::{fmt, io, thread};

/// The address of one end of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The path of a Unix socket, with a leading zero byte a name in Linux's abstract namespace; on Windows the name of
    /// a pipe, `\\.\pipe\` included.
    Local(String),
    /// A host and a port, of IPv4 or IPv6.
    Inet(SocketAddr),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Local(name) => f.write_str(name),
            Address::Inet(address) => address.fmt(f),
        }
    }
}

/// Looks up the addresses of a host; `None` when the time ran out.
///
/// No system can be told to stop a look-up, so that it goes on in a thread of its own then.
pub fn resolve(host: &str, port: u16, wait: Wait) -> io::Result<Option<Vec<SocketAddr>>> {
    let host = host.to_owned();
    let look_up = move || (host.as_str(), port).to_socket_addrs().map(|found| Some(found.collect()));
    if wait == Wait::Forever {
        return look_up();
    }
    let (sender, receiver) = channel();
    thread::Builder::new().name("carom-resolve".into()).spawn(move || _ = sender.send(look_up()))?;
    match receiver.recv_timeout(wait.left().flatten().unwrap_or_default()) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::Other.into()),
    }
}
