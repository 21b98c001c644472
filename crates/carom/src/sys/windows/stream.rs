//! Streams: a named pipe, or a TCP stream.

use super::pipe::Pipe;
use super::poll::{Registry, Source};
use super::tcp::Tcp;
use super::{RawDescriptor, unsupported};
use crate::address::Address;
use crate::readiness::Interest;
use crate::sys::Ready;
use crate::wait::Wait;
use mio::Token;
use std::io::{self, IoSlice, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An owned stream.
#[derive(Debug)]
pub(crate) enum Stream {
    Pipe(Mutex<Pipe>),
    Tcp(Tcp),
}

impl From<Pipe> for Stream {
    fn from(pipe: Pipe) -> Stream {
        Stream::Pipe(Mutex::new(pipe))
    }
}

fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stream {
    /// Begins to connect.
    pub(crate) fn connect(address: &Address) -> io::Result<Stream> {
        match address {
            Address::Local(name) => Pipe::connect(name).map(Stream::from),
            Address::Inet(address) => Tcp::connect(*address).map(Stream::Tcp),
        }
    }

    /// Whether it is connected; false while that takes its time.
    pub(crate) fn finish_connect(&self) -> io::Result<bool> {
        match self {
            Stream::Pipe(_) => Ok(true),
            Stream::Tcp(tcp) => tcp.finish_connect(),
        }
    }

    /// The address of this end: `None` for a client of a pipe, and for a pipe without a listener.
    pub(crate) fn local_address(&self) -> io::Result<Option<Address>> {
        match self {
            Stream::Pipe(pipe) => Ok(lock(pipe).local_address()),
            Stream::Tcp(tcp) => tcp.local_address().map(Some),
        }
    }

    /// The address of the other end: `None` where that is a client of a pipe, and for a pipe without a listener.
    pub(crate) fn peer_address(&self) -> io::Result<Option<Address>> {
        match self {
            Stream::Pipe(pipe) => Ok(lock(pipe).peer_address()),
            Stream::Tcp(tcp) => tcp.peer_address().map(Some),
        }
    }

    /// Tells the other end that nothing more will come.
    pub(crate) fn end(&self) -> io::Result<()> {
        match self {
            Stream::Pipe(_) => Err(unsupported("the other end of a named pipe learns of its end when it is closed")),
            Stream::Tcp(tcp) => tcp.end(),
        }
    }

    /// Takes over a handle or a socket, which stays open and the caller's when that fails.
    pub(crate) fn adopt(descriptor: RawDescriptor) -> io::Result<Stream> {
        match Tcp::adopt(descriptor)? {
            Some(tcp) => Ok(Stream::Tcp(tcp)),
            None => Pipe::adopt(descriptor).map(Stream::from),
        }
    }

    pub(crate) fn raw_descriptor(&self) -> RawDescriptor {
        match self {
            Stream::Pipe(pipe) => lock(pipe).raw_descriptor(),
            Stream::Tcp(tcp) => tcp.raw_descriptor(),
        }
    }

    pub(crate) fn into_raw(self) -> io::Result<RawDescriptor> {
        match self {
            Stream::Pipe(pipe) => pipe.into_inner().unwrap_or_else(PoisonError::into_inner).into_raw(),
            Stream::Tcp(tcp) => tcp.into_raw(),
        }
    }

    pub(crate) fn directions(&self) -> io::Result<(bool, bool)> {
        match self {
            Stream::Pipe(pipe) => lock(pipe).directions(),
            Stream::Tcp(_) => Ok((true, true)),
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Stream::Pipe(_))
    }

    /// Never waits: both are in a mode in which they cannot.
    pub(crate) fn read(&self, target: &mut [u8], _block: bool) -> io::Result<usize> {
        match self {
            Stream::Pipe(pipe) => lock(pipe).read(target),
            Stream::Tcp(tcp) => tcp.read(target),
        }
    }

    /// How many bytes were taken and have not left yet.
    pub(crate) fn under_way(&self) -> usize {
        match self {
            Stream::Pipe(pipe) => lock(pipe).under_way(),
            Stream::Tcp(_) => 0,
        }
    }

    pub(crate) fn wait(&self, interest: Interest, wait: Wait) -> io::Result<Ready> {
        match self {
            Stream::Pipe(pipe) => lock(pipe).wait(interest, wait),
            Stream::Tcp(tcp) => tcp.wait(interest, wait),
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Stream::Pipe(pipe) => pipe.get_mut().unwrap_or_else(PoisonError::into_inner),
            Stream::Tcp(tcp) => tcp,
        }
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Pipe(pipe) => lock(pipe).write(slices),
            Stream::Tcp(tcp) => tcp.write(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        self.source().register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        self.source().reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }
}
