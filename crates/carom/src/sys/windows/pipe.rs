//! Named pipes, by mio.
//!
//! Windows tells when a read or a write is over; mio makes readiness of that: it keeps a read under way into memory of
//! its own, and what is sent leaves from a copy. For this a pipe has to be bound to a completion port, once and for
//! good. It is that of the [`Poller`](crate::Poller) that the pipe is registered with first, or one of its own when it
//! is used before.

use super::{RawDescriptor, handle, instance, unsupported};
use crate::address::Address;
use crate::readiness::Interest;
use crate::sys::Ready;
use crate::wait::Wait;
use mio::event::Source;
use mio::windows::NamedPipe;
use mio::{Events, Poll, Registry, Token};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle};
use std::time::Duration;
use windows_sys::Win32::Foundation::{ERROR_PIPE_NOT_CONNECTED, HANDLE};

/// The most that is copied for one write.
const MAX_WRITE: usize = 1024 * 1024;
/// What the names of pipes of this machine begin with.
const PREFIX: &str = r"\\.\pipe\";

/// An owned end of a named pipe.
#[derive(Debug)]
pub(crate) struct Pipe {
    pipe: NamedPipe,
    port: Port,
    local: Option<Address>,
    peer: Option<Address>,
}

/// The completion port that a pipe is bound to.
#[derive(Debug)]
enum Port {
    None,
    Own(Box<OwnPort>),
    Poller,
    /// Of the poller of the listener that accepted it, which is told of what happens until the pipe is registered by
    /// itself. For the listener that is news of nothing.
    Listener,
}

#[derive(Debug)]
struct OwnPort {
    poll: Poll,
    events: Events,
    /// What was told, until an operation finds it over.
    told: Ready,
}

impl OwnPort {
    /// Takes in what has come to an end, and waits for that at most so long.
    fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.poll.poll(&mut self.events, timeout)?;
        for event in &self.events {
            self.told.readable |= event.is_readable();
            self.told.writable |= event.is_writable();
        }
        Ok(())
    }
}

/// Fails with `InvalidInput` for what is not a pipe of this machine: opened as one, it could be any file.
pub(super) fn check_name(name: &str) -> io::Result<()> {
    let begin = name.get(..PREFIX.len()).filter(|begin| begin.eq_ignore_ascii_case(PREFIX));
    match begin {
        Some(_) if name.len() > PREFIX.len() && !name.contains('\0') => Ok(()),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, r"the name of a pipe begins with \\.\pipe\")),
    }
}

impl Pipe {
    /// Of a handle that is bound to no port.
    pub(super) fn new(handle: OwnedHandle) -> Pipe {
        // SAFETY: the handle is open, is given away here, and was bound to no port.
        let pipe = unsafe { NamedPipe::from_raw_handle(handle.into_raw_handle()) };
        Pipe { pipe, port: Port::None, local: None, peer: None }
    }

    /// The server's end of the pipe of this name.
    pub(super) fn of_server(handle: OwnedHandle, name: &Address) -> Pipe {
        Pipe { local: Some(name.clone()), ..Pipe::new(handle) }
    }

    pub(super) fn connect(name: &str) -> io::Result<Pipe> {
        check_name(name)?;
        Ok(Pipe { peer: Some(Address::Local(name.to_owned())), ..Pipe::new(instance::open(name, true)?) })
    }

