//! Giving other processes handles of their own to what is open here.

use super::RawDescriptor;
use super::handle;
use super::process::open_process;
use std::io;
use std::os::windows::io::AsRawHandle;
use std::ptr;
use windows_sys::Win32::Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE};
use windows_sys::Win32::Networking::WinSock::{
    FROM_PROTOCOL_INFO, INVALID_SOCKET, SOCKET, WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED, WSADuplicateSocketW,
    WSAGetLastError, WSAPROTOCOL_INFOW, WSASocketW,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, PROCESS_DUP_HANDLE};

const SOCKET_INFO: usize = size_of::<WSAPROTOCOL_INFOW>();

/// What a process is told of a pipe is the number of its handle, of a socket what Winsock says.
pub(crate) fn hand_over(descriptor: RawDescriptor, pid: u32) -> io::Result<Vec<u8>> {
    if handle::is_pipe(descriptor as HANDLE).is_ok_and(|is| is) {
        duplicate(descriptor as HANDLE, pid).map(|handle| handle.to_le_bytes().to_vec())
    } else {
        describe(descriptor as SOCKET, pid).map(Vec::from)
    }
}

pub(crate) fn take_over(told: &[u8]) -> io::Result<RawDescriptor> {
    if let Ok(handle) = told.try_into() {
        Ok(RawDescriptor::from_le_bytes(handle))
    } else if let Ok(info) = told.try_into() {
        open(info)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// Its number in that process.
fn duplicate(handle: HANDLE, pid: u32) -> io::Result<RawDescriptor> {
    let process = open_process(pid, PROCESS_DUP_HANDLE)?;
    let mut copy = ptr::null_mut();
    // SAFETY: both processes are open, and `copy` outlives the call; what is not open is refused by the system.
    match unsafe {
        let ours = GetCurrentProcess();
        DuplicateHandle(ours, handle, process.as_raw_handle(), &mut copy, 0, 0, DUPLICATE_SAME_ACCESS)
    } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(copy as RawDescriptor),
    }
}

fn describe(socket: SOCKET, pid: u32) -> io::Result<[u8; SOCKET_INFO]> {
    let mut info = [0; SOCKET_INFO];
    // SAFETY: `info` has the size that is written; what is no socket is refused by the system.
    match unsafe { WSADuplicateSocketW(socket, pid, info.as_mut_ptr().cast()) } {
        // SAFETY: no pointers go in.
        error if error != 0 => Err(io::Error::from_raw_os_error(unsafe { WSAGetLastError() })),
        _ => Ok(info),
    }
}

fn open(told: [u8; SOCKET_INFO]) -> io::Result<RawDescriptor> {
    // SAFETY: it is made of numbers alone, of which any will do.
    let info: WSAPROTOCOL_INFOW = unsafe { ptr::read_unaligned(told.as_ptr().cast()) };
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: `info` outlives the call.
    match unsafe { WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, flags) } {
        // SAFETY: no pointers go in.
        INVALID_SOCKET => Err(io::Error::from_raw_os_error(unsafe { WSAGetLastError() })),
        socket => Ok(socket as RawDescriptor),
    }
}
