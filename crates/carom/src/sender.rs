//! The sending half: what was accepted and the stream has not taken yet.

use crate::frame::Header;
use crate::queue::ByteQueue;
use std::io::{self, IoSlice, Write};

/// The most slices that one system call takes (`IOV_MAX` on Linux and macOS).
const MAX_SLICES: usize = 1024;

/// Up to so many bytes in several pieces are sooner copied than gathered by the system: a small message with its
/// header, and the messages of one connection among those of others.
const COPIED: usize = 2048;
const COPIED_SMALL: usize = 512;

#[derive(Debug, Default)]
pub(crate) struct Sender {
    backlog: ByteQueue,
    /// The length of the message that was begun last, which its other parts must belong to.
    begun: u64,
    /// A message was broken off: whatever came after it would be taken for its rest.
    broken: bool,
}

impl Sender {
    /// Accepted bytes that the stream has not taken.
    pub(crate) fn unsent(&self) -> usize {
        self.backlog.len()
    }

    /// Accepts whole frames: writes them after what waits already, and keeps a copy of what the stream does not take.
    pub(crate) fn write(&mut self, sink: &mut impl Write, parts: &[IoSlice<'_>]) -> io::Result<()> {
        self.flush(sink)?;
        for slices in parts.chunks(MAX_SLICES) {
            let mut taken = if self.backlog.is_empty() { self.try_write(sink, slices)? } else { 0 };
            for slice in slices {
                let skip = taken.min(slice.len());
                taken -= skip;
                if skip < slice.len() {
                    self.backlog.extend(&slice[skip..]);
                }
            }
        }
        Ok(())
    }

    /// Writes what waits, as far as the stream takes it.
    pub(crate) fn flush(&mut self, sink: &mut impl Write) -> io::Result<()> {
        if self.broken {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        while !self.backlog.is_empty() {
            match sink.write(self.backlog.as_slice()).or_else(|error| self.stop(error))? {
                0 => break,
                taken => self.backlog.consume(taken),
            }
        }
        Ok(())
    }

    /// Sends one message without copying it: the bytes of its frame, header included, that are on their way after
    /// this call, of which `progress` were before it. 0: it has not been begun.
    ///
    /// Fails with `InvalidInput`, and from then on every time, when the message is not as long as when it was begun.
    pub(crate) fn push(&mut self, sink: &mut impl Write, message: &[u8], progress: usize) -> io::Result<usize> {
        self.flush(sink)?;
        if !self.backlog.is_empty() {
            return Ok(progress);
        }
        let header = Header::new(message.len() as u64);
        let header = header.as_bytes();
        if progress > 0 {
            let Some(rest) = self.rest(message, progress) else { return Err(io::ErrorKind::InvalidInput.into()) };
            return Ok(progress + if rest.is_empty() { 0 } else { self.try_write(sink, &[IoSlice::new(rest)])? });
        }
        self.begun = message.len() as u64;
        let taken = self.try_write(sink, &[IoSlice::new(header), IoSlice::new(message)])?;
        if taken > 0 && taken < header.len() {
            self.backlog.extend(&header[taken..]);
            return Ok(header.len());
        }
        Ok(taken)
    }

    /// Accepts the rest of a message that [`push`](Sender::push) has begun, or all of it, by copying it. When it is not
    /// as long as it was then, the next write fails.
    pub(crate) fn queue(&mut self, message: &[u8], progress: usize) {
        if progress == 0 {
            self.backlog.extend(Header::new(message.len() as u64).as_bytes());
            self.backlog.extend(message);
        } else if let Some(rest) = self.rest(message, progress) {
            self.backlog.extend(rest);
        }
    }

    /// What is left of a message that was begun; without that, sending ends.
    fn rest<'message>(&mut self, message: &'message [u8], progress: usize) -> Option<&'message [u8]> {
        let header = Header::new(message.len() as u64).as_bytes().len();
        let rest = progress.checked_sub(header).filter(|_| self.begun == message.len() as u64);
        let rest = rest.and_then(|from| message.get(from..));
        if rest.is_none() {
            self.broken = true;
            self.backlog.clear();
        }
        rest
    }

