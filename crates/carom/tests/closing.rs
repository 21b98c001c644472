//! How TCP is closed without taking back what was sent: by telling the other end first, and dropping what comes.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Connection, Discarded, Error, Wait, pipe};
use common::{any_port, connected, framed, listen, pattern, soon, within_limit};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// More than the other end's system takes in.
const LENGTH: usize = 500_000;

/// A TCP connection that has sent a message, and has unread bytes; the other end, which has not received all of it.
fn unread() -> (Connection, TcpStream) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.set_recv_buffer_size(4096).unwrap();
    listener.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).unwrap();
    listener.listen(1).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let mut ours = Connection::connect(&carom::Address::Inet(address)).unwrap();
    let mut theirs = TcpStream::from(listener.accept().unwrap().0);
    assert!(ours.finish_connect(soon()).unwrap());
    ours.send(&pattern(LENGTH), Wait::No).unwrap();
    theirs.write_all(&framed(b"unread")).unwrap();
    // Until it is there.
    assert!(ours.poll(soon()).unwrap());
    theirs.write_all(&framed(b"unread, too")).unwrap();
    thread::sleep(Duration::from_millis(20));
    (ours, theirs)
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_sent_is_lost_when_it_is_closed_with_bytes_unread() {
    let (ours, mut theirs) = unread();
    assert!(ours.resets());
    drop(ours);
    let mut received = Vec::new();
    let reset = theirs.read_to_end(&mut received).unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(received.len() < LENGTH);
}

#[test]
fn what_was_sent_arrives_when_it_is_finished_first() {
    let (mut ours, mut theirs) = unread();
    assert!(ours.resets());
    ours.finish().unwrap();
    let reader = thread::spawn(move || {
        let mut received = Vec::new();
        theirs.read_to_end(&mut received).map(|_| received)
    });
    within_limit(move || while ours.discard() != Discarded::ToTheEnd {});
    assert!(reader.join().unwrap().unwrap() == framed(&pattern(LENGTH)));
}

#[test]
fn the_other_end_of_what_is_finished_can_still_send() {
    let (mut ours, mut theirs) = connected(&mut listen(&any_port()));
    ours.send(b"last", soon()).unwrap();
    ours.finish().unwrap();
    assert_eq!(theirs.recv(soon()).unwrap(), b"last");
    assert!(matches!(theirs.recv(soon()), Err(Error::Ended)));
    theirs.send(b"answer", soon()).unwrap();
    assert_eq!(ours.recv(soon()).unwrap(), b"answer");
    assert!(ours.send(b"more", soon()).is_err());
}

#[test]
fn only_an_open_tcp_stream_resets() {
    let (mut ours, theirs) = connected(&mut listen(&any_port()));
    assert!(ours.resets() && theirs.resets());
    drop(theirs);
    assert!(matches!(ours.recv(soon()), Err(Error::Ended)));
    assert!(!ours.resets(), "there is nothing more to come");

    for duplex in [true, false] {
        let (first, second) = pipe(duplex).unwrap();
        assert!(!first.resets() && !second.resets());
    }
}

#[test]
fn what_is_discarded_is_gone() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    assert_eq!(ours.discard(), Discarded::AllThatIsThere);
    theirs.send(b"dropped", soon()).unwrap();
    assert_eq!(ours.discard(), Discarded::AllThatIsThere);
    assert!(!ours.poll(Wait::No).unwrap());
    theirs.send(b"dropped, too", soon()).unwrap();
    drop(theirs);
    assert_eq!(ours.discard(), Discarded::ToTheEnd);
}

#[test]
fn a_peer_that_never_stops_sending_does_not_hold_what_discards() {
    let (mut ours, mut theirs) = pipe(true).unwrap();
    let sender = thread::spawn(move || while theirs.send(&[0; 60_000], Wait::Forever).is_ok() {});
    within_limit(move || while ours.discard() != Discarded::Some {});
    sender.join().unwrap();
}
