//! What a handle does in the background ("overlapped"): at most one thing at a time for each [`Operation`].
//!
//! When the thread that began it ends, the system breaks it off (`ERROR_OPERATION_ABORTED`): whoever waits for bytes or
//! for a client begins anew.

use std::cell::UnsafeCell;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, STATUS_PENDING};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
use windows_sys::Win32::System::Threading::CreateEventW;
use windows_sys::core::BOOL;

/// One thing that goes on in the background, or nothing.
#[derive(Debug)]
pub(super) struct Operation {
    /// The system writes to it while the operation is under way.
    state: Box<UnsafeCell<OVERLAPPED>>,
    /// Signalled when it is over.
    event: OwnedHandle,
    begun: bool,
}

// SAFETY: what points out of the state is the event alone, which any thread may use.
unsafe impl Send for Operation {}
// SAFETY: through a shared reference the state is only read, and volatile.
unsafe impl Sync for Operation {}

impl Operation {
    pub(super) fn new() -> io::Result<Operation> {
        // SAFETY: null asks for the default security, without inheritance, and for no name.
        let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
        if event.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was opened above and nobody else has it.
        let event = unsafe { OwnedHandle::from_raw_handle(event) };
        Ok(Operation { state: Box::default(), event, begun: false })
    }

    /// Something was begun, and its result has not been taken.
    pub(super) fn is_begun(&self) -> bool {
        self.begun
    }

    /// It is not over yet.
    pub(super) fn is_pending(&self) -> bool {
        // SAFETY: the state is valid; the system may be writing to it, which a volatile read allows for.
        self.begun && unsafe { (&raw const (*self.state.get()).Internal).read_volatile() } == STATUS_PENDING as usize
    }

    /// What is signalled when it is over.
    pub(super) fn event(&self) -> BorrowedHandle<'_> {
        self.event.as_handle()
    }

    /// Waits for bytes, of which it takes none.
    pub(super) fn await_bytes(&mut self, pipe: &OwnedHandle) -> io::Result<()> {
        // SAFETY: nothing is read into the null.
        self.begin(|state| unsafe { ReadFile(pipe.as_raw_handle(), ptr::null_mut(), 0, ptr::null_mut(), state) })
    }

    /// Waits for the client of the server's end.
    pub(super) fn await_client(&mut self, pipe: &OwnedHandle) -> io::Result<()> {
        // SAFETY: the handle is open, and the state lives as long as the operation.
        self.begin(|state| unsafe { ConnectNamedPipe(pipe.as_raw_handle(), state) })
    }

    /// Reads what is there without waiting for more: `WouldBlock` when that is nothing.
    pub(super) fn read(&mut self, pipe: &OwnedHandle, target: &mut [u8]) -> io::Result<usize> {
        let length = target.len().try_into().unwrap_or(u32::MAX);
        // SAFETY: `target` outlives the operation, which is over below in any case.
        self.begin(|state| unsafe {
            ReadFile(pipe.as_raw_handle(), target.as_mut_ptr(), length, ptr::null_mut(), state)
        })?;
        if !self.is_pending() {
            return self.result(pipe);
        }
        self.cancel(pipe)
    }

    /// Begins to write.
    ///
    /// # Safety
    /// `bytes` must stay as and where they are until the operation is not pending any more.
    pub(super) unsafe fn write(&mut self, pipe: &OwnedHandle, bytes: &[u8]) -> io::Result<()> {
        let length = bytes.len().try_into().map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: the caller vouches for the bytes.
        self.begin(|state| unsafe { WriteFile(pipe.as_raw_handle(), bytes.as_ptr(), length, ptr::null_mut(), state) })
    }

    fn begin(&mut self, start: impl FnOnce(*mut OVERLAPPED) -> BOOL) -> io::Result<()> {
        debug_assert!(!self.begun, "one thing at a time");
        *self.state.get_mut() = OVERLAPPED { hEvent: self.event.as_raw_handle(), ..OVERLAPPED::default() };
        if start(self.state.get()) == 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(ERROR_IO_PENDING as i32) {
                return Err(error);
            }
        }
        self.begun = true;
        Ok(())
    }

    /// How it ended, once it has: the number of bytes.
    pub(super) fn result(&mut self, pipe: &OwnedHandle) -> io::Result<usize> {
        self.begun = false;
        self.outcome(pipe)
    }

    /// Breaks it off, and waits until it is over: what it had done by then, or `WouldBlock`.
    pub(super) fn cancel(&mut self, pipe: &OwnedHandle) -> io::Result<usize> {
        self.begun = false;
        // SAFETY: the state is that of an operation on this handle. Where it is over already, nothing happens.
        unsafe { CancelIoEx(pipe.as_raw_handle(), self.state.get()) };
        self.outcome(pipe).map_err(|error| if is_aborted(&error) { io::ErrorKind::WouldBlock.into() } else { error })
    }

    fn outcome(&self, pipe: &OwnedHandle) -> io::Result<usize> {
        let mut count = 0;
        // SAFETY: state and handle are those that the operation began with.
        match unsafe { GetOverlappedResult(pipe.as_raw_handle(), self.state.get(), &mut count, 1) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(count as usize),
        }
    }
}

/// It was broken off, by us or because the thread that began it has ended.
pub(super) fn is_aborted(error: &io::Error) -> bool {
    error.raw_os_error() == Some(windows_sys::Win32::Foundation::ERROR_OPERATION_ABORTED as i32)
}
