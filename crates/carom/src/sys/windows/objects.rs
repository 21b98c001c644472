//! Waiting for objects of the system.

use crate::wait::Wait;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::time::Duration;
use windows_sys::Win32::Foundation::{WAIT_FAILED, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForMultipleObjects};

/// The most that [`wait_for_any`] takes.
pub(super) const MAX_OBJECTS: usize = 64;

/// Waits until one of the objects is signalled: false when the time ran out. Looks once even when nothing is left.
pub(super) fn wait_for_any(objects: &[BorrowedHandle<'_>], wait: Wait) -> io::Result<bool> {
    let handles: Vec<_> = objects.iter().map(AsRawHandle::as_raw_handle).collect();
    loop {
        let left = wait.left();
        let timeout = left.map_or(0, milliseconds);
        // SAFETY: the handles are open, and as many as it is told.
        match unsafe { WaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), 0, timeout) } {
            WAIT_FAILED => return Err(io::Error::last_os_error()),
            WAIT_TIMEOUT if left.is_none() => return Ok(false),
            WAIT_TIMEOUT => {}
            _ => return Ok(true),
        }
    }
}

/// Rounded up, so that the time is over afterwards, and shorter than for ever.
fn milliseconds(left: Option<Duration>) -> u32 {
    left.map_or(INFINITE, |left| left.as_micros().div_ceil(1000).min(u128::from(INFINITE - 1)) as u32)
}
