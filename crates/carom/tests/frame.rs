//! The codec: against CPython's own bytes, and whatever way they arrive.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::frame::{BadHeader, Header, Span, Stop, parse_header, scan};
use common::framed;
use proptest::prelude::*;

/// Recorded from CPython 3.13.0, `multiprocessing.connection`.
const HEADERS: [(u64, &str); 9] = [
    (0, "00000000"),
    (1, "00000001"),
    (16_384, "00004000"),
    (16_385, "00004001"),
    (65_536, "00010000"),
    (2_147_483_647, "7fffffff"),
    (2_147_483_648, "ffffffff0000000080000000"),
    (4_294_967_296, "ffffffff0000000100000000"),
    (1_099_511_627_776, "ffffffff0000010000000000"),
];
const BAD_HEADERS: [(&str, i128); 4] = [
    ("fffffffe", -2),
    ("80000000", -2_147_483_648),
    ("ffffffff8000000000000000", 1 << 63),
    ("ffffffffffffffffffffffff", (1 << 64) - 1),
];
const FRAMES: [(&[u8], &str); 3] =
    [(b"", "00000000"), (b"\0", "0000000100"), (b"hello world", "0000000b68656c6c6f20776f726c64")];

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn bytes_at(bytes: &[u8], span: Span) -> &[u8] {
    &bytes[span.offset as usize..][..span.length as usize]
}

#[test]
fn headers_are_those_of_cpython() {
    for (length, hex) in HEADERS {
        let bytes = from_hex(hex);
        assert_eq!(Header::new(length).as_bytes(), bytes, "{length}");
        assert_eq!(parse_header(&bytes), Ok(Some((length, bytes.len()))), "{length}");
    }
}

#[test]
fn frames_are_those_of_cpython() {
    for (message, hex) in FRAMES {
        let wire = from_hex(hex);
        assert_eq!(framed(message), wire);
        let mut spans = [Span::default()];
        let found = scan(&wire, u64::MAX, &mut spans);
        assert_eq!((found.frames, found.consumed, found.stop), (1, wire.len(), Stop::Partial));
        assert_eq!(bytes_at(&wire, spans[0]), message);
    }
    let all_bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(framed(&all_bytes), [from_hex("00000100"), all_bytes].concat());
}

#[test]
fn invalid_lengths_are_refused() {
    for (hex, stated) in BAD_HEADERS {
        let bytes = from_hex(hex);
        assert_eq!(parse_header(&bytes), Err(BadHeader { stated }), "{hex}");
        assert_eq!(scan(&bytes, u64::MAX, &mut [Span::default()]).stop, Stop::Bad(BadHeader { stated }), "{hex}");
    }
}

#[test]
fn the_longest_valid_length_is_taken_and_a_short_one_in_the_long_form_too() {
    assert_eq!(parse_header(&from_hex("ffffffff7fffffffffffffff")), Ok(Some((i64::MAX as u64, 12))));
    let wire = from_hex("ffffffff000000000000000568656c6c6f");
    assert_eq!(parse_header(&wire), Ok(Some((5, 12))));
    let mut spans = [Span::default()];
    let found = scan(&wire, u64::MAX, &mut spans);
    assert_eq!((found.frames, found.consumed, bytes_at(&wire, spans[0])), (1, wire.len(), &b"hello"[..]));
}

#[test]
fn a_scan_stops_after_the_header_of_a_long_message() {
    let wire = [framed(b"before"), framed(&[7; 100]), framed(b"after")].concat();
    let mut spans = [Span::default(); 3];
    let found = scan(&wire, 100, &mut spans);
    assert_eq!((found.frames, found.consumed, found.stop), (1, 10 + 4, Stop::Long(100)));
    assert_eq!(scan(&wire, 101, &mut spans).frames, 3);
}

#[test]
fn a_scan_stops_before_a_bad_header() {
    let wire = [framed(b"before"), from_hex("fffffffe"), framed(b"after")].concat();
    let found = scan(&wire, u64::MAX, &mut [Span::default(); 3]);
    assert_eq!((found.frames, found.consumed, found.stop), (1, 10, Stop::Bad(BadHeader { stated: -2 })));
}

/// Some messages, and where their bytes are cut into reads.
fn messages_and_cuts() -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<prop::sample::Index>)> {
    let message = prop::collection::vec(any::<u8>(), 0..40);
    (prop::collection::vec(message, 0..20), prop::collection::vec(any::<prop::sample::Index>(), 0..20))
}

