//! The receiving half: turns what a stream gives into whole messages.
//!
//! It owns no memory for them. Small messages are read in batches into an arena that the caller lends and may share
//! between any number of connections; a message of [`LARGE`] bytes or more is announced with its length and then read
//! straight into where the caller wants it. Only what was read beyond that is kept here.

use crate::error::End;
use crate::frame::{self, Header, Span, Stop};
use crate::queue::ByteQueue;
use std::io::{self, Read};

/// The number of bytes from which a message is not read into the arena, but into a place of its own.
pub const LARGE: u64 = 64 * 1024;
/// How much is read after a large message, of which another may follow: what is read here of its body is copied twice.
const AFTER_LARGE: usize = 4 * 1024;
/// How much is read at once while a send waits.
const ABSORB: usize = 64 * 1024;
/// How often one call that drops what comes reads.
const DISCARDS: usize = 16;

/// What a read found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The number of whole messages in the arena, whose spans were written.
    pub frames: usize,
    /// The end of the bytes in the arena that belong to them, headers included; they begin at 0.
    pub bytes: usize,
    /// The stream had no more than this to give: wait for it to become readable.
    pub drained: bool,
    /// A large message of so many bytes follows: read it with [`read_body`](crate::Connection::read_body).
    pub body: Option<u64>,
    /// Nothing more will come after this.
    pub ended: bool,
}

/// How much of what comes was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discarded {
    /// There may be more.
    Some,
    /// There is nothing more until the [`Poller`](crate::Poller) tells of it.
    AllThatIsThere,
    /// Nothing more can come.
    ToTheEnd,
}

#[derive(Debug)]
struct Body {
    length: u64,
    remaining: u64,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    /// Read and not given out yet.
    held: ByteQueue,
    body: Option<Body>,
    /// How much the next read asks for.
    window: usize,
    max_length: u64,
    /// One message is read at a time; what follows it may come under another limit.
    singly: bool,
    /// Whether a reset by the peer is an end like any other, as on every local stream.
    reset_is_end: bool,
    end: Option<End>,
}

impl Receiver {
    pub(crate) fn new(max_length: u64, received: Vec<u8>, reset_is_end: bool) -> Receiver {
        Receiver {
            held: received.into(),
            body: None,
            window: usize::MAX,
            max_length,
            singly: false,
            reset_is_end,
            end: None,
        }
    }

