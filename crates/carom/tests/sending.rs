//! Sending, message by message and as an event loop does it.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Error, Wait, pipe};
use common::{SIXTEEN_MIB, fill, framed, pattern, soon, within_limit};
use std::io::{self, IoSlice};
use std::thread;
use std::time::{Duration, Instant};

fn is_broken_pipe<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe)
}

#[test]
fn a_send_that_timed_out_before_it_began_has_sent_nothing_and_a_begun_one_goes_on() {
    // Wine takes its time for each call: for the tens of thousands of small messages that fill a pipe, too long.
    let sizes: &[usize] = if cfg!(wine) { &[1000, 65_536, 1_000_000] } else { &[1, 1000, 65_536, 1_000_000] };
    for &size in sizes {
        within_limit(move || {
            let (mut ours, mut theirs) = pipe(true).unwrap();
            let accepted = fill(&mut ours, &vec![1; size]);
            let unsent = ours.unsent();
            assert!(unsent <= 4 + size, "no more than the last one is kept: {unsent}");
            let refused = ours.send(&vec![2; size], Wait::at_most(Duration::from_millis(20)));
            assert!(matches!(refused, Err(Error::TimedOut)));
            assert_eq!(ours.unsent(), unsent);
            let sender = thread::spawn(move || ours.send(b"last", Wait::Forever).unwrap());
            for _ in 0..accepted {
                assert!(theirs.recv(Wait::Forever).unwrap() == vec![1; size]);
            }
            assert_eq!(theirs.recv(Wait::Forever).unwrap(), b"last");
            sender.join().unwrap();
            assert!(matches!(theirs.recv(Wait::Forever), Err(Error::Ended)));
        });
    }
}

#[test]
fn a_send_that_times_out_waits_as_long_as_it_may() {
    let (mut ours, _theirs) = pipe(true).unwrap();
    fill(&mut ours, &[0; 100_000]);
    let begin = Instant::now();
    assert!(matches!(ours.send(b"more", Wait::at_most(Duration::from_millis(60))), Err(Error::TimedOut)));
    assert!(begin.elapsed() >= Duration::from_millis(60));
}

#[test]
fn nobody_there_to_read_is_a_broken_pipe() {
    let (mut ours, theirs) = pipe(true).unwrap();
    drop(theirs);
    for _ in 0..2 {
        assert!(is_broken_pipe(ours.send(b"lost", soon())));
        assert_eq!(ours.unsent(), 0);
    }
}

#[test]
fn a_send_that_waits_learns_that_the_reader_is_gone() {
    for duplex in [true, false] {
        let (reader, mut writer) = pipe(duplex).unwrap();
        fill(&mut writer, &[0; 300_000]);
        let sender = thread::spawn(move || {
            let result = writer.send(b"never", soon());
            (is_broken_pipe(result), writer.unsent())
        });
        thread::sleep(Duration::from_millis(30));
        drop(reader);
        assert_eq!(sender.join().unwrap(), (true, 0));
    }
}

#[test]
fn more_slices_than_a_system_call_takes_arrive_in_order() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let messages: Vec<Vec<u8>> = (0..3000u32).map(|number| number.to_be_bytes().to_vec()).collect();
    let frames: Vec<Vec<u8>> = messages.iter().map(|message| framed(message)).collect();
    let slices: Vec<IoSlice<'_>> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
    let receiver = thread::spawn(move || (0..3000).map(|_| theirs.recv(soon()).unwrap()).collect::<Vec<_>>());
    assert_eq!(ours.write(&slices, soon()).unwrap(), 0);
    assert_eq!(receiver.join().unwrap(), messages);
}

#[test]
fn what_a_write_could_not_send_is_kept_and_can_be_taken_back_while_none_of_it_has_left() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let accepted = fill(&mut ours, &[1; 100_000]);
    let unsent = ours.unsent();
    let (kept, dropped) = (framed(b"kept"), framed(b"dropped"));
    assert_eq!(ours.write(&[IoSlice::new(&kept)], Wait::No).unwrap(), unsent + kept.len());
    assert_eq!(ours.write(&[IoSlice::new(&dropped)], Wait::No).unwrap(), unsent + kept.len() + dropped.len());
    assert!(ours.retract(dropped.len()));
    assert!(!ours.retract(unsent + kept.len() + 1));
    assert_eq!(ours.unsent(), unsent + kept.len());
    let sender = thread::spawn(move || (ours.write(&[], soon()).unwrap(), ours));
    for _ in 0..accepted {
        assert!(theirs.recv(soon()).unwrap() == [1; 100_000]);
    }
    assert_eq!(theirs.recv(soon()).unwrap(), b"kept");
    let (unsent, ours) = sender.join().unwrap();
    assert_eq!(unsent, 0);
    drop(ours);
    assert!(matches!(theirs.recv(soon()), Err(Error::Ended)));
}

#[test]
fn a_message_pushed_in_parts_and_then_queued_arrives_whole() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let message = pattern(SIXTEEN_MIB);
    let begun = ours.push(&message, 0, Wait::No).unwrap();
    assert!(begun > 4 && begun < message.len());
    assert_eq!(ours.push(&message, begun, Wait::No).unwrap(), begun);
    // On Windows, what is on its way may not be in the pipe yet.
    let under_way = ours.unsent();
    assert!(cfg!(windows) || under_way == 0);
    ours.queue(&message, begun);
    assert_eq!(ours.unsent(), under_way + 4 + message.len() - begun);
    // It has not been begun while another waits, and is accepted whole.
    assert_eq!(ours.push(b"next", 0, Wait::No).unwrap(), 0);
    ours.queue(b"next", 0);
    let sender = thread::spawn(move || assert_eq!(ours.write(&[], soon()).unwrap(), 0));
    assert!(theirs.recv(soon()).unwrap() == message);
    assert_eq!(theirs.recv(soon()).unwrap(), b"next");
    sender.join().unwrap();
}

#[test]
fn a_push_with_time_sends_all_of_it() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let receiver = thread::spawn(move || (theirs.recv(soon()).unwrap(), theirs));
    let message = pattern(1_000_000);
    assert_eq!(ours.push(&message, 0, soon()).unwrap(), 4 + message.len());
    let (received, _theirs) = receiver.join().unwrap();
    assert!(received == message);
}

#[test]
fn ten_thousand_messages_accepted_without_waiting_all_arrive() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let mut unsent = 0;
    for number in 0..10_000u32 {
        unsent = ours.write(&[IoSlice::new(&framed(&number.to_be_bytes().repeat(50)))], Wait::No).unwrap();
    }
    assert!(unsent > 0, "the stream took two megabytes: this tests nothing");
    assert_eq!(unsent, ours.unsent());
    let sender = thread::spawn(move || assert_eq!(ours.write(&[], soon()).unwrap(), 0));
    for number in 0..10_000u32 {
        assert_eq!(theirs.recv(soon()).unwrap(), number.to_be_bytes().repeat(50));
    }
    sender.join().unwrap();
}
