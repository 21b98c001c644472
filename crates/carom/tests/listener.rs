//! Listening, accepting and connecting, wherever that is possible.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Address, Connection, Error, Interest, ListenOptions, Listener, Poller, Wait};
use common::{Scratch, any_port, connected, listen, soon, within_limit};
use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

/// One of each kind.
fn listeners(scratch: &Scratch) -> Vec<Listener> {
    let mut addresses = vec![scratch.address("socket"), any_port()];
    let six = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    // Not every machine has it.
    addresses.extend(TcpListener::bind(six).is_ok().then_some(Address::Inet(six)));
    addresses.extend(cfg!(target_os = "linux").then(|| Address::Local(format!("\0{}", common::unique_name()))));
    addresses.iter().map(listen).collect()
}

fn socket_address(address: &Address) -> SocketAddr {
    match address {
        Address::Inet(address) => *address,
        Address::Local(name) => panic!("{name:?} is not of the net"),
    }
}

/// What becomes of a connect in the end.
fn connect(address: &Address) -> Result<Connection, ErrorKind> {
    let connected = Connection::connect(address).and_then(|mut connection| {
        assert!(connection.finish_connect(soon())?);
        Ok(connection)
    });
    connected.map_err(|error| error.kind())
}

#[test]
fn messages_go_both_ways_between_what_connected_and_what_was_accepted() {
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        let (mut ours, mut theirs) = connected(&mut listener);
        ours.send(b"there", soon()).unwrap();
        theirs.send(b"back", soon()).unwrap();
        assert_eq!(theirs.recv(soon()).unwrap(), b"there");
        assert_eq!(ours.recv(soon()).unwrap(), b"back");
        drop(ours);
        assert!(matches!(theirs.recv(soon()), Err(Error::Ended)));
    }
}

#[test]
fn connections_are_accepted_in_their_order_and_live_on_without_the_listener() {
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        let mut pairs: Vec<_> = (0..4).map(|_| connected(&mut listener)).collect();
        assert!(listener.accept(Wait::No).unwrap().is_none());
        drop(listener);
        for (number, (ours, theirs)) in pairs.iter_mut().enumerate() {
            ours.send(&[number as u8], soon()).unwrap();
            assert_eq!(theirs.recv(soon()).unwrap(), [number as u8]);
        }
    }
}

#[test]
fn the_system_chooses_a_port_where_none_is_given() {
    let [first, second] = [listen(&any_port()), listen(&any_port())];
    let [first, second] = [socket_address(first.address()), socket_address(second.address())];
    assert!(first.port() != 0 && second.port() != 0 && first.port() != second.port());
    assert!(first.ip().is_loopback());
}

#[test]
fn the_ends_of_tcp_know_where_each_other_is() {
    let scratch = Scratch::new();
    for mut listener in
        listeners(&scratch).into_iter().filter(|listener| matches!(listener.address(), Address::Inet(_)))
    {
        let mut ours = Connection::connect(listener.address()).unwrap();
        let (theirs, peer) = listener.accept(soon()).unwrap().unwrap();
        assert!(ours.finish_connect(soon()).unwrap());
        assert_eq!(ours.peer_address().unwrap().as_ref(), Some(listener.address()));
        assert_eq!(theirs.local_address().unwrap().as_ref(), Some(listener.address()));
        assert_ne!(ours.local_address().unwrap(), ours.peer_address().unwrap());
        assert_eq!(ours.local_address().unwrap(), peer);
        assert_eq!(theirs.peer_address().unwrap(), peer);
    }
}

#[test]
fn only_the_listener_of_a_local_stream_has_a_name() {
    let scratch = Scratch::new();
    for mut listener in
        listeners(&scratch).into_iter().filter(|listener| matches!(listener.address(), Address::Local(_)))
    {
        let mut ours = Connection::connect(listener.address()).unwrap();
        let (theirs, peer) = listener.accept(soon()).unwrap().unwrap();
        assert!(ours.finish_connect(soon()).unwrap());
        assert_eq!(ours.peer_address().unwrap().as_ref(), Some(listener.address()));
        assert_eq!(theirs.local_address().unwrap().as_ref(), Some(listener.address()));
        assert_eq!([peer, ours.local_address().unwrap(), theirs.peer_address().unwrap()], [None, None, None]);
    }
}

#[test]
#[cfg_attr(
    wine,
    ignore = "Wine 8 lets anybody make further instances of a pipe: it has no FILE_FLAG_FIRST_PIPE_INSTANCE"
)]
fn an_address_that_is_taken_is_refused_and_works_on() {
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        let refused = Listener::bind(listener.address(), &ListenOptions::default()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse, "{}", listener.address());
        connected(&mut listener);
    }
}

