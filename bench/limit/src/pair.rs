//! The two ends: the driver, which measures, and the responder, a copy of this program with the socket as its
//! standard input.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use limit::messages::Messages;
use limit::rounds::{Round, serve};

/// Where a burst of small messages is received.
const BURST_BYTES: usize = 64 << 10;
const ACKNOWLEDGEMENT: [u8; 1] = [1];

/// Runs the end that `arguments` ask for.
pub(crate) fn run(arguments: Vec<String>) -> io::Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["responder", work, size] => respond(&Work::parse(work, size)?),
        [work, size] => drive(&Work::parse(work, size)?, &[work, size]),
        _ => Err(usage()),
    }
}

struct Work {
    shape: Shape,
    messages: Messages,
}

enum Shape {
    RoundTrip,
    OneWay,
}

impl Work {
    fn parse(shape: &str, size: &str) -> io::Result<Self> {
        let shape = match shape {
            "roundtrip" => Shape::RoundTrip,
            "oneway" => Shape::OneWay,
            _ => return Err(usage()),
        };
        Ok(Self { shape, messages: Messages::new(size.parse().map_err(|_| usage())?)? })
    }
}

/// How the driver tells the responder of a round.
struct Order;

impl Order {
    const LENGTH: usize = 9;

    fn write(round: Round, socket: &mut UnixStream) -> io::Result<()> {
        let mut order = [0; Self::LENGTH];
        order[..8].copy_from_slice(&round.count.to_le_bytes());
        order[8] = round.whole.into();
        socket.write_all(&order)
    }

    /// `None` at the end of the stream: no more rounds.
    fn read(socket: &mut UnixStream) -> io::Result<Option<Round>> {
        let mut order = [0; Self::LENGTH];
        match socket.read_exact(&mut order) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut count = [0; 8];
        count.copy_from_slice(&order[..8]);
        Ok(Some(Round { count: u64::from_le_bytes(count), whole: order[8] == 1 }))
    }
}

fn drive(work: &Work, arguments: &[&str]) -> io::Result<()> {
    let (mut socket, mut responder) = start_responder(arguments)?;
    serve(|round| {
        Order::write(round, &mut socket)?;
        await_acknowledgement(&mut socket)?;
        let start = Instant::now();
        match work.shape {
            Shape::RoundTrip => ping_pong(&mut socket, &work.messages, round)?,
            Shape::OneWay => send_all(&mut socket, &work.messages, round)?,
        }
        Ok(start.elapsed())
    })?;
    drop(socket);
    responder.wait()?;
    Ok(())
}

fn respond(work: &Work) -> io::Result<()> {
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    while let Some(round) = Order::read(&mut socket)? {
        socket.write_all(&ACKNOWLEDGEMENT)?;
        match work.shape {
            Shape::RoundTrip => echo(&mut socket, &work.messages, round)?,
            Shape::OneWay => receive_all(&mut socket, &work.messages, round)?,
        }
    }
    Ok(())
}

fn start_responder(arguments: &[&str]) -> io::Result<(UnixStream, Child)> {
    let (ours, theirs) = UnixStream::pair()?;
    let responder = Command::new(std::env::current_exe()?)
        .arg("responder")
        .args(arguments)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    Ok((ours, responder))
}

fn ping_pong(socket: &mut UnixStream, messages: &Messages, round: Round) -> io::Result<()> {
    let mut reply = vec![0; messages.size()];
    for index in 0..round.count {
        socket.write_all(messages.get(index))?;
        socket.read_exact(&mut reply)?;
        messages.check(index, &reply, round.whole)?;
    }
    Ok(())
}

fn echo(socket: &mut UnixStream, messages: &Messages, round: Round) -> io::Result<()> {
    let mut message = vec![0; messages.size()];
    for _ in 0..round.count {
        socket.read_exact(&mut message)?;
        socket.write_all(&message)?;
    }
    Ok(())
}

fn send_all(socket: &mut UnixStream, messages: &Messages, round: Round) -> io::Result<()> {
    for index in 0..round.count {
        socket.write_all(messages.get(index))?;
    }
    await_acknowledgement(socket)
}

/// Takes as much as is there with one `read`: many small messages, or a part of a large one.
fn receive_all(socket: &mut UnixStream, messages: &Messages, round: Round) -> io::Result<()> {
    let size = messages.size();
    let mut buffer = vec![0; size * (BURST_BYTES / size).max(1)];
    let mut filled = 0;
    let mut index = 0;
    while index < round.count {
        match socket.read(&mut buffer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => filled += length,
        }
        let whole_messages = filled - filled % size;
        for message in buffer[..whole_messages].chunks_exact(size) {
            messages.check(index, message, round.whole)?;
            index += 1;
        }
        buffer.copy_within(whole_messages..filled, 0);
        filled -= whole_messages;
    }
    socket.write_all(&ACKNOWLEDGEMENT)
}

fn await_acknowledgement(socket: &mut UnixStream) -> io::Result<()> {
    socket.read_exact(&mut [0; ACKNOWLEDGEMENT.len()])
}

fn usage() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "usage: limit roundtrip|oneway SIZE, then lines of COUNT WHOLE")
}
