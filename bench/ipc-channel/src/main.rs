//! servo's ipc-channel between two blocking processes: bytes over its channels for bytes, objects over typed ones.
//!
//! `ipc-channel-peer roundtrip|oneway bytes SIZE` or `… objects` starts a copy of itself as the other end, and then
//! serves the runner of `bench/` (see [`limit::rounds`]).

mod exchange;
mod objects;
mod transport;

use std::error::Error;
use std::io;

use crate::exchange::{Shape, drive, respond};
use crate::objects::Objects;
use crate::transport::Bytes;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (server, words) = match words[..] {
        ["responder", server, ref rest @ ..] => (Some(server), rest),
        ref rest => (None, rest),
    };
    let usage =
        || io::Error::new(io::ErrorKind::InvalidInput, "usage: ipc-channel-peer roundtrip|oneway objects|bytes SIZE");
    let [shape, kind, size @ ..] = words else { return Err(usage().into()) };
    let shape = Shape::parse(shape).ok_or_else(usage)?;
    match (*kind, size) {
        ("bytes", [size]) => run(&Bytes::new(size.parse()?)?, shape, server, words),
        ("objects", []) => run(&Objects::new(), shape, server, words),
        _ => Err(usage().into()),
    }
}

fn run<T: transport::Transport>(
    transport: &T,
    shape: Shape,
    server: Option<&str>,
    arguments: &[&str],
) -> Result<(), Box<dyn Error>> {
    match server {
        Some(server) => respond(transport, shape, server),
        None => drive(transport, shape, arguments),
    }
}
