//! What was sent and is not in the pipe yet, when the pipe is closed: it still leaves, in the background, as the bytes in
//! a socket's buffer do.

use super::pipe::Writing;
use std::ffi::c_void;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr;
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
};
use windows_sys::Win32::System::Threading::{
    CloseThreadpoolWait, CreateThreadpoolWait, PTP_CALLBACK_INSTANCE, PTP_WAIT, SetThreadpoolWait,
};

/// A pipe that its owner has closed.
struct Lingering {
    writing: Box<Writing>,
    pipe: OwnedHandle,
}

/// Keeps the pipe open until the write that is under way is over: the peer has read, or is gone.
pub(super) fn linger(pipe: &OwnedHandle, mut writing: Box<Writing>) {
    let kept = if pin() { pipe.try_clone().ok() } else { None };
    let Some(pipe) = kept else {
        _ = writing.operation.cancel(pipe);
        return;
    };
    let event = writing.operation.event().as_raw_handle();
    let lingering = Box::into_raw(Box::new(Lingering { writing, pipe }));
    // SAFETY: the callback is given the box, once; null asks for the pool of the process.
    let wait = unsafe { CreateThreadpoolWait(Some(on_sent), lingering.cast(), ptr::null()) };
    if wait == 0 {
        // SAFETY: there is no callback that could use it.
        let mut lingering = unsafe { Box::from_raw(lingering) };
        _ = lingering.writing.operation.cancel(&lingering.pipe);
        return;
    }
    // SAFETY: the wait was made above. The event is open until the callback, which comes when it is signalled.
    unsafe { SetThreadpoolWait(wait, event, ptr::null()) };
}

/// Keeps this library in memory for the callbacks to come, whoever unloads it.
fn pin() -> bool {
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    let address = on_sent as unsafe extern "system" fn(_, _, _, _);
    let mut module = ptr::null_mut();
    // SAFETY: with this flag the name is any address inside of the library.
    unsafe { GetModuleHandleExW(flags, address as *const u16, &mut module) != 0 }
}

unsafe extern "system" fn on_sent(_: PTP_CALLBACK_INSTANCE, lingering: *mut c_void, wait: PTP_WAIT, _: u32) {
    // SAFETY: the write is over, and this is the only call with the box; the wait is freed when it returns.
    unsafe {
        drop(Box::from_raw(lingering.cast::<Lingering>()));
        CloseThreadpoolWait(wait);
    }
}
