//! The server of a named pipe.
//!
//! Each client gets an instance of the pipe of its own, and one more waits for the next client. A client can open that
//! from the moment on at which it is made; the server waits, and learns of it, once it is registered or used.

use super::instance::{first_instance, further_instance};
use super::pipe::{Pipe, check_name};
use super::security::OwnerOnly;
use super::{RawDescriptor, unsupported};
use crate::address::Address;
use crate::readiness::Interest;
use crate::wait::Wait;
use mio::event::Source;
use mio::{Registry, Token};
use std::{io, mem};

/// The server of a named pipe.
#[derive(Debug)]
pub(crate) struct PipeAcceptor {
    address: Address,
    security: OwnerOnly,
    /// The instance for the next client.
    next: Pipe,
    /// Where those after it are registered, too.
    poller: Option<(Registry, Token, mio::Interest)>,
}

impl PipeAcceptor {
    pub(super) fn bind(name: &str) -> io::Result<PipeAcceptor> {
        check_name(name)?;
        let address = Address::Local(name.to_owned());
        let security = OwnerOnly::new()?;
        let next = Pipe::of_server(first_instance(name, &security)?, &address);
        Ok(PipeAcceptor { address, security, next, poller: None })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// That of the instance for the next client.
    pub(super) fn raw_descriptor(&self) -> RawDescriptor {
        self.next.raw_descriptor()
    }

    /// The pipe exists as long as one of its instances does, so that the next one is made before this one is given away.
    pub(super) fn accept(&mut self) -> io::Result<Pipe> {
        self.next.await_client()?;
        let further = further_instance(&self.address.to_string(), &self.security)?;
        let mut next = Pipe::of_server(further, &self.address);
        if let Some((registry, token, interests)) = &self.poller {
            watch(&mut next, registry, *token, *interests)?;
        }
        Ok(mem::replace(&mut self.next, next).accepted())
    }

    pub(super) fn wait(&mut self, wait: Wait) -> io::Result<bool> {
        Ok(self.next.wait(Interest::Write, wait)?.writable)
    }
}

/// Registers an instance and has it wait for its client: it is told of as writable.
fn watch(pipe: &mut Pipe, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
    pipe.register(registry, token, interests)?;
    match pipe.await_client() {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}

impl Source for PipeAcceptor {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        let copy = registry.try_clone()?;
        watch(&mut self.next, registry, token, interests)?;
        self.poller = Some((copy, token, interests));
        Ok(())
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        let copy = registry.try_clone()?;
        self.next.reregister(registry, token, interests)?;
        self.poller = Some((copy, token, interests));
        Ok(())
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        if self.poller.take().is_none() {
            return Err(unsupported("the listener is not registered"));
        }
        self.next.deregister(registry)
    }
}
