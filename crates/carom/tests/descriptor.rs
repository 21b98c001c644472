//! Descriptors that others made, and how they are handed on.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Connection, Error, Wait};
use common::{Reader, adopt, ends, framed, pattern, soon, within_limit};
use rustix::fs::{OFlags, fcntl_getfl};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

#[test]
fn what_was_received_and_not_taken_goes_along() {
    let (mut ours, mut theirs) = ends();
    let wire = [framed(b"one"), framed(b""), framed(&pattern(100_000)), framed(b"four")].concat();
    let (now, later) = wire.split_at(50_000);
    theirs.write_all(now).unwrap();
    assert!(ours.poll(soon()).unwrap());
    let (descriptor, received) = ours.into_raw(&[]).unwrap();
    assert_eq!(received, now);
    let mut ours = Connection::from_raw(descriptor, received, true, true).unwrap();
    assert_eq!(ours.recv(Wait::No).unwrap(), b"one");
    assert_eq!(ours.recv(Wait::No).unwrap(), b"");
    assert!(matches!(ours.recv(Wait::No), Err(Error::TimedOut)));
    let (descriptor, received) = ours.into_raw(&[]).unwrap();
    let mut ours = Connection::from_raw(descriptor, received, true, true).unwrap();
    theirs.write_all(later).unwrap();
    let mut reader = Reader::new(8);
    assert!(reader.read(&mut ours, soon()) == [pattern(100_000), b"four".to_vec()]);
}

#[test]
fn a_large_message_that_was_read_in_part_goes_along() {
    let (mut ours, mut theirs) = ends();
    let wire = framed(&pattern(100_000));
    theirs.write_all(&wire[..70_000]).unwrap();
    let mut reader = Reader::new(8);
    assert!(reader.read(&mut ours, Wait::No).is_empty());
    let (_, taken) = reader.body.take().unwrap();
    let (descriptor, received) = ours.into_raw(&taken).unwrap();
    assert!(received == wire[..70_000]);
    let mut ours = Connection::from_raw(descriptor, received, true, true).unwrap();
    theirs.write_all(&wire[70_000..]).unwrap();
    assert!(ours.recv(soon()).unwrap() == pattern(100_000));
}

#[test]
fn more_than_a_batch_holds_can_go_along() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let messages: Vec<Vec<u8>> = (0..100).map(|number| vec![number; 3000]).collect();
    let received = messages.iter().flat_map(|message| framed(message)).collect();
    let mut ours = Connection::from_raw(ours.into_raw_fd(), received, true, true).unwrap();
    assert!(Reader::new(1000).read(&mut ours, Wait::No) == messages);
    drop(theirs);
}

#[test]
fn what_is_no_stream_is_refused_and_stays_open() {
    let file = File::open("/dev/null").unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    for descriptor in [file.as_raw_fd(), datagrams.as_raw_fd()] {
        let refused = Connection::from_raw(descriptor, Vec::new(), true, true).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
    assert!(file.metadata().is_ok() && datagrams.local_addr().is_ok());
    for closed in [-1, i32::MIN, i32::MAX] {
        let refused = Connection::from_raw(closed, Vec::new(), true, true).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(rustix::io::Errno::BADF.raw_os_error()));
    }
}

#[test]
fn an_end_of_a_pipe_goes_only_its_way() {
    let (reader, writer) = io::pipe().unwrap();
    let (reader, writer) = (adopt(reader), adopt(writer));
    assert!(reader.is_readable() && !reader.is_writable());
    assert!(!writer.is_readable() && writer.is_writable());
    let (socket, _theirs) = UnixStream::pair().unwrap();
    let socket = Connection::from_raw(socket.into_raw_fd(), Vec::new(), true, false).unwrap();
    assert!(socket.is_readable() && !socket.is_writable());
}

fn is_nonblocking(descriptor: impl AsFd) -> bool {
    fcntl_getfl(descriptor).unwrap().contains(OFlags::NONBLOCK)
}

#[test]
fn pipes_are_given_away_in_the_mode_in_which_they_came() {
    let (reader, writer): (PipeReader, PipeWriter) = io::pipe().unwrap();
    // Another descriptor of the same pipe sees its mode.
    let twin = reader.try_clone().unwrap();
    let mut connection = Connection::from_raw(reader.into_raw_fd(), Vec::new(), true, false).unwrap();
    assert!(is_nonblocking(&twin));
    assert!(matches!(connection.recv(Wait::No), Err(Error::TimedOut)));
    let (descriptor, received) = connection.into_raw(&[]).unwrap();
    assert!(!is_nonblocking(&twin) && received.is_empty());

    rustix::io::ioctl_fionbio(&twin, true).unwrap();
    let connection = Connection::from_raw(descriptor, received, true, false).unwrap();
    let (descriptor, received) = connection.into_raw(&[]).unwrap();
    assert!(is_nonblocking(&twin));
    drop((Connection::from_raw(descriptor, received, true, false).unwrap(), writer));
}

#[test]
fn the_mode_of_a_socket_is_left_alone_and_does_not_matter() {
    within_limit(|| {
        for nonblocking in [false, true] {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(nonblocking).unwrap();
            let twin = ours.try_clone().unwrap();
            let mut ours = adopt(ours);
            assert!(matches!(ours.recv(Wait::No), Err(Error::TimedOut)));
            let sender = thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                theirs.write_all(&framed(b"late")).unwrap();
                theirs
            });
            assert_eq!(ours.recv(Wait::Forever).unwrap(), b"late");
            assert_eq!(is_nonblocking(&twin), nonblocking);
            sender.join().unwrap();
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn no_child_process_inherits_a_connection() {
    let closes_on_exec = |descriptor: i32| {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
        i64::from_str_radix(flags, 8).unwrap() & 0o2_000_000 != 0
    };
    for duplex in [true, false] {
        let (first, second) = carom::pipe(duplex).unwrap();
        assert!(closes_on_exec(first.raw_descriptor()) && closes_on_exec(second.raw_descriptor()));
    }
    let (ours, _theirs) = UnixStream::pair().unwrap();
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::empty()).unwrap();
    assert!(!closes_on_exec(ours.as_raw_fd()));
    assert!(closes_on_exec(adopt(ours).raw_descriptor()));
}

#[test]
fn thousands_of_connections_opened_and_closed_leave_no_descriptor() {
    let highest = (0..3000).map(|number| {
        let (mut first, mut second) = carom::pipe(number % 2 == 0).unwrap();
        second.send(b"message", soon()).unwrap();
        first.recv(soon()).unwrap();
        let (descriptor, received) = first.into_raw(&[]).unwrap();
        drop(Connection::from_raw(descriptor, received, true, true).unwrap());
        assert!(second.send(b"lost", soon()).is_err());
        descriptor.max(second.raw_descriptor())
    });
    // The system gives the lowest number that is free.
    assert!(highest.max().unwrap() < 1000);
}
