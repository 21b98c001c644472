//! Named pipes.
//!
//! Readiness is made of operations in the background: a read of no bytes is over when there are some, and a write when
//! all of it is in the pipe. What is read is never more than what was asked for, so that a pipe can be given away at any
//! time. What is sent leaves from a copy, one write at a time: until that is over it is [under way](Pipe::under_way).

use super::alarm::Alarm;
use super::lingering::linger;
use super::objects::wait_for_any;
use super::operation::{Operation, is_aborted};
use super::poll::{Registry, Source};
use super::{RawDescriptor, handle, instance};
use crate::address::Address;
use crate::readiness::{Interest, Readiness};
use crate::sys::Ready;
use crate::wait::Wait;
use mio::Token;
use std::io::{self, ErrorKind, IoSlice};
use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED, HANDLE,
};

/// The most that is copied for one write: more than the pipe holds, so that one write fills it.
const MAX_WRITE: usize = 512 * 1024;
/// What the names of pipes of this machine begin with.
const PREFIX: &str = r"\\.\pipe\";

/// An owned end of a named pipe.
#[derive(Debug)]
pub(crate) struct Pipe {
    // In the order in which they have to go: what tells of the operations, these, what they are done with.
    alarms: Alarms,
    /// Waits for bytes.
    reading: Operation,
    writing: Option<Box<Writing>>,
    handle: OwnedHandle,
    local: Option<Address>,
    peer: Option<Address>,
}

/// What a poller is told with, while it wants to be.
#[derive(Debug, Default)]
struct Alarms {
    readable: Option<Alarm>,
    writable: Option<Alarm>,
}

/// A write that may be under way.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) operation: Operation,
    bytes: Vec<u8>,
}

impl Writing {
    fn begin(&mut self, pipe: &OwnedHandle, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.bytes.clear();
        for slice in slices {
            let room = MAX_WRITE - self.bytes.len();
            self.bytes.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        // To the reader of a pipe, a write of nothing is the end.
        if self.bytes.is_empty() {
            return Ok(0);
        }
        // SAFETY: the bytes are changed here only, when nothing is under way, and freed by those who wait for that.
        unsafe { self.operation.write(pipe, &self.bytes)? };
        Ok(self.bytes.len())
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
    /// Of a handle that was opened for operations in the background.
    pub(super) fn new(handle: OwnedHandle) -> io::Result<Pipe> {
        let reading = Operation::new()?;
        Ok(Pipe { alarms: Alarms::default(), reading, writing: None, handle, local: None, peer: None })
    }

    /// The server's end of the pipe of this name.
    pub(super) fn of_server(handle: OwnedHandle, name: &Address) -> io::Result<Pipe> {
        let mut pipe = Pipe::new(handle)?;
        pipe.local = Some(name.clone());
        Ok(pipe)
    }

    pub(super) fn connect(name: &str) -> io::Result<Pipe> {
        check_name(name)?;
        let mut pipe = Pipe::new(instance::open(name, true)?)?;
        pipe.peer = Some(Address::Local(name.to_owned()));
        Ok(pipe)
    }

    /// Takes over a handle, which stays open and the caller's when that fails.
    pub(super) fn adopt(descriptor: RawDescriptor) -> io::Result<Pipe> {
        let handle = descriptor as HANDLE;
        if !handle::is_pipe(handle)? {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the handle is neither a named pipe nor a socket"));
        }
        if !handle::is_overlapped(handle)? {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the handle was not opened for overlapped use"));
        }
        handle::do_not_inherit(handle)?;
        let reading = Operation::new()?;
        // SAFETY: it is open and the caller gives it away.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Ok(Pipe { alarms: Alarms::default(), reading, writing: None, handle, local: None, peer: None })
    }

    pub(super) fn raw_descriptor(&self) -> RawDescriptor {
        self.handle.as_raw_handle() as RawDescriptor
    }

    /// Gives a handle away; what is under way leaves all the same.
    pub(super) fn into_raw(self) -> io::Result<RawDescriptor> {
        Ok(self.handle.try_clone()?.into_raw_handle() as RawDescriptor)
    }

    pub(super) fn directions(&self) -> io::Result<(bool, bool)> {
        handle::directions(self.handle.as_raw_handle())
    }

    pub(super) fn local_address(&self) -> Option<Address> {
        self.local.clone()
    }

    pub(super) fn peer_address(&self) -> Option<Address> {
        self.peer.clone()
    }

    pub(super) fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self.read_what_is_there(target) {
            Err(error) if is_end(&error) => Ok(0),
            // Nothing, or a part of what was asked for: more is told of.
            Ok(count) if count == target.len() => Ok(count),
            result => {
                self.await_bytes();
                result
            }
        }
    }

    fn read_what_is_there(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if !self.reading.is_begun() {
            self.reading.await_bytes(&self.handle)?;
        }
        if self.reading.is_pending() {
            return Err(ErrorKind::WouldBlock.into());
        }
        match self.reading.result(&self.handle) {
            Err(error) if is_aborted(&error) => return self.read_what_is_there(target),
            result => result?,
        };
        self.reading.read(&self.handle, target)
    }

    /// Has the poller told of bytes that are there or come. An error is found by the next read.
    fn await_bytes(&mut self) {
        let Some(alarm) = &self.alarms.readable else { return };
        if !self.reading.is_begun() {
            _ = self.reading.await_bytes(&self.handle);
        }
        // The event of what was over at once need not be signalled.
        if self.reading.is_pending() {
            alarm.set(self.reading.event());
        } else {
            alarm.tell();
        }
    }

    /// Has the poller told of room that is there or comes.
    fn await_room(&self) {
        let Some(alarm) = &self.alarms.writable else { return };
        match &self.writing {
            Some(writing) if writing.operation.is_pending() => alarm.set(writing.operation.event()),
            _ => alarm.tell(),
        }
    }

    /// Takes what one write takes: none while another is under way (`WouldBlock`). Fails as that one has.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let writing = match &mut self.writing {
            Some(writing) => writing,
            none => none.insert(Box::new(Writing { operation: Operation::new()?, bytes: Vec::new() })),
        };
        if writing.operation.is_pending() {
            self.await_room();
            return Err(ErrorKind::WouldBlock.into());
        }
        if writing.operation.is_begun() {
            writing.operation.result(&self.handle).map_err(broken)?;
        }
        let count = writing.begin(&self.handle, slices).map_err(broken)?;
        // Whoever could write a part only waits to be told, also when that part is in the pipe already.
        if writing.operation.is_pending() || count < slices.iter().map(|slice| slice.len()).sum() {
            self.await_room();
        }
        Ok(count)
    }

    /// How many bytes were taken and are not in the pipe yet. The poller tells when they are, of which it may have told
    /// too early: an alarm can go off for an earlier write.
    pub(super) fn under_way(&self) -> usize {
        match &self.writing {
            Some(writing) if writing.operation.is_pending() => {
                self.await_room();
                writing.bytes.len()
            }
            _ => 0,
        }
    }

    pub(super) fn wait(&mut self, interest: Interest, wait: Wait) -> io::Result<Ready> {
        while wait.left().is_some() {
            let mut ready = Ready::default();
            let mut events = Vec::with_capacity(2);
            if interest != Interest::Write {
                let begun = self.reading.is_begun() || self.reading.await_bytes(&self.handle).is_ok();
                // What cannot be waited for, a read finds.
                ready.readable = !begun || !self.reading.is_pending();
                events.push(self.reading.event());
            }
            if interest != Interest::Read {
                match &self.writing {
                    Some(writing) if writing.operation.is_pending() => events.push(writing.operation.event()),
                    _ => ready.writable = true,
                }
            }
            if ready != Ready::default() {
                return Ok(ready);
            }
            wait_for_any(&events, wait)?;
        }
        Ok(Ready::default())
    }
}

