//! The codec: pure, without I/O.
//!
//! A message of `n` bytes is `i32be(n)` for `n` up to `0x7fff_ffff`, else `i32be(-1)` and `u64be(n)`, and then its
//! bytes. Any other negative length, and a `u64` of 2^63 or more, is a bad header. Source: CPython,
//! `Lib/multiprocessing/connection.py`, `Connection._send_bytes` and `_recv_bytes`.

/// The longest message that the short form of the header can state.
const SHORT_MAX: u64 = i32::MAX as u64;
/// The bytes of the short form, and of the part before the length in the long form.
pub const SHORT_HEADER: usize = 4;
/// The bytes of the long form.
pub const LONG_HEADER: usize = 12;

/// The header of one message, as it goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    bytes: [u8; LONG_HEADER],
    size: u8,
}

impl Header {
    /// The header of a message of `length` bytes.
    pub fn new(length: u64) -> Header {
        let mut bytes = [0; LONG_HEADER];
        if length <= SHORT_MAX {
            bytes[..SHORT_HEADER].copy_from_slice(&(length as u32).to_be_bytes());
            Header { bytes, size: SHORT_HEADER as u8 }
        } else {
            bytes[..SHORT_HEADER].copy_from_slice(&(-1i32).to_be_bytes());
            bytes[SHORT_HEADER..].copy_from_slice(&length.to_be_bytes());
            Header { bytes, size: LONG_HEADER as u8 }
        }
    }

    /// The bytes to send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.size)]
    }
}

/// A header that states no valid length: the stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadHeader {
    /// What it states, as the number that it is on the wire.
    pub stated: i128,
}

/// The length that the header at the start of `bytes` states and the header's own size; `None` while it is not whole.
pub fn parse_header(bytes: &[u8]) -> Result<Option<(u64, usize)>, BadHeader> {
    let Some((short, rest)) = bytes.split_first_chunk::<SHORT_HEADER>() else { return Ok(None) };
    match i32::from_be_bytes(*short) {
        length @ 0.. => Ok(Some((length as u64, SHORT_HEADER))),
        -1 => match rest.first_chunk::<8>().map(|long| u64::from_be_bytes(*long)) {
            None => Ok(None),
            Some(length) if length > i64::MAX as u64 => Err(BadHeader { stated: length.into() }),
            Some(length) => Ok(Some((length, LONG_HEADER))),
        },
        stated => Err(BadHeader { stated: stated.into() }),
    }
}

/// Where a message's bytes lie: two `u32`, so that a table of spans can be shared with another language.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub offset: u32,
    /// The number of bytes.
    pub length: u32,
}

/// Why a scan stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The bytes end, perhaps within a frame, or there is no room for another span: go on with what is left.
    Partial,
    /// A header was read that states at least the limit; the scan has consumed it and none of its message.
    Long(u64),
    /// The stream cannot be read any further.
    Bad(BadHeader),
}

/// What a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The number of whole messages, whose spans were written.
    pub frames: usize,
    /// The number of bytes that belong to them (and to the header of a long one).
    pub consumed: usize,
    /// What follows.
    pub stop: Stop,
}

/// Finds the whole messages shorter than `limit` at the start of `bytes`, and writes where they lie to `spans`.
///
/// Only the first 4 GiB are looked at, as a span reaches no further.
pub fn scan(bytes: &[u8], limit: u64, spans: &mut [Span]) -> Scan {
    let bytes = &bytes[..bytes.len().min(u32::MAX as usize)];
    let mut consumed = 0;
    for (frames, span) in spans.iter_mut().enumerate() {
        let stop = match parse_header(&bytes[consumed..]) {
            Ok(Some((length, header))) if length >= limit => {
                consumed += header;
                Stop::Long(length)
            }
            Ok(Some((length, header))) if length <= (bytes.len() - consumed - header) as u64 => {
                *span = Span { offset: (consumed + header) as u32, length: length as u32 };
                consumed += header + length as usize;
                continue;
            }
            Ok(_) => Stop::Partial,
            Err(bad) => Stop::Bad(bad),
        };
        return Scan { frames, consumed, stop };
    }
    Scan { frames: spans.len(), consumed, stop: Stop::Partial }
}
