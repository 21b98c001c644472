//! Descriptors that are only watched: not on Windows, where readiness is a matter of sockets.

use super::{RawDescriptor, unsupported};
use mio::event::Source;
use mio::{Registry, Token};
use std::io;

/// There is none.
#[derive(Debug)]
pub(crate) enum Watched {}

impl Watched {
    pub(crate) fn of(_descriptor: RawDescriptor) -> io::Result<Watched> {
        Err(unsupported("a handle cannot be watched"))
    }

    pub(crate) fn of_process(_pid: u32) -> io::Result<Watched> {
        Err(unsupported("a process cannot be watched"))
    }

    pub(crate) fn is_readable(&self) -> io::Result<bool> {
        match *self {}
    }
}

impl Source for Watched {
    fn register(&mut self, _registry: &Registry, _token: Token, _interests: mio::Interest) -> io::Result<()> {
        match *self {}
    }

    fn reregister(&mut self, _registry: &Registry, _token: Token, _interests: mio::Interest) -> io::Result<()> {
        match *self {}
    }

    fn deregister(&mut self, _registry: &Registry) -> io::Result<()> {
        match *self {}
    }
}
