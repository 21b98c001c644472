//! Descriptors that are only watched: those of others, and child processes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Descriptor, Interest, Poller, Wait};
use common::soon;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::time::Duration;

fn is_told(poller: &mut Poller, token: usize, wait: Wait) -> bool {
    poller.wait(wait).unwrap().any(|news| news.token == token && news.readable)
}

fn error_of(result: io::Result<Descriptor>) -> Option<Errno> {
    Errno::from_io_error(&result.unwrap_err())
}

#[test]
fn a_descriptor_is_readable_when_there_are_bytes_or_the_end() {
    let (mut reader, mut writer) = io::pipe().unwrap();
    let watched = Descriptor::of(reader.as_raw_fd()).unwrap();
    assert!(!watched.is_readable().unwrap());
    writer.write_all(b"!").unwrap();
    assert!(watched.is_readable().unwrap() && watched.is_readable().unwrap());
    reader.read_exact(&mut [0]).unwrap();
    assert!(!watched.is_readable().unwrap());
    drop(writer);
    assert!(watched.is_readable().unwrap());
}

#[test]
fn a_descriptor_that_its_owner_has_closed_is_watched_on() {
    let (reader, mut writer) = io::pipe().unwrap();
    let number = reader.as_raw_fd();
    let mut watched = Descriptor::of(number).unwrap();
    let mut poller = Poller::new().unwrap();
    poller.registry().unwrap().register(&mut watched, 1, Interest::Read).unwrap();
    drop(reader);
    assert!(!watched.is_readable().unwrap());
    // Whatever has its number now.
    let _other = File::open("/dev/null").unwrap();
    assert!(!watched.is_readable().unwrap() && !is_told(&mut poller, 1, Wait::No));
    writer.write_all(b"!").unwrap();
    assert!(watched.is_readable().unwrap() && is_told(&mut poller, 1, soon()));
    drop(watched);
    assert_eq!(writer.write_all(b"!").unwrap_err().kind(), io::ErrorKind::BrokenPipe, "there was no other reader");
}

#[test]
fn a_descriptor_is_not_closed_with_what_watches_it() {
    let (mut reader, mut writer) = io::pipe().unwrap();
    drop(Descriptor::of(reader.as_raw_fd()).unwrap());
    writer.write_all(b"!").unwrap();
    reader.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_file_can_always_be_read() {
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    assert!(Descriptor::of(file.as_raw_fd()).unwrap().is_readable().unwrap());
}

#[test]
fn what_is_not_open_is_refused() {
    for descriptor in [-1, i32::MIN, i32::MAX] {
        assert_eq!(error_of(Descriptor::of(descriptor)), Some(Errno::BADF));
    }
}

#[test]
fn a_poller_tells_of_descriptors_several_of_the_same_too() {
    let (reader, mut writer) = io::pipe().unwrap();
    let mut poller = Poller::new().unwrap();
    let registry = poller.registry().unwrap();
    let [mut first, mut second] = [0, 0].map(|_| Descriptor::of(reader.as_raw_fd()).unwrap());
    registry.register(&mut first, 1, Interest::Read).unwrap();
    registry.register(&mut second, 2, Interest::Read).unwrap();
    assert_eq!(poller.wait(Wait::at_most(Duration::from_millis(10))).unwrap().count(), 0);
    writer.write_all(b"!").unwrap();
    let mut told: Vec<_> = poller.wait(soon()).unwrap().map(|news| news.token).collect();
    told.sort_unstable();
    assert_eq!(told, [1, 2]);
    registry.deregister(&mut first).unwrap();
    registry.reregister(&mut second, 3, Interest::Read).unwrap();
    assert_eq!(poller.wait(soon()).unwrap().map(|news| news.token).collect::<Vec<_>>(), [3]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_is_readable_when_it_has_ended_and_until_it_is_reaped() {
    use std::process::{Command, Stdio};

    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let mut watched = Descriptor::of_process(child.id()).unwrap();
    let mut poller = Poller::new().unwrap();
    poller.registry().unwrap().register(&mut watched, 4, Interest::Read).unwrap();
    assert!(!watched.is_readable().unwrap());
    assert!(!is_told(&mut poller, 4, Wait::at_most(Duration::from_millis(20))));
    drop(child.stdin.take());
    assert!(is_told(&mut poller, 4, soon()));
    assert!(watched.is_readable().unwrap());
    // It was left to whoever started it.
    assert!(child.wait().unwrap().success());
    assert_eq!(error_of(Descriptor::of_process(child.id())), Some(Errno::SRCH));
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_cannot_be_is_refused() {
    for pid in [0, u32::MAX] {
        assert_eq!(error_of(Descriptor::of_process(pid)), Some(Errno::SRCH));
    }
    assert!(Descriptor::of_process(i32::MAX as u32).is_err());
}