/// The other end is closed.
fn is_end(error: &io::Error) -> bool {
    let ends = [ERROR_BROKEN_PIPE, ERROR_PIPE_NOT_CONNECTED, ERROR_NO_DATA];
    ends.iter().any(|&end| error.raw_os_error() == Some(end as i32))
}

/// To a sender the ends of a pipe are one: nobody reads any more. A write that was broken off with its thread has left
/// half a message behind.
fn broken(error: io::Error) -> io::Error {
    let gone = is_end(&error) || is_aborted(&error) || error.raw_os_error() == Some(ERROR_PIPE_LISTENING as i32);
    if gone { io::Error::from_raw_os_error(ERROR_BROKEN_PIPE as i32) } else { error }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.alarms = Alarms::default();
        if self.reading.is_pending() {
            _ = self.reading.cancel(&self.handle);
        }
        if let Some(writing) = self.writing.take().filter(|writing| writing.operation.is_pending()) {
            linger(&self.handle, writing);
        }
    }
}

impl Source for Pipe {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        let news = Readiness { token: token.0, readable: false, hangup: false, writable: false };
        let alarm = |wanted, news| if wanted { Alarm::new(registry.teller(news)).map(Some) } else { Ok(None) };
        self.alarms = Alarms {
            readable: alarm(interests.is_readable(), Readiness { readable: true, ..news })?,
            writable: alarm(interests.is_writable(), Readiness { writable: true, ..news })?,
        };
        self.await_bytes();
        self.await_room();
        Ok(())
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        self.register(registry, token, interests)
    }

    fn deregister(&mut self, _registry: &Registry) -> io::Result<()> {
        let Alarms { readable, writable } = std::mem::take(&mut self.alarms);
        readable.into_iter().chain(writable).for_each(Alarm::end);
        Ok(())
    }
}
