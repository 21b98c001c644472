//! The calls for listeners and clients.

use crate::environment::{Environment, no_such_slot};
use crate::errno::errno;
use crate::state::Kind;
use carom::{Address, Connection, Discarded, ListenOptions, Listener, Wait};
use napi::bindgen_prelude::Either;
use napi::{Env, Result};
use napi_derive::napi;
use std::io;

/// How to listen.
#[napi(object)]
pub struct Listening {
    /// A path or name, or a host and port as in `127.0.0.1:80` and `[::1]:80`.
    pub address: String,
    /// Whether `address` is a host and port.
    pub inet: bool,
    /// Connections that the system queues.
    pub backlog: u32,
    /// Permissions of the socket's file.
    pub mode: Option<u32>,
    /// Replace the file of a socket on which nobody accepts.
    pub replace_stale: bool,
    /// The directory of the socket's file goes away with the listener.
    pub owns_directory: bool,
}

/// What was accepted, from a peer with an address.
#[napi(object)]
pub struct Accepted {
    /// The connection's slot.
    pub slot: i32,
    /// The address of its other end.
    pub peer: String,
}

/// The addresses of the two ends of a connection, where they have one.
#[napi(object)]
pub struct Addresses {
    /// Whether they are hosts and ports.
    pub inet: bool,
    /// Of this end.
    pub local: Option<String>,
    /// Of the other end.
    pub peer: Option<String>,
}

fn parse(address: &str, inet: bool) -> io::Result<Address> {
    if !inet {
        return Ok(Address::Local(address.to_owned()));
    }
    address.parse().map(Address::Inet).map_err(|_| io::ErrorKind::InvalidInput.into())
}

#[napi]
impl Environment {
    /// Binds an address and listens: the listener's slot, or the system's error, negative.
    #[napi(catch_unwind)]
    pub fn listen(&self, how: Listening) -> i32 {
        let options = ListenOptions {
            backlog: how.backlog,
            mode: how.mode,
            replace_stale: how.replace_stale,
            owns_directory: how.owns_directory,
        };
        match parse(&how.address, how.inet).and_then(|address| Listener::bind(&address, &options)) {
            Ok(listener) => self.state.borrow_mut().insert(Kind::Listener(listener)) as i32,
            Err(error) => errno(&error),
        }
    }

    /// The address that a listener is bound to.
    #[napi(catch_unwind)]
    pub fn listening_address(&self, slot: u32) -> Result<String> {
        self.with_listener(slot, |listener| listener.address().to_string())
    }

    /// The descriptor of a listener.
    #[napi(catch_unwind)]
    pub fn listening_fd(&self, slot: u32) -> Result<i64> {
        self.state.borrow_mut().share(slot);
        self.with_listener(slot, |listener| listener.raw_descriptor() as i64)
    }

    /// The next connection, without waiting, and without asking the system where the reactor would have told: its slot,
    /// and with it the address of its other end if that has one; nothing when there is none, or the system's error,
    /// negative. From now on the reactor tells of the listener.
    #[napi(catch_unwind)]
    pub fn accept(&self, slot: u32, max_length: f64) -> Option<Either<Accepted, i32>> {
        let accept = || {
            let mut state = self.state.borrow_mut();
            state.watch(slot, None)?;
            state.listener(slot)?.accept(Wait::UntilTold)
        };
        match accept() {
            Ok(None) => None,
            Ok(Some((connection, peer))) => {
                let slot = self.insert(connection, max_length);
                Some(match peer {
                    Some(peer) => Either::A(Accepted { slot, peer: peer.to_string() }),
                    None => Either::B(slot),
                })
            }
            Err(error) => Some(Either::B(errno(&error))),
        }
    }

    /// Begins to connect: the connection's slot, or the system's error, negative.
    #[napi(catch_unwind)]
    pub fn connect(&self, address: String, inet: bool, max_length: f64) -> i32 {
        match parse(&address, inet).and_then(|address| Connection::connect(&address)) {
            Ok(connection) => self.insert(connection, max_length),
            Err(error) => errno(&error),
        }
    }

    /// Waits until it is connected: 1 when it is, 0 when the time ran out, or the system's error, negative.
    #[napi(catch_unwind)]
    pub fn finish_connect(&self, env: &Env, slot: u32, milliseconds: f64) -> i32 {
        let mut connected = false;
        let waited = self.in_slices(env, milliseconds, |wait| {
            connected = self.state.borrow_mut().connection(slot)?.0.finish_connect(wait)?;
            Ok(connected)
        });
        waited.map_or_else(|error| errno(&error), |()| connected.into())
    }

    /// The addresses of the two ends of a connection.
    #[napi(catch_unwind)]
    pub fn addresses(&self, slot: u32) -> Result<Addresses> {
        self.with(slot, |connection| {
            let [local, peer] = [connection.local_address(), connection.peer_address()].map(|end| end.ok().flatten());
            let inet = matches!((&local, &peer), (Some(Address::Inet(_)), _) | (_, Some(Address::Inet(_))));
            let text = |address: Option<Address>| address.map(|address| address.to_string());
            Addresses { inet, local: text(local), peer: text(peer) }
        })
    }

    /// Looks up a host, blocking: its addresses with the port, nothing when the time ran out or nothing is known of it.
    #[napi(catch_unwind)]
    pub fn resolve(&self, host: String, port: u16, milliseconds: f64) -> Option<Vec<String>> {
        let found = carom::resolve(&host, port, crate::environment::wait_from(milliseconds)).ok()??;
        Some(found.iter().map(ToString::to_string).collect())
    }

    /// Closes a connection, unless that could take back what was sent: then it only ends what is sent, and says so, as
    /// it has to stay open for a while.
    #[napi(catch_unwind)]
    pub fn finish(&self, slot: u32) -> Result<bool> {
        let stays = self.with(slot, |connection| connection.resets() && connection.finish().is_ok())?;
        if !stays {
            self.close(slot);
        }
        Ok(stays)
    }

    /// Drops what a finished connection receives: 0 while more may be there, 1 until the reactor tells of more, 2 when
    /// nothing more can come.
    #[napi(catch_unwind)]
    pub fn discard(&self, slot: u32) -> u32 {
        let mut state = self.state.borrow_mut();
        // Even after a bad header, when it cannot be received from: the end comes all the same.
        if state.watch_end(slot).is_err() {
            return 2;
        }
        match state.connection(slot).map(|(connection, _)| connection.discard()) {
            Ok(Discarded::Some) => 0,
            Ok(Discarded::AllThatIsThere) => 1,
            Ok(Discarded::ToTheEnd) | Err(_) => 2,
        }
    }

    fn with_listener<T>(&self, slot: u32, operation: impl FnOnce(&Listener) -> T) -> Result<T> {
        self.state.borrow_mut().listener(slot).map(|listener| operation(listener)).map_err(|_| no_such_slot())
    }
}