    pub(crate) fn set_limits(&mut self, max_length: u64, singly: bool) {
        self.max_length = max_length;
        self.singly = singly;
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The next whole messages, reading once from `source` unless some are there already.
    ///
    /// Panics when `arena` holds less than twice [`LARGE`] bytes, or `spans` none: what was read would have no place.
    pub(crate) fn read_batch(&mut self, source: Option<&mut impl Read>, arena: &mut [u8], spans: &mut [Span]) -> Batch {
        assert!(arena.len() as u64 >= 2 * LARGE && !spans.is_empty(), "a batch needs room");
        if self.body.is_some() || self.end.is_some() {
            return Batch {
                body: self.body.as_ref().map(|body| body.length),
                ended: self.end.is_some(),
                ..Batch::default()
            };
        }
        let spans = if self.singly { &mut spans[..1] } else { spans };
        let mut filled = self.held.len().min(arena.len());
        arena[..filled].copy_from_slice(&self.held.as_slice()[..filled]);
        let batch = self.take(&arena[..filled], filled, spans);
        if batch.frames > 0 || batch.body.is_some() || batch.ended {
            return batch;
        }
        let Some(source) = source else { return Batch { drained: true, ..batch } };

        let room = (arena.len() - filled).min(self.window);
        let count = match source.read(&mut arena[filled..filled + room]) {
            Ok(0) => return self.ended(None),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Batch { drained: true, ..batch },
            Err(error) => return self.ended(Some(error)),
        };
        if count == room {
            self.window = usize::MAX;
        }
        let held = filled;
        filled += count;
        let batch = self.take(&arena[..filled], held, spans);
        // With a full table, there may be more in the queue.
        let held = batch.frames == spans.len() && !self.held.is_empty();
        Batch { drained: count < room && !held, ..batch }
    }

    /// Scans `bytes`, of which the first `held` came from the queue, and keeps what is not a whole message.
    fn take(&mut self, bytes: &[u8], held: usize, spans: &mut [Span]) -> Batch {
        let limit = LARGE.min(self.max_length.saturating_add(1));
        let scan = frame::scan(bytes, limit, spans);
        let mut batch = Batch { frames: scan.frames, bytes: scan.consumed, ..Batch::default() };
        let end = match scan.stop {
            Stop::Partial => None,
            Stop::Bad(bad) => Some(End::Bad(bad)),
            Stop::Long(length) if length > self.max_length => Some(End::TooLong(length)),
            Stop::Long(length) => {
                self.body = Some(Body { length, remaining: length });
                batch.body = Some(length);
                None
            }
        };
        if end.is_some() {
            self.held.clear();
            self.end = end;
            batch.ended = true;
            return batch;
        }
        self.held.consume(held.min(scan.consumed));
        if bytes.len() > held {
            // Whatever was held lies in front of what was read, so the queue must not be longer than the arena's part.
            self.held.extend(&bytes[held.max(scan.consumed)..]);
        }
        batch
    }

    /// The stream has ended: between two messages, or not.
    fn ended(&mut self, error: Option<io::Error>) -> Batch {
        let inside = self.body.take().is_some() || !self.held.is_empty();
        self.held.clear();
        self.end = Some(match error {
            error if inside => End::Truncated(error),
            Some(error) if !(self.reset_is_end && error.kind() == io::ErrorKind::ConnectionReset) => End::Failed(error),
            error => End::Eof(error),
        });
        Batch { ended: true, ..Batch::default() }
    }

    /// Whether a large message was announced and is not read to its end.
    pub(crate) fn in_body(&self) -> bool {
        self.body.is_some()
    }

    /// Reads on in the large message that was announced: the number of bytes written to `target`, 0 when nothing is
    /// there now or the stream has ended. `target` is what of the message is still missing, or a part of that.
    pub(crate) fn read_body(&mut self, source: Option<&mut impl Read>, target: &mut [u8]) -> usize {
        let Some(body) = &mut self.body else { return 0 };
        let wanted = target.len().min(usize::try_from(body.remaining).unwrap_or(usize::MAX));
        let from_held = wanted.min(self.held.len());
        target[..from_held].copy_from_slice(&self.held.as_slice()[..from_held]);
        self.held.consume(from_held);

        let mut count = from_held;
        if let Some(source) = source.filter(|_| count < wanted) {
            match source.read(&mut target[count..wanted]) {
                Ok(0) => _ = self.ended(None),
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => _ = self.ended(Some(error)),
            }
        }
        if let Some(body) = &mut self.body {
            body.remaining -= count as u64;
            if body.remaining == 0 {
                self.body = None;
                self.window = AFTER_LARGE;
            }
        }
        count
    }

    /// Reads once into the queue unless the next message is there whole: true when it is, or none can come.
    ///
    /// For a send that waits while the other end may be waiting in a send of its own: each takes one message off the
    /// other's hands. What is kept grows with the bytes that have arrived, up to that one message.
    pub(crate) fn absorb(&mut self, source: &mut impl Read) -> bool {
        if self.end.is_some() || self.missing() == 0 {
            return true;
        }
        let mut chunk = vec![0; ABSORB];
        match source.read(&mut chunk) {
            Ok(0) => _ = self.ended(None),
            Ok(count) => self.held.extend(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => _ = self.ended(Some(error)),
        }
        self.end.is_some() || self.missing() == 0
    }

    /// Reads and drops a limited number of bytes, of a stream that nobody receives from any more.
    pub(crate) fn discard(&mut self, source: &mut impl Read) -> Discarded {
        let mut chunk = vec![0; ABSORB];
        for _ in 0..DISCARDS {
            match source.read(&mut chunk) {
                Ok(0) => return Discarded::ToTheEnd,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Discarded::AllThatIsThere,
                Err(_) => return Discarded::ToTheEnd,
            }
        }
        Discarded::Some
    }

    /// How many bytes the next message lacks, at least; 0 when it is whole, or can never be.
    fn missing(&self) -> u64 {
        let held = self.held.len() as u64;
        match (&self.body, frame::parse_header(self.held.as_slice())) {
            (Some(body), _) => body.remaining.saturating_sub(held),
            (None, Ok(Some((length, header)))) if length <= self.max_length => {
                (header as u64 + length).saturating_sub(held)
            }
            (None, Ok(None)) => 1,
            (None, _) => 0,
        }
    }

    /// The next message, if it is there whole; else receiving ends for good if it can never be.
    pub(crate) fn take_message(&mut self) -> Option<Vec<u8>> {
        if self.end.is_some() || self.missing() > 0 {
            return None;
        }
        match frame::parse_header(self.held.as_slice()) {
            Ok(Some((length, header))) if length <= self.max_length => {
                let whole = header + length as usize;
                let message = self.held.as_slice()[header..whole].to_vec();
                self.held.consume(whole);
                return Some(message);
            }
            Ok(header) => self.end = header.map(|(length, _)| End::TooLong(length)),
            Err(bad) => self.end = Some(End::Bad(bad)),
        }
        self.held.clear();
        None
    }

    /// All that was received and not given out, as it came over the wire. `taken` is what the caller has already got
    /// of a large message: the one that is being read, else a whole one.
    pub(crate) fn into_received(self, taken: &[u8]) -> Vec<u8> {
        let mut received = Vec::new();
        if self.body.is_some() || !taken.is_empty() {
            let length = self.body.as_ref().map_or(taken.len() as u64, |body| body.length);
            received.extend_from_slice(Header::new(length).as_bytes());
            received.extend_from_slice(taken);
        }
        received.extend_from_slice(self.held.as_slice());
        received
    }
}
