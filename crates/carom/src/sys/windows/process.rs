//! Waiting for a process, by a handle of our own: whoever started it has another, and still learns its end.

use crate::process::ExitStatus;
use crate::wait::Wait;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::time::Duration;
use windows_sys::Win32::Foundation::{WAIT_OBJECT_0, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, INFINITE, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
    WaitForSingleObject,
};

pub(crate) fn wait_for_exit(pid: u32, wait: Wait) -> io::Result<Option<ExitStatus>> {
    // SAFETY: no pointers go in.
    let handle = unsafe { OpenProcess(PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened above and nobody else has it.
    let process = unsafe { OwnedHandle::from_raw_handle(handle) };
    loop {
        let left = wait.left();
        // SAFETY: the handle is open.
        match unsafe { WaitForSingleObject(process.as_raw_handle(), left.map_or(0, milliseconds)) } {
            WAIT_OBJECT_0 => break,
            WAIT_TIMEOUT if left.is_none() => return Ok(None),
            WAIT_TIMEOUT => {}
            _ => return Err(io::Error::last_os_error()),
        }
    }
    let mut code = 0;
    // SAFETY: the handle is open, and `code` outlives the call.
    match unsafe { GetExitCodeProcess(process.as_raw_handle(), &mut code) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(Some(ExitStatus::Code(code as i32))),
    }
}

/// Rounded up, so that the time is over afterwards, and shorter than for ever.
fn milliseconds(left: Option<Duration>) -> u32 {
    left.map_or(INFINITE, |left| left.as_micros().div_ceil(1000).min(u128::from(INFINITE - 1)) as u32)
}