/// `wire` cut into pieces, of which some may be empty.
fn pieces<'a>(wire: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).chain([0, wire.len()]).collect();
    at.sort_unstable();
    at.windows(2).map(|ends| &wire[ends[0]..ends[1]]).collect()
}

proptest! {
    #[test]
    fn any_length_survives_its_header(length in 0..=i64::MAX as u64, follow in any::<[u8; 3]>()) {
        let header = Header::new(length);
        let size = header.as_bytes().len();
        prop_assert_eq!(size, if length > i32::MAX as u64 { 12 } else { 4 });
        let wire = [header.as_bytes(), &follow].concat();
        prop_assert_eq!(parse_header(&wire), Ok(Some((length, size))));
        for partial in 0..size {
            prop_assert_eq!(parse_header(&wire[..partial]), Ok(None));
        }
    }

    #[test]
    fn any_split_of_any_messages_gives_the_same_messages(
        (messages, cuts) in messages_and_cuts(),
        table in 1usize..5,
    ) {
        let wire: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
        let mut waiting = Vec::new();
        let mut received = Vec::new();
        for piece in pieces(&wire, &cuts) {
            waiting.extend_from_slice(piece);
            let mut spans = vec![Span::default(); table];
            loop {
                let found = scan(&waiting, u64::MAX, &mut spans);
                prop_assert_eq!(found.stop, Stop::Partial);
                received.extend(spans[..found.frames].iter().map(|span| bytes_at(&waiting, *span).to_vec()));
                waiting.drain(..found.consumed);
                if found.frames < table {
                    break;
                }
            }
        }
        prop_assert!(waiting.is_empty());
        prop_assert_eq!(received, messages);
    }

    #[test]
    fn any_bytes_at_all_give_spans_within_them(
        bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(0xff), any::<u8>()], 0..200),
        limit in prop_oneof![0u64..100, any::<u64>()],
    ) {
        let mut spans = [Span::default(); 8];
        let found = scan(&bytes, limit, &mut spans);
        let mut end = 0;
        for span in &spans[..found.frames] {
            prop_assert!(u64::from(span.length) < limit);
            prop_assert!(span.offset as usize >= end + 4);
            end = span.offset as usize + span.length as usize;
        }
        prop_assert!(end <= found.consumed && found.consumed <= bytes.len());
    }
}

/// The same through a connection, whose other end is written to byte by byte, piece by piece.
#[cfg(unix)]
mod connection {
    use super::common::{Reader, ends, framed, pattern};
    use super::pieces;
    use carom::{Error, Wait};
    use proptest::prelude::*;
    use std::io::Write;

    /// Short ones, and some around the border to those that are read by themselves.
    fn lengths() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(prop_oneof![3 => 0usize..50, 1 => 65_500usize..65_600, 1 => 0usize..150_000], 0..8)
    }

    /// A different one for each place, so that none can stand for another.
    fn messages(lengths: &[usize]) -> Vec<Vec<u8>> {
        let message = |(at, length): (usize, &usize)| pattern(length + at)[at..].to_vec();
        lengths.iter().enumerate().map(message).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_split_gives_the_same_messages_one_by_one(
            lengths in lengths(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let (mut ours, mut theirs) = ends();
            let messages = messages(&lengths);
            let wire: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
            let mut received = Vec::new();
            for piece in pieces(&wire, &cuts) {
                for part in piece.chunks(50_000) {
                    theirs.write_all(part).unwrap();
                    loop {
                        match ours.recv(Wait::No) {
                            Ok(message) => received.push(message),
                            Err(Error::TimedOut) => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            }
            prop_assert!(received == messages);
        }

        #[test]
        fn any_split_gives_the_same_messages_in_batches(
            lengths in lengths(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            table in 1usize..5,
        ) {
            let (mut ours, mut theirs) = ends();
            let messages = messages(&lengths);
            let wire: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
            let mut reader = Reader::new(table);
            let mut received = Vec::new();
            for piece in pieces(&wire, &cuts) {
                for part in piece.chunks(50_000) {
                    theirs.write_all(part).unwrap();
                    received.extend(reader.read(&mut ours, Wait::No));
                }
            }
            prop_assert!(received == messages);
        }
    }
}
