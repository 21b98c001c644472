//! What the system knows of a handle.

use std::io;
use std::ptr;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_INFORMATION_CLASS, FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT, FileAccessInformation,
    FileModeInformation, NtQueryInformationFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, HANDLE, HANDLE_FLAG_INHERIT, RtlNtStatusToDosError, SetHandleInformation,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_READ_DATA, FILE_WRITE_DATA};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::Pipes::GetNamedPipeInfo;

/// Fails when the handle is not open.
pub(super) fn is_pipe(handle: HANDLE) -> io::Result<bool> {
    let nothing = ptr::null_mut();
    // SAFETY: null is allowed for what is not asked; what is no pipe is refused by the system.
    if unsafe { GetNamedPipeInfo(handle, nothing, nothing, nothing, nothing) } != 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(ERROR_INVALID_HANDLE as i32) { Err(error) } else { Ok(false) }
}

/// Whether its operations can go on in the background.
pub(super) fn is_overlapped(handle: HANDLE) -> io::Result<bool> {
    Ok(flags_of(handle, FileModeInformation)? & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT) == 0)
}

/// Whether it can be read and written.
pub(super) fn directions(handle: HANDLE) -> io::Result<(bool, bool)> {
    let access = flags_of(handle, FileAccessInformation)?;
    Ok((access & FILE_READ_DATA != 0, access & FILE_WRITE_DATA != 0))
}

/// Keeps it from child processes.
pub(super) fn do_not_inherit(handle: HANDLE) -> io::Result<()> {
    // SAFETY: no pointers go in; what is not open is refused by the system.
    match unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
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
