//! The two ends of a named pipe: an instance that a server makes, and what a client opens.

use super::security::OwnerOnly;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::ptr;
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_PIPE_BUSY, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Networking::WinSock::{WSAEADDRINUSE, WSAEWOULDBLOCK};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_FLAGS_AND_ATTRIBUTES, PIPE_ACCESS_DUPLEX,
    PIPE_ACCESS_INBOUND, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES,
};

/// What the system holds of a pipe's bytes, each way: about as much as of a socket's elsewhere. It takes memory for what
/// is there only.
const PIPE_BUFFER: u32 = 256 * 1024;

/// Of a pipe that has no other, whose client may write, with `duplex` read, too.
pub(super) fn only_instance(name: &str, duplex: bool) -> io::Result<OwnedHandle> {
    let access = if duplex { PIPE_ACCESS_DUPLEX } else { PIPE_ACCESS_INBOUND };
    create(name, access | FILE_FLAG_FIRST_PIPE_INSTANCE, 1, None)
}

/// Of a pipe with any number of them. Fails with `AddrInUse` when it is there already: nobody gets in between its owner
/// and its clients.
pub(super) fn first_instance(name: &str, security: &OwnerOnly) -> io::Result<OwnedHandle> {
    let access = PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE;
    create(name, access, PIPE_UNLIMITED_INSTANCES, Some(security))
        .map_err(|error| replaced(error, ERROR_ACCESS_DENIED, WSAEADDRINUSE))
}

/// Of a pipe of our own, whose first instance or one of those that followed it is open.
pub(super) fn further_instance(name: &str, security: &OwnerOnly) -> io::Result<OwnedHandle> {
    create(name, PIPE_ACCESS_DUPLEX, PIPE_UNLIMITED_INSTANCES, Some(security))
}

fn create(
    name: &str,
    access: FILE_FLAGS_AND_ATTRIBUTES,
    instances: u32,
    security: Option<&OwnerOnly>,
) -> io::Result<OwnedHandle> {
    let wide: Vec<u16> = OsStr::new(name).encode_wide().chain(Some(0)).collect();
    let attributes = security.map(OwnerOnly::attributes);
    // SAFETY: `wide` ends with 0 and outlives the call, as does what the attributes point to; null asks for the default
    // security, without inheritance.
    let handle = unsafe {
        CreateNamedPipeW(
            wide.as_ptr(),
            access | FILE_FLAG_OVERLAPPED,
            PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS,
            instances,
            PIPE_BUFFER,
            PIPE_BUFFER,
            0,
            attributes.as_ref().map_or(ptr::null(), ptr::from_ref),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened above and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// The client's end. Opening it connects it; the server learns who it is and cannot act in its name.
///
/// Fails with `WouldBlock` when no instance is free.
pub(super) fn open(name: &str, read: bool) -> io::Result<OwnedHandle> {
    let mut options = OpenOptions::new();
    options.read(read).write(true).custom_flags(FILE_FLAG_OVERLAPPED).security_qos_flags(SECURITY_IDENTIFICATION);
    match options.open(name) {
        Ok(file) => Ok(file.into()),
        Err(error) => Err(replaced(error, ERROR_PIPE_BUSY, WSAEWOULDBLOCK)),
    }
}

/// An error by the number that stands for the same with sockets.
fn replaced(error: io::Error, from: u32, to: i32) -> io::Error {
    if error.raw_os_error() == Some(from as i32) { io::Error::from_raw_os_error(to) } else { error }
}
