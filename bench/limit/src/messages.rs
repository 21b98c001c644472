//! The messages of a run: a ring of unchanging ones, told apart by the number in their first and last four bytes.

use std::io;

/// As many different messages as fit into this, so that large ones do not come out of the cache.
const RING_BYTES: usize = 16 << 20;
/// Neighbours differ, so that a message that was not received at all does not pass for the one before.
const RING_MIN: usize = 2;
const RING_MAX: usize = 1024;
const STAMP: usize = size_of::<u32>();

/// What a run sends, and what its receiver expects.
pub struct Messages {
    ring: Vec<Vec<u8>>,
}

impl Messages {
    /// Messages of `size` bytes, at least the two stamps.
    pub fn new(size: usize) -> io::Result<Self> {
        if size < 2 * STAMP {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a message holds two stamps: at least 8 bytes"));
        }
        let length = (RING_BYTES / size).clamp(RING_MIN, RING_MAX) as u32;
        Ok(Self { ring: (0..length).map(|number| message(number, size)).collect() })
    }

    /// The length of each message.
    pub fn size(&self) -> usize {
        self.ring[0].len()
    }

    /// Message `index` of a round.
    pub fn get(&self, index: u64) -> &[u8] {
        &self.ring[(index % self.ring.len() as u64) as usize]
    }

    /// Refuses anything but message `index`; `whole` compares all of it and not only the stamps.
    pub fn check(&self, index: u64, received: &[u8], whole: bool) -> io::Result<()> {
        let sent = self.get(index);
        let last = sent.len() - STAMP;
        let same = if whole {
            received == sent
        } else {
            received.len() == sent.len() && received[..STAMP] == sent[..STAMP] && received[last..] == sent[last..]
        };
        if same { Ok(()) } else { Err(io::Error::other(format!("message {index} is not the one that was sent"))) }
    }
}

fn message(number: u32, size: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..size as u32).map(|at| (at.wrapping_mul(31).wrapping_add(number)) as u8).collect();
    bytes[..STAMP].copy_from_slice(&number.to_le_bytes());
    bytes[size - STAMP..].copy_from_slice(&number.to_le_bytes());
    bytes
}
