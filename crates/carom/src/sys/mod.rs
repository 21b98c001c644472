//! The platform wall: all that differs between systems, and all `unsafe` code of the crate.
//!
//! Each platform provides
//! - `Poll`: readiness of many event sources, told once for each change; with `Registry`, `Waker` and the trait `Source`
//!   of what can be registered, as in mio, which does it.
//! - `RawDescriptor`: what identifies an open stream to other programs.
//! - `Stream`: an owned stream socket or pipe; an event source that tells readiness once for each change.
//!   - `adopt(RawDescriptor)`: takes one over, close-on-exec from then on; `raw_descriptor`, `into_raw` give it back.
//!   - `read(target, block)`: without `block` it never waits (`WouldBlock`); with it, it may. `Write` for `&Stream`
//!     never waits. Neither is ever ended by a signal.
//!   - `under_way()`: how many bytes were written that the system has not got yet: none, where it takes them at once.
//!   - `wait(interest, wait)`: waits until it is ready; the end of the stream and errors count as ready.
//!   - `directions()`: whether it can be read and written at all.
//!   - `is_local()`: whether a reset by the peer is an end like any other.
//!   - `connect(address)` begins to connect; `finish_connect()` says whether it has, without waiting: for that,
//!     `wait(Write)`.
//!   - `local_address()`, `peer_address()`: where the two ends are, if they have names.
//!   - `end()`: tells the peer that nothing more will come.
//! - `Acceptor`: a listening socket or pipe; an event source, too.
//!   - `bind(address, options)`, `address()`, `raw_descriptor()`.
//!   - `accept()`: the next stream and the address of its peer, without waiting; `wait(wait)` waits for one.
//! - `Watched`: what becomes readable, `of(RawDescriptor)` or `of_process(pid)`; `is_readable()`; an event source.
//! - `pair(duplex)`: two connected streams, neither inherited by child processes.
//! - `wait_for_exit(pid, wait)`: waits for a child process without reaping it.
//! - `hand_over(descriptor, pid)`, `take_over(told)`: gives it to another process, where it is not inherited.
//! - `expect_writes(memory)`: all of it is about to be written.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::RawDescriptor;
#[cfg(unix)]
pub(crate) use unix::{
    Acceptor, Poll, Registry, Source, Stream, Waker, Watched, expect_writes, hand_over, pair, take_over, wait_for_exit,
};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::RawDescriptor;
#[cfg(windows)]
pub(crate) use windows::{
    Acceptor, Poll, Registry, Source, Stream, Waker, Watched, expect_writes, hand_over, pair, take_over, wait_for_exit,
};

/// What a stream became ready for; neither when the time ran out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}
