//! Message pipes between processes: framed, buffered, blocking and non-blocking.
//!
//! A message is a length and then that many bytes, in the format of CPython's `multiprocessing.connection` (3.3 and
//! later), so that a Rust process, a Node process (through the npm package `carom`) and a Python process can talk.
//!
//! ```
//! use carom::{Wait, pipe};
//!
//! let (mut ours, mut theirs) = pipe(true)?;
//! ours.send(b"hello", Wait::Forever)?;
//! assert_eq!(theirs.recv(Wait::Forever)?, b"hello");
//! # Ok::<(), carom::Error>(())
//! ```
//!
//! # The parts
//! - [`frame`]: the codec, pure: bytes in, frames out.
//! - [`Connection`]: one end of a stream, with what was received and not taken, and what was accepted and not sent.
//! - [`Listener`]: accepts connections at an [`Address`].
//! - [`Poller`]: which of many connections, listeners and other [descriptors](Descriptor) are ready, by mio.
//! - `sys`: all that differs between platforms, and all that the compiler cannot check.
//!
//! # Portability
//! Linux, macOS and FreeBSD use Unix sockets and pipes, Windows named pipes.

mod address;
mod connection;
mod descriptor;
mod error;
pub mod frame;
mod listener;
mod memory;
mod process;
mod queue;
mod readiness;
mod receiver;
mod sender;
mod spin;
mod sys;
mod transfer;
mod wait;

pub use address::{Address, resolve};
pub use connection::{Connection, pipe};
pub use descriptor::Descriptor;
pub use error::{End, Error};
pub use listener::{ListenOptions, Listener};
pub use memory::expect_writes;
pub use process::{ExitStatus, wait_for_exit};
pub use readiness::{Interest, MAX_NEWS, Poller, Readiness, Registry, Source, Waker};
pub use receiver::{Batch, Discarded, LARGE};
pub use sys::RawDescriptor;
pub use transfer::{hand_over, take_over};
pub use wait::Wait;
