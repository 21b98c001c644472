//! Waiting for objects of the system.

use crate::wait::Wait;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr;
use std::time::Duration;
use windows_sys::Win32::Foundation::{HANDLE, WAIT_FAILED, WAIT_TIMEOUT};
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

/// The place of the first one that is signalled. They are open.
pub(super) fn first_signalled(objects: &[isize]) -> Option<usize> {
    let mut handles = [ptr::null_mut(); MAX_OBJECTS];
    for (part, chunk) in objects.chunks(MAX_OBJECTS).enumerate() {
        for (handle, &object) in handles.iter_mut().zip(chunk) {
            *handle = object as HANDLE;
        }
        // SAFETY: as many handles as it is told are there; the system refuses those that are not open.
        let found = unsafe { WaitForMultipleObjects(chunk.len() as u32, handles.as_ptr(), 0, 0) } as usize;
        if found < chunk.len() {
            return Some(part * MAX_OBJECTS + found);
        }
    }
    None
}

/// Rounded up, so that the time is over afterwards, and shorter than for ever.
fn milliseconds(left: Option<Duration>) -> u32 {
    left.map_or(INFINITE, |left| left.as_micros().div_ceil(1000).min(u128::from(INFINITE - 1)) as u32)
}