    /// Takes over a handle, which stays open and the caller's when that fails.
    pub(super) fn adopt(descriptor: RawDescriptor) -> io::Result<Pipe> {
        let handle = descriptor as HANDLE;
        if !handle::is_pipe(handle) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the handle is neither a named pipe nor a socket"));
        }
        if !handle::is_overlapped(handle)? {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the handle was not opened for overlapped use"));
        }
        handle::do_not_inherit(handle)?;
        // SAFETY: it is open and the caller gives it away.
        Ok(Pipe::new(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub(super) fn raw_descriptor(&self) -> RawDescriptor {
        self.pipe.as_raw_handle() as RawDescriptor
    }

    pub(super) fn into_raw(self) -> io::Result<RawDescriptor> {
        let Port::None = self.port else {
            return Err(unsupported("a named pipe that has been used cannot be given away yet"));
        };
        // SAFETY: the pipe holds its handle open meanwhile.
        let handle = unsafe { BorrowedHandle::borrow_raw(self.pipe.as_raw_handle()) }.try_clone_to_owned()?;
        Ok(handle.into_raw_handle() as RawDescriptor)
    }

    pub(super) fn directions(&self) -> io::Result<(bool, bool)> {
        handle::directions(self.pipe.as_raw_handle())
    }

    pub(super) fn local_address(&self) -> Option<Address> {
        self.local.clone()
    }

    pub(super) fn peer_address(&self) -> Option<Address> {
        self.peer.clone()
    }

    /// Binds it to a port of its own, unless it is bound.
    fn bind(&mut self) -> io::Result<()> {
        if let Port::None = self.port {
            let poll = Poll::new()?;
            self.pipe.register(poll.registry(), Token(0), mio::Interest::READABLE | mio::Interest::WRITABLE)?;
            let own = OwnPort { poll, events: Events::with_capacity(8), told: Ready::default() };
            self.port = Port::Own(Box::new(own));
        }
        Ok(())
    }

    /// Does what does not wait; `over` notes what it finds to be over when it would have to.
    fn attempt<T>(
        &mut self,
        mut operation: impl FnMut(&mut &NamedPipe) -> io::Result<T>,
        over: impl FnOnce(&mut Ready),
    ) -> io::Result<T> {
        self.bind()?;
        let result = operation(&mut &self.pipe);
        match (&result, &mut self.port) {
            (Err(error), Port::Own(own)) if error.kind() == ErrorKind::WouldBlock => {
                over(&mut own.told);
                own.turn(Some(Duration::ZERO))?;
                operation(&mut &self.pipe)
            }
            // It is registered no more.
            (Err(error), Port::Poller) if error.kind() == ErrorKind::NotFound => {
                Err(unsupported("a named pipe that a Poller has watched cannot be used without it yet"))
            }
            _ => result,
        }
    }

    /// Whether a client has opened the server's end; `WouldBlock` while that takes its time.
    pub(super) fn await_client(&mut self) -> io::Result<()> {
        let connect = |pipe: &mut &NamedPipe| pipe.take_error()?.map_or_else(|| pipe.connect(), Err);
        self.attempt(connect, |told| told.writable = false)
    }

    /// The end of a client that is there, as a stream of its own.
    pub(super) fn accepted(mut self) -> Pipe {
        if let Port::Poller = self.port {
            self.port = Port::Listener;
        }
        self
    }

    pub(super) fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self.attempt(|pipe| pipe.read(target), |told| told.readable = false) {
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_NOT_CONNECTED as i32) => Ok(0),
            result => result,
        }
    }

    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut room = MAX_WRITE;
        let first: Vec<_> = slices
            .iter()
            .map(|slice| {
                let count = slice.len().min(room);
                room -= count;
                IoSlice::new(&slice[..count])
            })
            .collect();
        // To the reader of a pipe, a write of nothing is the end.
        if room == MAX_WRITE {
            return Ok(0);
        }
        self.attempt(|pipe| pipe.write_vectored(&first), |told| told.writable = false)
    }

    pub(super) fn wait(&mut self, interest: Interest, wait: Wait) -> io::Result<Ready> {
        while let Some(left) = wait.left() {
            self.bind()?;
            let Port::Own(own) = &mut self.port else {
                return Err(unsupported("waiting for one named pipe that a Poller watches is not possible yet"));
            };
            let ready = Ready {
                readable: own.told.readable && interest != Interest::Write,
                writable: own.told.writable && interest != Interest::Read,
            };
            if ready != Ready::default() {
                return Ok(ready);
            }
            own.turn(left)?;
        }
        Ok(Ready::default())
    }
}

impl Source for Pipe {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        match self.port {
            Port::Own(_) => {
                return Err(unsupported("a named pipe that was used without a Poller cannot be registered yet"));
            }
            Port::Listener => self.pipe.reregister(registry, token, interests)?,
            Port::None | Port::Poller => self.pipe.register(registry, token, interests)?,
        }
        self.port = Port::Poller;
        Ok(())
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        self.pipe.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.pipe.deregister(registry)
    }
}
