//! The poller: readiness is told once for each change, and what an event loop makes of it.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::frame::Span;
use carom::{Batch, Connection, End, Interest, LARGE, Poller, Readiness, Wait, pipe};
use common::{framed, pattern};
use std::io::IoSlice;
use std::thread;
use std::time::{Duration, Instant};

/// What is told within a moment, merged for each token.
fn told(poller: &mut Poller) -> Vec<Readiness> {
    told_within(poller, Duration::ZERO)
}

fn told_within(poller: &mut Poller, limit: Duration) -> Vec<Readiness> {
    poller.wait(Wait::at_most(limit)).unwrap().collect()
}

fn is_told_readable(poller: &mut Poller) -> bool {
    told(poller).iter().any(|news| news.readable)
}

/// Two ends, the first of which is registered as 7 and was found to have nothing.
fn watched(poller: &Poller) -> (Connection, Connection) {
    let (mut ours, theirs) = pipe(true).unwrap();
    poller.registry().unwrap().register(&mut ours, 7, Interest::Read).unwrap();
    assert!(batch(&mut ours).0.drained);
    (ours, theirs)
}

/// One batch, without asking the system unless the poller told so.
fn batch(connection: &mut Connection) -> (Batch, Vec<Vec<u8>>) {
    let (mut arena, mut spans) = (vec![0; 2 * LARGE as usize], [Span::default(); 8]);
    let batch = connection.read_batch(&mut arena, &mut spans, Wait::UntilTold).unwrap();
    let messages =
        spans[..batch.frames].iter().map(|span| arena[span.offset as usize..][..span.length as usize].to_vec());
    (batch, messages.collect())
}

fn fill(connection: &mut Connection) {
    while connection.write(&[IoSlice::new(&framed(&[0; 10_000]))], Wait::No).unwrap() == 0 {}
}

/// Takes in all that is there.
fn drain(connection: &mut Connection) {
    while connection.recv(Wait::No).is_ok() {}
}

#[test]
fn readiness_is_told_once_for_each_change() {
    let mut poller = Poller::new().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    assert!(told(&mut poller).is_empty());
    theirs.send(b"one", Wait::No).unwrap();
    let expected = Readiness { token: 7, readable: true, hangup: false, writable: false };
    assert_eq!(told_within(&mut poller, common::LIMIT), [expected]);
    assert!(told(&mut poller).is_empty(), "nothing has changed, although it is unread");
    drain(&mut ours);
    theirs.send(b"two", Wait::No).unwrap();
    assert_eq!(told_within(&mut poller, common::LIMIT), [expected]);
}

#[test]
fn a_look_finds_what_was_sent_before_it() {
    let mut poller = Poller::new().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    for round in 0..1_000 {
        theirs.send(b"one", Wait::No).unwrap();
        assert!(is_told_readable(&mut poller), "round {round}");
        drain(&mut ours);
    }
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let mut poller = Poller::new().unwrap();
    let begin = Instant::now();
    assert!(told_within(&mut poller, Duration::from_millis(60)).is_empty());
    assert!(begin.elapsed() >= Duration::from_millis(59));
}

#[test]
fn whoever_could_push_a_part_is_told_when_there_is_room_for_more() {
    for _ in 0..20 {
        let mut poller = Poller::new().unwrap();
        let (mut ours, mut theirs) = pipe(true).unwrap();
        poller.registry().unwrap().register(&mut ours, 7, Interest::ReadAndWrite).unwrap();
        let message = vec![1; 4 << 20];
        let reader = std::thread::spawn(move || theirs.recv(Wait::Forever).unwrap().len());
        let mut progress = ours.push(&message, 0, Wait::No).unwrap();
        while progress < 4 + message.len() {
            let news = told_within(&mut poller, common::LIMIT);
            assert!(news.iter().any(|news| news.writable), "{progress}");
            progress = ours.push(&message, progress, Wait::No).unwrap();
        }
        assert_eq!(reader.join().unwrap(), message.len());
    }
}

#[test]
fn the_system_is_asked_only_after_it_was_told() {
    let mut poller = Poller::new().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    theirs.send(b"one", Wait::No).unwrap();
    let (nothing, messages) = batch(&mut ours);
    assert!(nothing.drained && messages.is_empty());
    for news in told_within(&mut poller, common::LIMIT) {
        ours.told(news);
    }
    let (found, messages) = batch(&mut ours);
    assert!(found.drained);
    assert_eq!(messages, [b"one"]);
}

