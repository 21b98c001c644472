//! Two connected pipes.

use super::instance::{only_instance, open};
use super::pipe::Pipe;
use super::stream::Stream;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;

/// Two connected pipes; with `duplex` false the second only writes to the first.
pub(crate) fn pair(duplex: bool) -> io::Result<(Stream, Stream)> {
    // Unknown to others until it is taken: the only instance is connected below, or that fails.
    let random = || RandomState::new().build_hasher().finish();
    let name = format!(r"\\.\pipe\carom-{}-{:016x}{:016x}", std::process::id(), random(), random());
    let first = only_instance(&name, duplex)?;
    // Opening it connects it: `ConnectNamedPipe` is for those who wait for that.
    let second = open(&name, duplex)?;
    Ok((Pipe::new(first)?.into(), Pipe::new(second)?.into()))
}
