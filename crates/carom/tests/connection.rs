//! Connections through the public API alone: what holds on every platform.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::frame::{Header, Span};
use carom::{Connection, End, Error, LARGE, Wait, pipe};
use common::{Reader, SIXTEEN_MIB, SIZES, fill, framed, pattern, soon, within_limit};
use std::io::IoSlice;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn messages_of_every_size_arrive_whole_and_in_order() {
    within_limit(|| {
        let (mut ours, mut theirs) = pipe(true).unwrap();
        let sizes = || SIZES.into_iter().chain([SIXTEEN_MIB, 3]);
        let sender = thread::spawn(move || {
            for size in sizes() {
                ours.send(&pattern(size), Wait::Forever).unwrap();
            }
        });
        for size in sizes() {
            assert!(theirs.recv(Wait::Forever).unwrap() == pattern(size), "{size}");
        }
        sender.join().unwrap();
        assert!(matches!(theirs.recv(Wait::Forever), Err(Error::Ended)));
    });
}

#[test]
fn messages_of_every_size_arrive_in_batches_too() {
    within_limit(|| {
        let (mut ours, mut theirs) = pipe(true).unwrap();
        let expected: Vec<Vec<u8>> = SIZES.into_iter().chain([SIXTEEN_MIB, 3]).map(pattern).collect();
        let messages = expected.clone();
        let sender = thread::spawn(move || messages.iter().for_each(|message| ours.send(message, soon()).unwrap()));
        let mut reader = Reader::new(3);
        let mut received = Vec::new();
        while theirs.end().is_none() {
            received.extend(reader.read(&mut theirs, Wait::Forever));
        }
        sender.join().unwrap();
        assert!(received == expected);
        assert!(matches!(theirs.end(), Some(End::Eof(None))));
    });
}

#[test]
fn sixteen_mib_both_ways_at_once_do_not_wait_for_each_other() {
    within_limit(|| {
        let exchange = |mut end: Connection| {
            move || {
                end.send(&pattern(SIXTEEN_MIB), Wait::Forever).unwrap();
                end.recv(Wait::Forever).unwrap()
            }
        };
        let (ours, theirs) = pipe(true).unwrap();
        let other = thread::spawn(exchange(theirs));
        assert!(exchange(ours)() == pattern(SIXTEEN_MIB));
        assert!(other.join().unwrap() == pattern(SIXTEEN_MIB));
    });
}

#[test]
fn sixteen_mib_both_ways_at_once_in_frames_of_a_batch_do_not_wait_either() {
    within_limit(|| {
        let exchange = |mut end: Connection| {
            move || {
                assert_eq!(end.write(&[IoSlice::new(&framed(&pattern(SIXTEEN_MIB)))], Wait::Forever).unwrap(), 0);
                let mut reader = Reader::new(8);
                std::iter::repeat_with(|| reader.read(&mut end, Wait::Forever)).find(|found| !found.is_empty()).unwrap()
            }
        };
        let (ours, theirs) = pipe(true).unwrap();
        let other = thread::spawn(exchange(theirs));
        assert!(exchange(ours)() == [pattern(SIXTEEN_MIB)]);
        assert!(other.join().unwrap() == [pattern(SIXTEEN_MIB)]);
    });
}

#[test]
fn a_receive_waits_as_long_as_it_may() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    assert!(matches!(ours.recv(Wait::No), Err(Error::TimedOut)));
    assert!(!ours.poll(Wait::No).unwrap());
    let begin = Instant::now();
    assert!(matches!(ours.recv(Wait::at_most(Duration::from_millis(60))), Err(Error::TimedOut)));
    assert!(begin.elapsed() >= Duration::from_millis(60));
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        theirs.send(b"late", Wait::No).unwrap();
        theirs
    });
    assert!(ours.poll(soon()).unwrap());
    assert_eq!(ours.recv(Wait::No).unwrap(), b"late");
    drop(late.join().unwrap());
}

#[test]
fn a_wait_beyond_what_clocks_can_tell_is_one_for_ever() {
    assert_eq!(Wait::at_most(Duration::MAX), Wait::Forever);
}