#[test]
fn what_one_batch_leaves_is_not_told_again_but_known() {
    let mut poller = Poller::new().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    for _ in 0..15 {
        theirs.send(&[1; 10_000], Wait::No).unwrap();
    }
    for news in told_within(&mut poller, common::LIMIT) {
        ours.told(news);
    }
    let mut count = 0;
    loop {
        let (found, messages) = batch(&mut ours);
        count += messages.len();
        if found.drained {
            break;
        }
        assert!(told(&mut poller).is_empty());
    }
    assert_eq!(count, 15);
}

#[test]
fn a_hangup_told_with_the_last_bytes_is_found_after_a_short_read() {
    let mut poller = Poller::new().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    theirs.send(b"last", Wait::No).unwrap();
    drop(theirs);
    for news in told_within(&mut poller, common::LIMIT) {
        ours.told(news);
    }
    let (found, messages) = batch(&mut ours);
    assert_eq!(messages, [b"last"]);
    if found.drained {
        // Then the end is told by itself.
        for news in told_within(&mut poller, common::LIMIT) {
            ours.told(news);
        }
    }
    assert!(batch(&mut ours).0.ended);
    assert!(matches!(ours.end(), Some(End::Eof(None))));
}

#[test]
fn a_hangup_inside_a_large_message_is_found() {
    let mut poller = Poller::new().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    let frame = framed(&pattern(100_000));
    theirs.write(&[IoSlice::new(&frame[..80_000])], Wait::No).unwrap();
    drop(theirs);
    for news in told_within(&mut poller, common::LIMIT) {
        ours.told(news);
    }
    assert_eq!(batch(&mut ours).0.body, Some(100_000));
    let mut body = vec![0; 100_000];
    assert_eq!(ours.read_body(&mut body, Wait::UntilTold).unwrap(), 80_000 - 4);
    if ours.end().is_none() {
        // Then the end is told by itself.
        for news in told_within(&mut poller, common::LIMIT) {
            ours.told(news);
        }
        assert_eq!(ours.read_body(&mut body[80_000 - 4..], Wait::UntilTold).unwrap(), 0);
    }
    assert!(matches!(ours.end(), Some(End::Truncated(None))));
    assert!(body[..80_000 - 4] == pattern(100_000)[..80_000 - 4]);
    assert!(batch(&mut ours).0.ended);
}

#[test]
fn a_large_message_is_read_on_when_more_of_it_is_told() {
    let mut poller = Poller::new().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    let frame = framed(&pattern(100_000));
    let mut body = vec![0; 100_000];
    let mut filled = 0;
    for (number, piece) in frame.chunks(30_000).enumerate() {
        theirs.write(&[IoSlice::new(piece)], Wait::No).unwrap();
        if number > 0 {
            let untold = ours.read_body(&mut body[filled..], Wait::UntilTold).unwrap();
            assert!(untold == 0, "it asked without being told");
        }
        for news in told_within(&mut poller, common::LIMIT) {
            ours.told(news);
        }
        if number == 0 {
            assert_eq!(batch(&mut ours).0.body, Some(100_000));
        }
        filled += ours.read_body(&mut body[filled..], Wait::UntilTold).unwrap();
    }
    assert_eq!(filled, 100_000);
    assert!(body == pattern(100_000));
}

#[test]
fn a_hangup_that_was_told_and_is_none_does_not_keep_a_read_busy() {
    let (mut ours, _theirs) = pipe(true).unwrap();
    ours.told(Readiness { token: 0, readable: true, hangup: true, writable: false });
    let found = common::within_limit(move || batch(&mut ours).0);
    assert!(found.drained);
}

#[test]
fn room_to_send_is_told_to_whoever_asks_for_it() {
    let mut poller = Poller::new().unwrap();
    let registry = poller.registry().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    fill(&mut ours);
    assert!(told(&mut poller).is_empty());
    registry.reregister(&mut ours, 8, Interest::ReadAndWrite).unwrap();
    assert!(told(&mut poller).is_empty(), "there is no room yet");
    drain(&mut theirs);
    let news = told_within(&mut poller, common::LIMIT);
    assert!(news.iter().any(|news| news.token == 8 && news.writable), "{news:?}");
    assert_eq!(ours.write(&[], Wait::No).unwrap(), 0);
}

