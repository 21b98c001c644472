//! What the system is told of memory.

/// Asks for huge pages, where the system gives them to those who ask.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[expect(unsafe_code, reason = "madvise takes any address")]
pub(crate) fn expect_writes(memory: &[u8]) {
    use rustix::mm::{Advice, madvise};
    let page = rustix::param::page_size();
    let start = memory.as_ptr().align_offset(page);
    let length = memory.len().saturating_sub(start) / page * page;
    if length > 0 {
        // SAFETY: the range lies inside the slice, and the advice changes neither what is in it nor who may use it.
        // Where the system knows no huge pages it refuses, and nothing is lost.
        _ = unsafe { madvise(memory[start..].as_ptr().cast_mut().cast(), length, Advice::LinuxHugepage) };
    }
}

/// Elsewhere there is nobody to ask.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn expect_writes(_memory: &[u8]) {}
