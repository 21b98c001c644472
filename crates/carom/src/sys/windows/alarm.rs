//! Telling a poll that an object of the system is signalled, by a wait of the thread pool.

use super::poll::Teller;
use std::ffi::c_void;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::{io, ptr};
use windows_sys::Win32::System::Threading::{
    CloseThreadpoolWait, CreateThreadpoolWait, PTP_CALLBACK_INSTANCE, PTP_WAIT, SetThreadpoolWait,
    WaitForThreadpoolWaitCallbacks,
};

/// Tells once, each time that it was set, when its object is signalled.
#[derive(Debug)]
pub(super) struct Alarm {
    wait: PTP_WAIT,
    teller: Box<Teller>,
}

impl Alarm {
    pub(super) fn new(teller: Teller) -> io::Result<Alarm> {
        let teller = Box::new(teller);
        // SAFETY: the callback gets the teller, which lives until after the last one, see `drop`; null asks for the
        // pool of the process.
        let wait =
            unsafe { CreateThreadpoolWait(Some(on_signal), ptr::from_ref(&*teller).cast_mut().cast(), ptr::null()) };
        if wait == 0 { Err(io::Error::last_os_error()) } else { Ok(Alarm { wait, teller }) }
    }

    /// Tells when the object is signalled, at once if it is. The object stays open until the alarm has told or is
    /// dropped.
    pub(super) fn set(&self, object: BorrowedHandle<'_>) {
        self.teller.watch(object);
        // SAFETY: the wait is open, and the caller keeps the object open.
        unsafe { SetThreadpoolWait(self.wait, object.as_raw_handle(), ptr::null()) };
    }

    /// Tells now.
    pub(super) fn tell(&self) {
        self.teller.tell();
    }

    /// The source is registered no more: its token may stand for another.
    pub(super) fn end(self) {
        self.unset();
        self.teller.take_back();
    }

    /// Nothing is told any more; callbacks that have begun are over.
    fn unset(&self) {
        self.teller.unwatch();
        // SAFETY: the wait is open. The callbacks take no lock that this thread holds.
        unsafe {
            SetThreadpoolWait(self.wait, ptr::null_mut(), ptr::null());
            WaitForThreadpoolWaitCallbacks(self.wait, 1);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.unset();
        // SAFETY: the wait is open, and no callback uses the teller any more.
        unsafe { CloseThreadpoolWait(self.wait) };
    }
}

unsafe extern "system" fn on_signal(_: PTP_CALLBACK_INSTANCE, teller: *mut c_void, _: PTP_WAIT, _: u32) {
    // SAFETY: it is what `new` gave, which only threads of the pool read.
    unsafe { &*teller.cast::<Teller>() }.tell_of_object();
}