#[test]
fn registering_anew_tells_again_what_is_unread() {
    let mut poller = Poller::new().unwrap();
    let registry = poller.registry().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    theirs.send(b"unread", Wait::No).unwrap();
    assert_eq!(told_within(&mut poller, common::LIMIT).len(), 1);
    assert!(!is_told_readable(&mut poller));
    registry.reregister(&mut ours, 7, Interest::Read).unwrap();
    assert!(is_told_readable(&mut poller));
}

#[test]
fn nothing_is_told_of_what_is_registered_no_more() {
    let mut poller = Poller::new().unwrap();
    let registry = poller.registry().unwrap();
    let (mut ours, mut theirs) = watched(&poller);
    registry.deregister(&mut ours).unwrap();
    theirs.send(b"unheard", Wait::No).unwrap();
    assert!(told_within(&mut poller, Duration::from_millis(20)).is_empty());
    registry.register(&mut ours, 9, Interest::Read).unwrap();
    assert!(told(&mut poller).iter().any(|news| news.token == 9 && news.readable));
}

#[test]
fn a_waker_ends_the_wait_of_another_thread() {
    let mut poller = Poller::new().unwrap();
    let waker = poller.registry().unwrap().waker(1).unwrap();
    let waiter = thread::spawn(move || {
        let news = told_within(&mut poller, common::LIMIT);
        (news, poller)
    });
    thread::sleep(Duration::from_millis(20));
    waker.wake().unwrap();
    let (news, mut poller) = waiter.join().unwrap();
    assert!(matches!(news[..], [Readiness { token: 1, readable: true, .. }]), "{news:?}");
    // One that comes early ends the next wait.
    waker.wake().unwrap();
    assert_eq!(told_within(&mut poller, common::LIMIT).len(), 1);
    assert!(told(&mut poller).is_empty());
}

#[test]
fn a_connection_can_be_registered_while_another_thread_waits() {
    let mut poller = Poller::new().unwrap();
    let registry = poller.registry().unwrap();
    let waiter = thread::spawn(move || told_within(&mut poller, common::LIMIT));
    thread::sleep(Duration::from_millis(20));
    let (mut ours, mut theirs) = pipe(true).unwrap();
    registry.register(&mut ours, 3, Interest::Read).unwrap();
    theirs.send(b"message", Wait::No).unwrap();
    assert_eq!(waiter.join().unwrap()[0].token, 3);
}

#[test]
fn of_many_connections_those_that_are_ready_are_told() {
    let mut poller = Poller::new().unwrap();
    let registry = poller.registry().unwrap();
    let mut pairs: Vec<_> = (0..100).map(|_| pipe(true).unwrap()).collect();
    for (token, (ours, _)) in pairs.iter_mut().enumerate() {
        registry.register(ours, token, Interest::Read).unwrap();
    }
    assert!(!is_told_readable(&mut poller));
    for round in 0..10 {
        let ready = [round, 37 + round, 99 - round];
        for token in ready {
            pairs[token].1.send(&[token as u8], Wait::No).unwrap();
        }
        let mut found = Vec::new();
        while found.len() < ready.len() {
            for news in told_within(&mut poller, common::LIMIT) {
                let ours = &mut pairs[news.token].0;
                ours.told(news);
                found.extend(batch(ours).1.into_iter().map(|message| (news.token, message)));
            }
        }
        found.sort_unstable();
        let mut expected = ready.map(|token| (token, vec![token as u8]));
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

#[cfg(unix)]
#[test]
fn another_event_loop_can_watch_the_poller() {
    use mio::unix::SourceFd;
    use std::os::fd::AsRawFd;

    let mut poller = Poller::new().unwrap();
    let (_ours, mut theirs) = watched(&poller);
    let (mut outer, mut events) = (mio::Poll::new().unwrap(), mio::Events::with_capacity(8));
    outer.registry().register(&mut SourceFd(&poller.as_raw_fd()), mio::Token(0), mio::Interest::READABLE).unwrap();
    outer.poll(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty());
    theirs.send(b"message", Wait::No).unwrap();
    outer.poll(&mut events, Some(common::LIMIT)).unwrap();
    assert!(!events.is_empty());
    assert!(is_told_readable(&mut poller));
}
