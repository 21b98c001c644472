//! What arrives byte by byte, and how streams end: against a raw stream at the other end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::frame::{Header, Span};
use carom::{Connection, End, Error, LARGE, Wait};
use common::{Reader, adopt, ends, framed, pattern, soon, within_limit};
use nix::time::{ClockId, clock_gettime};
use rustix::net::sockopt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

fn tcp_ends() -> (Connection, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (adopt(listener.accept().unwrap().0), theirs)
}

/// Ends a TCP stream with a reset, not in order.
fn reset(stream: TcpStream) {
    sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

/// Receives in both ways, from one stream each that gives the same bytes and then ends.
fn received_in_both_ways(bytes: &[u8], check: impl Fn(&[Vec<u8>], &End)) {
    for in_batches in [false, true] {
        let (mut ours, mut theirs) = ends();
        theirs.write_all(bytes).unwrap();
        drop(theirs);
        let mut messages = Vec::new();
        if in_batches {
            let mut reader = Reader::new(8);
            while ours.end().is_none() {
                messages.extend(reader.read(&mut ours, soon()));
            }
        } else {
            messages.extend(std::iter::from_fn(|| ours.recv(soon()).ok()));
        }
        check(&messages, ours.end().unwrap());
    }
}

#[test]
fn a_stream_that_ends_between_messages_ends_clean() {
    received_in_both_ways(b"", |messages, end| assert!(messages.is_empty() && matches!(end, End::Eof(None))));
    received_in_both_ways(&framed(b"whole"), |messages, end| {
        assert_eq!(messages, [b"whole"]);
        assert!(matches!(end, End::Eof(None)));
    });
}

#[test]
fn a_stream_that_ends_inside_a_message_is_truncated() {
    let small = framed(b"small");
    let large = framed(&pattern(100_000));
    let long_header = Header::new(1 << 40);
    let partial = [&small[..1], &small[..3], &small[..4], &small[..8], &large[..4], &large[..5], &large[..99_999]];
    for part in partial.into_iter().chain([&long_header.as_bytes()[..11], long_header.as_bytes()]) {
        received_in_both_ways(&[&framed(b"whole"), part].concat(), |messages, end| {
            assert_eq!(messages, [b"whole"]);
            assert!(matches!(end, End::Truncated(None)), "{end:?}");
        });
    }
}

#[test]
fn a_bad_header_ends_receiving_after_what_came_before() {
    for bad in [&(-2i32).to_be_bytes()[..], &i32::MIN.to_be_bytes(), &[0xff; 12]] {
        received_in_both_ways(&[&framed(b"whole"), bad, &framed(b"never")].concat(), |messages, end| {
            assert_eq!(messages, [b"whole"]);
            assert!(matches!(end, End::Bad(_)), "{end:?}");
        });
    }
}

#[test]
fn a_header_alone_costs_no_memory() {
    // Whoever allocated as much could only fail.
    for length in [1 << 62, i64::MAX as u64] {
        let (mut ours, mut theirs) = ends();
        theirs.write_all(Header::new(length).as_bytes()).unwrap();
        theirs.write_all(b"begin").unwrap();
        assert!(matches!(ours.recv(Wait::at_most(Duration::from_millis(10))), Err(Error::TimedOut)));
        assert!(!ours.absorb());
        let (mut arena, mut spans) = (vec![0; 2 * LARGE as usize], [Span::default(); 8]);
        assert_eq!(ours.read_batch(&mut arena, &mut spans, soon()).unwrap().body, Some(length));
        let mut body = [0; 10];
        assert_eq!(ours.read_body(&mut body, Wait::No).unwrap(), 5);
        assert!(!ours.absorb());
        drop(theirs);
        assert_eq!(ours.read_body(&mut body[5..], soon()).unwrap(), 0);
        assert!(matches!(ours.end(), Some(End::Truncated(None))));
    }
}

#[test]
fn a_timeout_inside_a_message_loses_nothing() {
    for message in [b"in a hundred pieces".repeat(10), pattern(200_000)] {
        let (mut ours, mut theirs) = ends();
        let wire = framed(&message);
        let (mut one_by_one, mut tail) = (wire.chunks(wire.len().div_ceil(100)).collect::<Vec<_>>(), Vec::new());
        tail.extend(one_by_one.pop());
        for piece in one_by_one {
            theirs.write_all(piece).unwrap();
            assert!(matches!(ours.recv(Wait::at_most(Duration::from_micros(100))), Err(Error::TimedOut)));
        }
        assert!(!ours.poll(Wait::No).unwrap());
        theirs.write_all(tail[0]).unwrap();
        assert!(ours.poll(Wait::No).unwrap());
        assert!(ours.recv(Wait::No).unwrap() == message);
    }
}

#[test]
fn a_timeout_inside_a_message_loses_nothing_of_a_batch() {
    for message in [b"in a hundred pieces".repeat(10), pattern(200_000)] {
        let (mut ours, mut theirs) = ends();
        let mut reader = Reader::new(8);
        let wire = framed(&message);
        let pieces: Vec<&[u8]> = wire.chunks(wire.len().div_ceil(100)).collect();
        let (last, pieces) = pieces.split_last().unwrap();
        for piece in pieces {
            theirs.write_all(piece).unwrap();
            assert!(reader.read(&mut ours, Wait::at_most(Duration::from_micros(100))).is_empty());
        }
        theirs.write_all(last).unwrap();
        assert!(reader.read(&mut ours, Wait::No) == [message]);
    }
}

#[test]
fn a_receive_for_ever_takes_a_message_that_comes_in_pieces() {
    within_limit(|| {
        let (mut ours, mut theirs) = ends();
        let sender = thread::spawn(move || {
            for piece in framed(b"slowly").chunks(1) {
                theirs.write_all(piece).unwrap();
                thread::sleep(Duration::from_millis(2));
            }
            theirs
        });
        assert_eq!(ours.recv(Wait::Forever).unwrap(), b"slowly");
        drop(sender.join().unwrap());
        assert!(matches!(ours.recv(Wait::Forever), Err(Error::Ended)));
    });
}

#[test]
fn a_receive_whose_time_is_over_does_not_read_on_as_long_as_a_peer_sends() {
    let (mut ours, mut theirs) = ends();
    theirs.write_all(Header::new(1 << 62).as_bytes()).unwrap();
    theirs.write_all(&[0; 150_000]).unwrap();
    assert!(matches!(ours.recv(Wait::at_most(Duration::ZERO)), Err(Error::TimedOut)));
    let (descriptor, received) = ours.into_raw(&[]).unwrap();
    assert!(received.len() < 150_000, "it took all there was: {}", received.len());
    drop(Connection::from_raw(descriptor, received, true, true).unwrap());
}

#[test]
fn too_long_a_message_is_known_by_its_header() {
    for in_batches in [false, true] {
        let (ours, mut theirs) = ends();
        let mut ours = ours.with_max_length(1_000_000);
        theirs.write_all(Header::new(1_000_001).as_bytes()).unwrap();
        if in_batches {
            assert!(Reader::new(8).read(&mut ours, soon()).is_empty());
        } else {
            assert!(ours.poll(soon()).unwrap());
            assert!(matches!(ours.recv(Wait::No), Err(Error::Ended)));
        }
        assert!(matches!(ours.end(), Some(End::TooLong(1_000_001))));
    }
}

#[test]
fn whoever_waits_sleeps() {
    let cpu_time = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
    let wait = || Wait::at_most(Duration::from_millis(300));
    let begin = cpu_time();

    let (mut ours, theirs) = ends();
    assert!(matches!(ours.recv(wait()), Err(Error::TimedOut)));
    // The end of the other way is readable all the time,
    theirs.shutdown(Shutdown::Write).unwrap();
    assert!(matches!(ours.send(&[0; 1_000_000], wait()), Err(Error::TimedOut)));
    // and so are messages of which one was taken in.
    let (mut ours, mut theirs) = ends();
    theirs.write_all(&framed(&[0; 70_000]).repeat(2)).unwrap();
    assert!(matches!(ours.send(&[0; 1_000_000], wait()), Err(Error::TimedOut)));

    assert!(cpu_time() - begin < Duration::from_millis(150));
}

#[test]
fn a_peer_that_leaves_with_our_messages_unread_is_an_end_like_any_other() {
    for rest in [&b""[..], &[0, 0]] {
        let (mut ours, mut theirs) = ends();
        ours.send(b"unread", Wait::No).unwrap();
        theirs.write_all(&[&framed(b"last"), rest].concat()).unwrap();
        drop(theirs);
        assert_eq!(ours.recv(soon()).unwrap(), b"last");
        assert!(matches!(ours.recv(soon()), Err(Error::Ended)));
        match ours.end() {
            Some(End::Eof(_)) if rest.is_empty() => {}
            Some(End::Truncated(_)) if !rest.is_empty() => {}
            end => panic!("{end:?}"),
        }
    }
}

#[test]
fn a_send_to_a_peer_that_left_with_our_messages_unread_is_a_broken_pipe() {
    let (mut ours, theirs) = ends();
    ours.send(b"unread", Wait::No).unwrap();
    drop(theirs);
    for _ in 0..3 {
        let error = ours.send(b"lost", soon());
        assert!(matches!(&error, Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe), "{error:?}");
    }
}

#[test]
fn what_was_sent_before_a_close_arrives_although_the_peers_messages_are_unread() {
    let (mut ours, mut theirs) = ends();
    theirs.write_all(&framed(b"unread")).unwrap();
    ours.send(b"last", Wait::No).unwrap();
    drop(ours);
    let mut arrived = vec![0; 8];
    theirs.read_exact(&mut arrived).unwrap();
    assert_eq!(arrived, framed(b"last"));
}

#[test]
fn a_reset_of_tcp_is_an_error_between_messages_and_truncates_one() {
    let (mut ours, theirs) = tcp_ends();
    reset(theirs);
    assert!(matches!(ours.recv(soon()), Err(Error::Ended)));
    assert!(matches!(ours.end(), Some(End::Failed(error)) if error.kind() == io::ErrorKind::ConnectionReset));

    let (mut ours, mut theirs) = tcp_ends();
    theirs.write_all(&framed(b"message")[..7]).unwrap();
    assert!(matches!(ours.recv(Wait::at_most(Duration::from_millis(20))), Err(Error::TimedOut)));
    reset(theirs);
    assert!(matches!(ours.recv(soon()), Err(Error::Ended)));
    assert!(matches!(ours.end(), Some(End::Truncated(Some(error))) if error.kind() == io::ErrorKind::ConnectionReset));
}

#[test]
fn one_who_sends_no_more_may_still_receive() {
    let (mut ours, mut theirs) = ends();
    theirs.write_all(&framed(b"last")).unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    assert_eq!(ours.recv(soon()).unwrap(), b"last");
    assert!(matches!(ours.recv(soon()), Err(Error::Ended)));
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).unwrap();
        all
    });
    ours.send(&pattern(1_000_000), soon()).unwrap();
    drop(ours);
    assert!(reader.join().unwrap() == framed(&pattern(1_000_000)));
}

#[test]
fn a_stream_that_takes_little_at_a_time_gets_every_byte_in_order() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    sockopt::set_socket_send_buffer_size(&ours, 1).unwrap();
    let mut ours = adopt(ours);
    let sender = thread::spawn(move || {
        for size in [0, 1, 1000, 300_000] {
            ours.send(&pattern(size), soon()).unwrap();
        }
    });
    let mut all = Vec::new();
    let mut part = [0; 777];
    while let count @ 1.. = theirs.read(&mut part).unwrap() {
        all.extend_from_slice(&part[..count]);
    }
    sender.join().unwrap();
    assert!(all == [0, 1, 1000, 300_000].map(|size| framed(&pattern(size))).concat());
}