    /// Takes back the last `count` bytes that were accepted: false, and nothing happens, when some of them have left.
    pub(crate) fn retract(&mut self, count: usize) -> bool {
        let possible = count <= self.backlog.len();
        if possible {
            self.backlog.retract(count);
        }
        possible
    }

    fn try_write(&mut self, sink: &mut impl Write, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        match slices {
            [slice] => sink.write(slice),
            slices if total <= COPIED_SMALL => write_copy::<COPIED_SMALL>(sink, slices),
            slices if total <= COPIED => write_copy::<COPIED>(sink, slices),
            slices => sink.write_vectored(slices),
        }
        .or_else(|error| self.stop(error))
    }

    /// A full stream takes nothing; after any other error what waits can never be sent.
    fn stop(&mut self, error: io::Error) -> io::Result<usize> {
        if error.kind() == io::ErrorKind::WouldBlock {
            return Ok(0);
        }
        self.backlog.clear();
        Err(error)
    }
}

/// Writes the slices, `SIZE` bytes at most, as one.
fn write_copy<const SIZE: usize>(sink: &mut impl Write, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut whole = [0; SIZE];
    let mut end = 0;
    for slice in slices {
        whole[end..end + slice.len()].copy_from_slice(slice);
        end += slice.len();
    }
    sink.write(&whole[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A stream that takes as many bytes as told, call by call, and nothing in between.
    struct Narrow {
        taken: Vec<u8>,
        room: std::vec::IntoIter<usize>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.room.next().unwrap_or(usize::MAX).min(bytes.len()) {
                0 => Err(io::ErrorKind::WouldBlock.into()),
                count => {
                    self.taken.extend_from_slice(&bytes[..count]);
                    Ok(count)
                }
            }
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.write(&slices.iter().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_message_that_is_not_as_it_was_when_begun_ends_sending() {
        for other in [&b"short"[..], b"", b"much longer than before"] {
            for queued in [false, true] {
                let mut sink = Narrow { taken: Vec::new(), room: vec![10].into_iter() };
                let mut sender = Sender::default();
                let progress = sender.push(&mut sink, b"a whole message", 0).unwrap();
                assert_eq!(progress, 10);
                if queued {
                    sender.queue(other, progress);
                } else {
                    sender.push(&mut sink, other, progress).unwrap_err();
                }
                assert_eq!(sender.unsent(), 0);
                assert_eq!(sender.push(&mut sink, b"next", 0).unwrap_err().kind(), io::ErrorKind::InvalidInput);
                sender.write(&mut sink, &[IoSlice::new(b"next")]).unwrap_err();
                assert_eq!(sink.taken.len(), 10);
            }
        }
    }

    proptest! {
        #[test]
        fn every_byte_leaves_once_and_in_order(
            messages in prop::collection::vec((0u8..3, prop::collection::vec(any::<u8>(), 0..20)), 1..20),
            room in prop::collection::vec(0usize..12, 0..60),
        ) {
            let mut sink = Narrow { taken: Vec::new(), room: room.into_iter() };
            let mut sender = Sender::default();
            let mut expected = Vec::new();
            for (way, message) in &messages {
                let frame = [Header::new(message.len() as u64).as_bytes(), message].concat();
                match way {
                    // As whole frames, of which what is not taken is kept.
                    0 => sender.write(&mut sink, &[IoSlice::new(&frame[..2]), IoSlice::new(&frame[2..])]).unwrap(),
                    // Pushed until the stream takes all of it.
                    1 => {
                        let mut progress = 0;
                        while progress < frame.len() {
                            let before = progress;
                            progress = sender.push(&mut sink, message, progress).unwrap();
                            prop_assert!(progress >= before && progress <= frame.len());
                        }
                    }
                    // Pushed once, and the rest queued; another is taken back.
                    _ => {
                        let progress = sender.push(&mut sink, message, 0).unwrap();
                        sender.queue(message, progress);
                        sender.queue(b"taken back", 0);
                        prop_assert!(sender.retract(14));
                        let unsent = sender.unsent();
                        prop_assert!(!sender.retract(unsent + 1));
                    }
                }
                expected.extend(frame);
            }
            while sender.unsent() > 0 {
                sender.flush(&mut sink).unwrap();
            }
            prop_assert_eq!(sink.taken, expected);
        }
    }
}
