//! Waiting for a process, by a handle of our own: whoever started it has another, and still learns its end.

use super::objects::wait_for_any;
use crate::process::ExitStatus;
use crate::wait::Wait;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, OpenProcess, PROCESS_ACCESS_RIGHTS, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
};

/// A process that has not been forgotten: it runs, or somebody has a handle of it.
pub(super) fn open_process(pid: u32, rights: PROCESS_ACCESS_RIGHTS) -> io::Result<OwnedHandle> {
    // SAFETY: no pointers go in.
    let handle = unsafe { OpenProcess(rights, 0, pid) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened above and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

pub(crate) fn wait_for_exit(pid: u32, wait: Wait) -> io::Result<Option<ExitStatus>> {
    let process = open_process(pid, PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION)?;
    if !wait_for_any(&[process.as_handle()], wait)? {
        return Ok(None);
    }
    let mut code = 0;
    // SAFETY: the handle is open, and `code` outlives the call.
    match unsafe { GetExitCodeProcess(process.as_raw_handle(), &mut code) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(Some(ExitStatus::Code(code as i32))),
    }
}
