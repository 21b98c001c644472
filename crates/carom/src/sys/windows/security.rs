//! Who may use a pipe.

use std::ffi::c_void;
use std::{io, ptr};
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::core::{PCWSTR, w};

/// `D:` the list of who may do what, `P` without anything inherited, and of one entry: allow (`A`) everything (`GA`) to
/// whoever owns the pipe (`OW`), which is the user that makes it. The default would let everybody read.
///
/// What an administrator makes with raised rights may belong to all administrators.
const OWNER_ONLY: PCWSTR = w!("D:P(A;;GA;;;OW)");

/// What lets nobody but the owner in, not even to make another instance of the pipe.
#[derive(Debug)]
pub(super) struct OwnerOnly(*mut c_void);

// SAFETY: it is memory that nobody writes to.
unsafe impl Send for OwnerOnly {}
// SAFETY: as above.
unsafe impl Sync for OwnerOnly {}

impl OwnerOnly {
    pub(super) fn new() -> io::Result<OwnerOnly> {
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text ends with 0, `descriptor` outlives the call, and null is allowed for the size.
        let converted = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                OWNER_ONLY,
                SDDL_REVISION_1,
                &mut descriptor,
                ptr::null_mut(),
            )
        };
        if converted == 0 { Err(io::Error::last_os_error()) } else { Ok(OwnerOnly(descriptor)) }
    }

    /// It points into `self`. The handle that is made with it is not inherited.
    pub(super) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for OwnerOnly {
    fn drop(&mut self) {
        // SAFETY: the system allocated it, to be freed so, and nothing uses it any more.
        unsafe { LocalFree(self.0) };
    }
}