#[test]
fn an_address_is_free_again_after_its_listener() {
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        let address = listener.address().clone();
        let (ours, theirs) = connected(&mut listener);
        // Of the one that closes first, TCP remembers the address for a while.
        drop(theirs);
        drop((listener, ours));
        connected(&mut listen(&address));
    }
}

#[test]
fn where_nobody_listens_a_connect_is_refused() {
    let gone = listen(&any_port()).address().clone();
    assert_eq!(connect(&gone).unwrap_err(), ErrorKind::ConnectionRefused);
    assert_eq!(connect(&Scratch::new().address("nothing")).unwrap_err(), ErrorKind::NotFound);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_too_long_is_refused() {
    let name = Scratch::new().address(&"long".repeat(100));
    assert!(connect(&name).is_err());
    let refused = Listener::bind(&name, &ListenOptions::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[test]
fn an_accept_waits_as_long_as_it_may() {
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        assert!(listener.accept(Wait::No).unwrap().is_none());
        let begin = Instant::now();
        assert!(listener.accept(Wait::at_most(Duration::from_millis(60))).unwrap().is_none());
        assert!(begin.elapsed() >= Duration::from_millis(60) && begin.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn an_accept_ends_when_somebody_connects() {
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        within_limit(move || {
            for wait in [Wait::Forever, soon()] {
                let address = listener.address().clone();
                let client = thread::spawn(move || {
                    thread::sleep(Duration::from_millis(30));
                    connect(&address).unwrap().send(b"late", soon()).unwrap();
                });
                let (mut theirs, _) = listener.accept(wait).unwrap().unwrap();
                assert_eq!(theirs.recv(soon()).unwrap(), b"late");
                client.join().unwrap();
            }
        });
    }
}

// Of the clients of a Windows pipe one waits, and is accepted only after the poller has told.
#[cfg(unix)]
#[test]
fn the_system_is_asked_only_after_it_was_told() {
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        let mut poller = Poller::new().unwrap();
        poller.registry().unwrap().register(&mut listener, 5, Interest::Read).unwrap();
        assert!(listener.accept(Wait::UntilTold).unwrap().is_none());
        let clients = [connect(listener.address()).unwrap(), connect(listener.address()).unwrap()];
        assert!(listener.accept(Wait::UntilTold).unwrap().is_none());
        let told = poller.wait(soon()).unwrap().filter(|news| news.token == 5).count();
        assert!(told > 0);
        listener.told();
        // One after the other, without being told again.
        for _ in &clients {
            assert!(listener.accept(Wait::UntilTold).unwrap().is_some());
        }
        assert!(listener.accept(Wait::UntilTold).unwrap().is_none());
    }
}

#[test]
fn a_poller_tells_of_those_who_connect() {
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        let mut poller = Poller::new().unwrap();
        let registry = poller.registry().unwrap();
        registry.register(&mut listener, 5, Interest::Read).unwrap();
        let told = |poller: &mut Poller, wait: Wait| poller.wait(wait).unwrap().any(|news| news.token == 5);
        assert!(!told(&mut poller, Wait::No));
        for _ in 0..3 {
            let mut ours = connect(listener.address()).unwrap();
            assert!(told(&mut poller, soon()));
            let (mut theirs, _) = listener.accept(Wait::No).unwrap().unwrap();
            assert!(listener.accept(Wait::No).unwrap().is_none());
            // What was accepted can be watched by the same poller, as another.
            registry.register(&mut theirs, 6, Interest::Read).unwrap();
            ours.send(b"message", soon()).unwrap();
            while !poller.wait(soon()).unwrap().any(|news| news.token == 6 && news.readable) {}
            assert_eq!(theirs.recv(Wait::No).unwrap(), b"message");
        }
        registry.deregister(&mut listener).unwrap();
        _ = told(&mut poller, Wait::No);
        let unheard = Connection::connect(listener.address()).unwrap();
        assert!(!told(&mut poller, Wait::at_most(Duration::from_millis(20))));
        drop(unheard);
    }
}

#[test]
fn a_poller_tells_when_a_connect_is_over() {
    let mut poller = Poller::new().unwrap();
    let registry = poller.registry().unwrap();
    let listener = listen(&any_port());
    let refusing = listen(&any_port()).address().clone();
    for (token, address) in [(1, listener.address()), (2, &refusing)] {
        let mut ours = Connection::connect(address).unwrap();
        registry.register(&mut ours, token, Interest::Write).unwrap();
        while !poller.wait(soon()).unwrap().any(|news| news.token == token && news.writable) {}
        match ours.finish_connect(Wait::UntilTold) {
            Ok(connected) => assert!(connected && token == 1),
            Err(error) => assert!(error.kind() == ErrorKind::ConnectionRefused && token == 2),
        }
    }
}

/// How many connect to a listener that accepts none of them.
#[cfg(target_os = "linux")]
fn fill(listener: &Listener) -> Vec<Connection> {
    let mut waiting = Vec::new();
    loop {
        match connect(listener.address()) {
            Ok(connection) => waiting.push(connection),
            Err(error) => {
                assert_eq!(error, ErrorKind::WouldBlock);
                return waiting;
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn as_many_as_the_backlog_allows_wait_to_be_accepted() {
    let scratch = Scratch::new();
    let bind = |backlog: u32| {
        let options = ListenOptions { backlog, ..ListenOptions::default() };
        Listener::bind(&scratch.address(&backlog.to_string()), &options).unwrap()
    };
    let (mut few, many) = (bind(2), bind(20));
    // Linux lets one more in.
    let (waiting, more) = (fill(&few), fill(&many));
    assert_eq!((waiting.len(), more.len()), (3, 21));

    assert!(few.accept(Wait::No).unwrap().is_some());
    let another = connect(few.address()).unwrap();
    assert_eq!(connect(few.address()).unwrap_err(), ErrorKind::WouldBlock);
    drop((waiting, another));
    let mut accepted = 0;
    while few.accept(Wait::No).unwrap().is_some() {
        accepted += 1;
    }
    assert_eq!(accepted, 3, "those who have gone again are there, too");
}

#[cfg(target_os = "linux")]
#[test]
fn a_tcp_connect_takes_until_the_backlog_has_room() {
    let options = ListenOptions { backlog: 1, ..ListenOptions::default() };
    let mut listener = Listener::bind(&any_port(), &options).unwrap();
    // Linux lets one more in.
    let waiting = [connect(listener.address()).unwrap(), connect(listener.address()).unwrap()];
    let mut late = Connection::connect(listener.address()).unwrap();
    let begin = Instant::now();
    assert!(!late.finish_connect(Wait::No).unwrap());
    assert!(!late.finish_connect(Wait::at_most(Duration::from_millis(60))).unwrap());
    assert!(begin.elapsed() >= Duration::from_millis(60));
    for _ in waiting {
        assert!(listener.accept(Wait::No).unwrap().is_some());
    }
    // It tries again a second later.
    assert!(late.finish_connect(soon()).unwrap());
    assert!(listener.accept(soon()).unwrap().is_some());
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_is_as_long_as_it_is() {
    let name = common::unique_name();
    let _listener = listen(&Address::Local(format!("\0{name}")));
    let table = std::fs::read_to_string("/proc/net/unix").unwrap();
    let names: Vec<_> = table.lines().filter_map(|line| line.split(' ').next_back()).collect();
    assert!(names.contains(&format!("@{name}").as_str()), "zero bytes after it would be shown as more of @");
    // Another name, although its beginning is the same.
    assert_eq!(connect(&Address::Local(format!("\0{name}\0"))).unwrap_err(), ErrorKind::ConnectionRefused);
}

#[cfg(target_os = "linux")]
#[test]
fn small_messages_do_not_wait_for_more_on_tcp() {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let (ours, theirs) = connected(&mut listen(&any_port()));
    let myself = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    for end in [ours, theirs] {
        let socket = pidfd_getfd(&myself, end.raw_descriptor(), PidfdGetfdFlags::empty()).unwrap();
        assert!(rustix::net::sockopt::tcp_nodelay(socket).unwrap());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_connected_and_what_was_accepted_blocks_and_is_not_inherited() {
    const NONBLOCK: i64 = 0o4_000;
    const CLOEXEC: i64 = 0o2_000_000;
    let flags = |descriptor: i32| {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
        i64::from_str_radix(flags, 8).unwrap() & (NONBLOCK | CLOEXEC)
    };
    let scratch = Scratch::new();
    for mut listener in listeners(&scratch) {
        let (ours, theirs) = connected(&mut listener);
        assert_eq!(flags(listener.raw_descriptor()), NONBLOCK | CLOEXEC);
        assert_eq!([flags(ours.raw_descriptor()), flags(theirs.raw_descriptor())], [CLOEXEC, CLOEXEC]);
    }
}
