//! Signals that arrive during a wait neither end it nor change what it gives.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Connection, Error, Wait};
use common::{Scratch, SetOnDrop, any_port, framed, listen, pattern, soon};
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use std::io::{Read, Write};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Does something while signals rain down on its thread.
fn under_signals<T>(work: impl FnOnce() -> T) -> T {
    signal_hook::flag::register(signal_hook::consts::SIGUSR2, Arc::default()).unwrap();
    let (target, over) = (pthread_self(), AtomicBool::new(false));
    thread::scope(|scope| {
        let _over = SetOnDrop(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                pthread_kill(target, Signal::SIGUSR2).unwrap();
                thread::sleep(Duration::from_micros(500));
            }
        });
        work()
    })
}

/// Two ends, of which a signal ends ours' blocking calls: elsewhere the system would begin them anew by itself.
fn ends() -> (Connection, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    (Connection::from_raw(ours.into_raw_fd(), Vec::new(), true, true).unwrap(), theirs)
}

#[test]
fn a_receive_goes_on_after_a_signal() {
    for wait in [Wait::Forever, soon()] {
        let (mut ours, mut theirs) = ends();
        let sender = thread::spawn(move || {
            for piece in framed(b"message").chunks(3) {
                thread::sleep(Duration::from_millis(20));
                theirs.write_all(piece).unwrap();
            }
            theirs
        });
        assert_eq!(under_signals(|| ours.recv(wait).unwrap()), b"message");
        sender.join().unwrap();
    }
}

#[test]
fn a_receive_with_a_limit_keeps_to_it_under_signals() {
    let (mut ours, _theirs) = ends();
    let begin = Instant::now();
    let received = under_signals(|| ours.recv(Wait::at_most(Duration::from_millis(60))));
    assert!(matches!(received, Err(Error::TimedOut)));
    assert!(begin.elapsed() >= Duration::from_millis(60) && begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_send_goes_on_after_a_signal() {
    let (mut ours, mut theirs) = ends();
    let message = pattern(1_000_000);
    let expected = framed(&message);
    let reader = thread::spawn(move || {
        let mut all = vec![0; expected.len()];
        for part in all.chunks_mut(100_000) {
            thread::sleep(Duration::from_millis(5));
            theirs.read_exact(part).unwrap();
        }
        all == expected
    });
    under_signals(|| ours.send(&message, Wait::Forever).unwrap());
    assert!(reader.join().unwrap());
}

#[test]
fn a_wait_for_a_process_goes_on_after_a_signal() {
    for wait in [Wait::Forever, soon()] {
        let mut child = Command::new("sleep").arg("0.1").spawn().unwrap();
        let status = under_signals(|| carom::wait_for_exit(child.id(), wait).unwrap());
        assert_eq!(status, Some(carom::ExitStatus::Code(0)));
        child.wait().unwrap();
    }
}

#[test]
fn a_poller_tells_of_a_signal_by_telling_nothing() {
    let mut poller = carom::Poller::new().unwrap();
    let begin = Instant::now();
    let told = under_signals(|| poller.wait(Wait::at_most(Duration::from_secs(30))).unwrap().count());
    assert_eq!(told, 0);
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_accept_goes_on_after_a_signal() {
    let scratch = Scratch::new();
    for address in [scratch.address("socket"), any_port()] {
        let mut listener = listen(&address);
        for wait in [Wait::Forever, soon()] {
            let address = listener.address().clone();
            let client = thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                Connection::connect(&address).unwrap()
            });
            assert!(under_signals(|| listener.accept(wait)).unwrap().is_some());
            client.join().unwrap();
        }
        let begin = Instant::now();
        assert!(under_signals(|| listener.accept(Wait::at_most(Duration::from_millis(60)))).unwrap().is_none());
        assert!(begin.elapsed() >= Duration::from_millis(60) && begin.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn a_connect_is_not_ended_by_signals() {
    let scratch = Scratch::new();
    for address in [scratch.address("socket"), any_port()] {
        let mut listener = listen(&address);
        under_signals(|| {
            for _ in 0..50 {
                let mut ours = Connection::connect(listener.address()).unwrap();
                assert!(ours.finish_connect(soon()).unwrap());
                assert!(listener.accept(Wait::Forever).unwrap().is_some());
            }
        });
    }
}
