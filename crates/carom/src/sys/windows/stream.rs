//! Named pipes, by mio.
//!
//! Windows tells when a read or a write is over; mio makes readiness of that: it keeps a read under way into memory of
//! its own, and what is sent leaves from a copy. For this a pipe has to be bound to a completion port, once and for
//! good. It is that of the [`Poller`](crate::Poller) that the pipe is registered with first, or one of its own when it
//! is used before.

use super::RawDescriptor;
use crate::readiness::Interest;
use crate::sys::Ready;
use crate::wait::Wait;
use mio::event::Source;
use mio::windows::NamedPipe;
use mio::{Events, Poll, Registry, Token};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_INFORMATION_CLASS, FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT, FileAccessInformation,
    FileModeInformation, NtQueryInformationFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_PIPE_NOT_CONNECTED, HANDLE, HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, RtlNtStatusToDosError,
    SetHandleInformation,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_READ_DATA, FILE_WRITE_DATA, PIPE_ACCESS_DUPLEX,
    PIPE_ACCESS_INBOUND,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, GetNamedPipeInfo, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
};

/// What the system holds of a pipe's bytes, each way.
const PIPE_BUFFER: u32 = 64 * 1024;
/// The most that is copied for one write.
const MAX_WRITE: usize = 1024 * 1024;

/// Two connected pipes; with `duplex` false the second only writes to the first.
pub(crate) fn pair(duplex: bool) -> io::Result<(Stream, Stream)> {
    // Unknown to others until it is taken: the only instance is connected below, or that fails.
    let random = || RandomState::new().build_hasher().finish();
    let name = format!(r"\\.\pipe\carom-{}-{:016x}{:016x}", std::process::id(), random(), random());
    let wide: Vec<u16> = OsStr::new(&name).encode_wide().chain(Some(0)).collect();
    let access = if duplex { PIPE_ACCESS_DUPLEX } else { PIPE_ACCESS_INBOUND };
    // SAFETY: `wide` ends with 0 and outlives the call; null asks for the default security, without inheritance.
    let first = unsafe {
        CreateNamedPipeW(
            wide.as_ptr(),
            access | FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_OVERLAPPED,
            PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS,
            1,
            PIPE_BUFFER,
            PIPE_BUFFER,
            0,
            ptr::null(),
        )
    };
    if first == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened above and nobody else has it.
    let first = unsafe { OwnedHandle::from_raw_handle(first) };
    // Opening it connects it: `ConnectNamedPipe` is for those who wait for that.
    let second = OpenOptions::new().read(duplex).write(true).custom_flags(FILE_FLAG_OVERLAPPED).open(name)?;
    Ok((Stream::new(first), Stream::new(second.into())))
}

/// An owned end of a named pipe.
#[derive(Debug)]
pub(crate) struct Stream(Mutex<Pipe>);

#[derive(Debug)]
struct Pipe {
    pipe: NamedPipe,
    port: Port,
}

/// The completion port that a pipe is bound to.
#[derive(Debug)]
enum Port {
    None,
    Own(Box<OwnPort>),
    Poller,
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

impl Pipe {
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
            _ => result,
        }
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        // To the reader of a pipe, a write of nothing is the end.
        if slices.iter().all(|slice| slice.is_empty()) {
            return Ok(0);
        }
        self.attempt(|pipe| pipe.write_vectored(slices), |told| told.writable = false)
    }
}

impl Stream {
    fn new(handle: OwnedHandle) -> Stream {
        // SAFETY: the handle is open, is given away here, and was bound to no port.
        let pipe = unsafe { NamedPipe::from_raw_handle(handle.into_raw_handle()) };
        Stream(Mutex::new(Pipe { pipe, port: Port::None }))
    }

    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over a handle, which stays open and the caller's when that fails.
    pub(crate) fn adopt(descriptor: RawDescriptor) -> io::Result<Stream> {
        let handle = descriptor as HANDLE;
        let nothing = ptr::null_mut();
        // SAFETY: null is allowed for what is not asked; what is no pipe is refused by the system.
        if unsafe { GetNamedPipeInfo(handle, nothing, nothing, nothing, nothing) } == 0 {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the handle is no named pipe"));
        }
        if flags_of(handle, FileModeInformation)? & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT) != 0 {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the handle was not opened for overlapped use"));
        }
        // SAFETY: the handle is open.
        if unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) } == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it is open and the caller gives it away.
        Ok(Stream::new(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub(crate) fn raw_descriptor(&self) -> RawDescriptor {
        self.pipe().pipe.as_raw_handle() as RawDescriptor
    }

    pub(crate) fn into_raw(self) -> io::Result<RawDescriptor> {
        let pipe = self.pipe();
        let Port::None = pipe.port else {
            return Err(unsupported("a named pipe that has been used cannot be given away yet"));
        };
        // SAFETY: the pipe holds its handle open meanwhile.
        let handle = unsafe { BorrowedHandle::borrow_raw(pipe.pipe.as_raw_handle()) }.try_clone_to_owned()?;
        Ok(handle.into_raw_handle() as RawDescriptor)
    }

    pub(crate) fn directions(&self) -> io::Result<(bool, bool)> {
        let access = flags_of(self.pipe().pipe.as_raw_handle(), FileAccessInformation)?;
        Ok((access & FILE_READ_DATA != 0, access & FILE_WRITE_DATA != 0))
    }

    pub(crate) fn is_local(&self) -> bool {
        true
    }

    pub(crate) fn read(&self, target: &mut [u8], _block: bool) -> io::Result<usize> {
        match self.pipe().attempt(|pipe| pipe.read(target), |told| told.readable = false) {
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_NOT_CONNECTED as i32) => Ok(0),
            result => result,
        }
    }

    pub(crate) fn wait(&self, interest: Interest, wait: Wait) -> io::Result<Ready> {
        let mut pipe = self.pipe();
        while let Some(left) = wait.left() {
            pipe.bind()?;
            let Port::Own(own) = &mut pipe.port else {
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

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipe().write(&[IoSlice::new(&bytes[..bytes.len().min(MAX_WRITE)])])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut room = MAX_WRITE;
        let first: Vec<_> = slices
            .iter()
            .map(|slice| {
                let count = slice.len().min(room);
                room -= count;
                IoSlice::new(&slice[..count])
            })
            .collect();
        self.pipe().write(&first)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        let mut pipe = self.pipe();
        if let Port::Own(_) = pipe.port {
            return Err(unsupported("a named pipe that was used without a Poller cannot be registered with one yet"));
        }
        pipe.pipe.register(registry, token, interests)?;
        pipe.port = Port::Poller;
        Ok(())
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: mio::Interest) -> io::Result<()> {
        self.pipe().pipe.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.pipe().pipe.deregister(registry)
    }
}

/// One of the kinds of information on an open handle that are a single number.
fn flags_of(handle: HANDLE, class: FILE_INFORMATION_CLASS) -> io::Result<u32> {
    let (mut status, mut flags) = (IO_STATUS_BLOCK::default(), 0u32);
    // SAFETY: both outlive the call, which is told the size of `flags`.
    let result = unsafe { NtQueryInformationFile(handle, &mut status, (&raw mut flags).cast(), 4, class) };
    if result < 0 {
        // SAFETY: no pointers go in.
        return Err(io::Error::from_raw_os_error(unsafe { RtlNtStatusToDosError(result) } as i32));
    }
    Ok(flags)
}

fn unsupported(text: &'static str) -> io::Error {
    io::Error::new(ErrorKind::Unsupported, text)
}