#[test]
fn a_batch_waits_as_long_as_it_may() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let mut reader = Reader::new(8);
    let begin = Instant::now();
    assert!(reader.read(&mut ours, Wait::at_most(Duration::from_millis(60))).is_empty());
    assert!(begin.elapsed() >= Duration::from_millis(60));
    theirs.send(b"there", Wait::No).unwrap();
    assert_eq!(reader.read(&mut ours, soon()), [b"there"]);
}

#[test]
fn the_end_comes_after_what_was_sent_and_stays() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    theirs.send(b"one", Wait::No).unwrap();
    theirs.send(b"", Wait::No).unwrap();
    drop(theirs);
    assert_eq!(ours.recv(soon()).unwrap(), b"one");
    assert!(ours.end().is_none());
    assert_eq!(ours.recv(soon()).unwrap(), b"");
    for _ in 0..2 {
        assert!(ours.poll(Wait::No).unwrap());
        assert!(matches!(ours.recv(soon()), Err(Error::Ended)));
        assert!(matches!(ours.end(), Some(End::Eof(None))));
    }
    assert!(ours.is_readable());
}

#[test]
fn a_receive_that_waits_learns_that_the_writer_is_gone() {
    for (duplex, wait) in [(true, Wait::Forever), (true, soon()), (false, Wait::Forever), (false, soon())] {
        let (mut reader, writer) = pipe(duplex).unwrap();
        let receiver = thread::spawn(move || matches!(reader.recv(wait), Err(Error::Ended)));
        thread::sleep(Duration::from_millis(30));
        drop(writer);
        assert!(within_limit(|| receiver.join().unwrap()));
    }
}

#[test]
fn a_one_way_pipe_goes_one_way() {
    let (mut reader, mut writer) = pipe(false).unwrap();
    assert!(reader.is_readable() && !reader.is_writable() && !writer.is_readable() && writer.is_writable());
    assert!(matches!(reader.send(b"no", Wait::No), Err(Error::Direction)));
    assert!(matches!(writer.recv(Wait::No), Err(Error::Direction)));
    assert!(matches!(writer.poll(Wait::No), Err(Error::Direction)));
    assert!(matches!(reader.recv(Wait::No), Err(Error::TimedOut)));
    let big = pattern(SIXTEEN_MIB);
    let sender = thread::spawn(move || {
        writer.send(b"small", Wait::Forever).unwrap();
        writer.send(&pattern(SIXTEEN_MIB), Wait::Forever).unwrap();
    });
    assert_eq!(reader.recv(soon()).unwrap(), b"small");
    assert!(reader.recv(soon()).unwrap() == big);
    sender.join().unwrap();
    assert!(matches!(reader.recv(soon()), Err(Error::Ended)));
    assert!(matches!(reader.end(), Some(End::Eof(None))));
}

#[test]
fn a_message_of_the_longest_length_is_taken_and_a_longer_one_ends_receiving() {
    for (longest, in_batches) in [(10, false), (10, true), (100_000, false), (100_000, true)] {
        let (mut ours, theirs) = pipe(true).unwrap();
        let mut theirs = theirs.with_max_length(longest as u64);
        let mut reader = Reader::new(8);
        let mut receive = |end: &mut Connection| {
            if in_batches { reader.read(end, soon()).pop() } else { end.recv(soon()).ok() }
        };
        ours.send(&pattern(longest), Wait::No).unwrap();
        assert!(receive(&mut theirs) == Some(pattern(longest)));
        ours.send(&pattern(longest + 1), Wait::No).unwrap();
        ours.send(b"after", Wait::No).unwrap();
        for _ in 0..2 {
            assert_eq!(receive(&mut theirs), None);
            assert!(matches!(theirs.end(), Some(End::TooLong(length)) if *length == longest as u64 + 1));
            assert!(!theirs.is_readable());
        }
        theirs.send(b"still sends", Wait::No).unwrap();
        assert_eq!(ours.recv(soon()).unwrap(), b"still sends");
    }
}

