//! What listens: the server of a named pipe, or a TCP socket.

use super::RawDescriptor;
use super::pipe_acceptor::PipeAcceptor;
use super::poll::{Registry, Source};
use super::stream::Stream;
use super::tcp_acceptor::TcpAcceptor;
use crate::address::Address;
use crate::listener::ListenOptions;
use crate::wait::Wait;
use mio::{Interest, Token};
use std::io;

/// What listens.
#[derive(Debug)]
pub(crate) enum Acceptor {
    Pipe(PipeAcceptor),
    Tcp(TcpAcceptor),
}

impl Acceptor {
    pub(crate) fn bind(address: &Address, options: &ListenOptions) -> io::Result<Acceptor> {
        match address {
            Address::Local(name) => PipeAcceptor::bind(name, options.backlog).map(Acceptor::Pipe),
            Address::Inet(address) => TcpAcceptor::bind(*address, options).map(Acceptor::Tcp),
        }
    }

    pub(crate) fn address(&self) -> &Address {
        match self {
            Acceptor::Pipe(pipe) => pipe.address(),
            Acceptor::Tcp(tcp) => tcp.address(),
        }
    }

    pub(crate) fn raw_descriptor(&self) -> RawDescriptor {
        match self {
            Acceptor::Pipe(pipe) => pipe.raw_descriptor(),
            Acceptor::Tcp(tcp) => tcp.raw_descriptor(),
        }
    }

    pub(crate) fn accept(&mut self) -> io::Result<(Stream, Option<Address>)> {
        match self {
            Acceptor::Pipe(pipe) => Ok((pipe.accept()?.into(), None)),
            Acceptor::Tcp(tcp) => tcp.accept().map(|(stream, peer)| (Stream::Tcp(stream), Some(peer))),
        }
    }

    /// Waits until there is a connection; false when the time ran out.
    pub(crate) fn wait(&mut self, wait: Wait) -> io::Result<bool> {
        match self {
            Acceptor::Pipe(pipe) => pipe.wait(wait),
            Acceptor::Tcp(tcp) => tcp.wait(wait),
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Acceptor::Pipe(pipe) => pipe,
            Acceptor::Tcp(tcp) => tcp,
        }
    }
}

impl Source for Acceptor {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.source().register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.source().reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }
}