#[test]
fn a_batch_gives_what_it_has_room_for_and_says_that_there_is_more() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let frames: Vec<u8> = (0..7u8).flat_map(|number| framed(&[number])).collect();
    assert_eq!(theirs.write(&[IoSlice::new(&frames)], Wait::No).unwrap(), 0);
    let (mut arena, mut spans) = (vec![0; 2 * LARGE as usize], [Span::default(); 3]);
    let mut received = Vec::new();
    loop {
        // An event loop reads again only while there is more, and asks the system only when it was told.
        let batch = ours.read_batch(&mut arena, &mut spans, Wait::UntilTold).unwrap();
        received.extend(spans[..batch.frames].iter().map(|span| arena[span.offset as usize]));
        if batch.drained {
            break;
        }
    }
    assert_eq!(received, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn absorbing_takes_one_message_and_no_more() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let sender = thread::spawn(move || {
        theirs.send(&pattern(300_000), soon()).unwrap();
        theirs
    });
    let begin = Instant::now();
    while !ours.absorb() {
        assert!(begin.elapsed() < common::LIMIT);
        thread::yield_now();
    }
    let mut theirs = sender.join().unwrap();
    fill(&mut theirs, &[2; 100_000]);
    let unsent = theirs.unsent();
    // What follows stays in the system, where it holds the other end back.
    for _ in 0..100 {
        assert!(ours.absorb());
    }
    assert_eq!(theirs.write(&[], Wait::No).unwrap(), unsent);
    assert!(ours.recv(Wait::No).unwrap() == pattern(300_000));
    assert!(ours.recv(Wait::No).unwrap() == [2; 100_000]);
}

#[test]
fn what_was_absorbed_is_there_for_a_batch() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    theirs.send(b"one", Wait::No).unwrap();
    theirs.send(&pattern(70_000), Wait::No).unwrap();
    assert!(ours.absorb());
    let mut reader = Reader::new(8);
    assert_eq!(reader.read(&mut ours, Wait::No), [b"one".to_vec(), pattern(70_000)]);
    drop(theirs);
    assert!(ours.absorb());
    assert!(matches!(ours.end(), Some(End::Eof(None))));
}

#[test]
fn a_read_beyond_the_end_of_a_message_stops_there() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    theirs.send(&pattern(LARGE as usize), Wait::No).unwrap();
    theirs.send(b"next", Wait::No).unwrap();
    let (mut arena, mut spans) = (vec![0; 2 * LARGE as usize], [Span::default(); 3]);
    assert_eq!(ours.read_batch(&mut arena, &mut spans, soon()).unwrap().body, Some(LARGE));
    let mut target = vec![0; 2 * LARGE as usize];
    let read = within_limit(move || (ours.read_body(&mut target, Wait::Forever).unwrap(), ours, target));
    let (count, mut ours, target) = read;
    assert_eq!(count, LARGE as usize);
    assert!(target[..count] == pattern(count));
    assert_eq!(ours.read_body(&mut [0; 4], Wait::Forever).unwrap(), 0);
    let batch = ours.read_batch(&mut arena, &mut spans, soon()).unwrap();
    assert_eq!((batch.frames, &arena[4..batch.bytes]), (1, &b"next"[..]));
}

#[test]
#[should_panic(expected = "a batch needs room")]
fn a_batch_without_room_for_a_message_is_refused() {
    let (mut ours, _theirs) = pipe(true).unwrap();
    _ = ours.read_batch(&mut vec![0; 2 * LARGE as usize], &mut [], Wait::No);
}

#[test]
fn errors_say_what_happened_and_repeat_nothing_that_a_peer_sent() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    assert_eq!(Header::new(4).as_bytes().len(), 4);
    theirs.write(&[IoSlice::new(b"\xffecret")], Wait::No).unwrap();
    assert_eq!(ours.recv(soon()).unwrap_err().to_string(), "nothing more can be received");
    assert_eq!(ours.end().unwrap().to_string(), "a header states no valid length");
}
