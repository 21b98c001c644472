//! The files of Unix sockets: whose they are, and when they go.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Address, Connection, ListenOptions, Listener, Wait};
use common::{Scratch, connected, listen, soon, within_limit};
use rustix::fs::FlockOperation;
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

fn address(path: &Path) -> Address {
    Address::Local(path.to_str().unwrap().to_owned())
}

fn replacing(path: &Path) -> io::Result<Listener> {
    Listener::bind(&address(path), &ListenOptions { replace_stale: true, ..ListenOptions::default() })
}

/// What a listener that was killed leaves behind.
fn leave_stale(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
}

fn is_in_use(result: io::Result<Listener>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::AddrInUse)
}

/// Whether somebody listens there, and is `listener`: others may have looked whether it is alive, too.
fn is_alive(listener: &mut Listener) -> bool {
    let Ok(mut ours) = Connection::connect(listener.address()) else { return false };
    ours.send(b"alive", Wait::No).unwrap();
    while let Some((mut theirs, _)) = listener.accept(Wait::No).unwrap() {
        if theirs.recv(Wait::No).is_ok_and(|message| message == b"alive") {
            return true;
        }
    }
    false
}

#[test]
fn a_file_goes_with_its_listener() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let listener = listen(&address(&path));
    assert!(path.exists());
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_file_goes_although_the_working_directory_is_another_one() {
    let scratch = Scratch::new();
    std::env::set_current_dir(scratch.path("")).unwrap();
    let mut listener = listen(&Address::Local("relative".into()));
    connected(&mut listener);
    std::env::set_current_dir("/").unwrap();
    assert!(scratch.path("relative").exists());
    drop(listener);
    assert!(!scratch.path("relative").exists());
}

#[test]
fn what_took_the_place_of_a_file_stays() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let listener = listen(&address(&path));
    fs::remove_file(&path).unwrap();
    fs::write(&path, "other").unwrap();
    drop(listener);
    assert_eq!(fs::read_to_string(&path).unwrap(), "other");

    let (path, moved) = (scratch.path("second"), scratch.path("moved"));
    let first = listen(&address(&path));
    fs::rename(&path, &moved).unwrap();
    let mut second = listen(&address(&path));
    drop(first);
    assert!(path.exists() && moved.exists());
    assert!(is_alive(&mut second));
}

#[test]
fn a_directory_that_is_the_listeners_own_goes_with_it() {
    let scratch = Scratch::new();
    for (owns_directory, other_file) in [(true, false), (true, true), (false, false)] {
        let directory = scratch.path("own");
        fs::create_dir(&directory).unwrap();
        let options = ListenOptions { owns_directory, ..ListenOptions::default() };
        let listener = Listener::bind(&address(&directory.join("socket")), &options).unwrap();
        if other_file {
            File::create(directory.join("other")).unwrap();
        }
        drop(listener);
        assert!(!directory.join("socket").exists());
        assert_eq!(directory.exists(), !owns_directory || other_file);
        _ = fs::remove_dir_all(directory);
    }
}

#[test]
fn a_file_on_which_nobody_accepts_is_refused_or_replaced() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    leave_stale(&path);
    let before = fs::metadata(&path).unwrap().ino();
    assert!(is_in_use(Listener::bind(&address(&path), &ListenOptions::default())));
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
    let refused = Connection::connect(&address(&path)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

    let mut listener = replacing(&path).unwrap();
    assert!(is_alive(&mut listener));
    drop(listener);
    assert!(!path.exists());
    assert!(is_alive(&mut replacing(&path).unwrap()), "there need be none");
}

#[test]
fn a_file_on_which_somebody_accepts_is_never_replaced() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let mut alive = listen(&address(&path));
    for _ in 0..3 {
        assert!(is_in_use(replacing(&path)));
        assert!(is_alive(&mut alive));
    }

    // Nor where it has no time to accept.
    let path = scratch.path("busy");
    let options = ListenOptions { backlog: 0, ..ListenOptions::default() };
    let mut busy = Listener::bind(&address(&path), &options).unwrap();
    while UnixStream::connect(&path).is_ok() && busy.accept(Wait::No).unwrap().is_none() {}
    let waiting: Vec<_> = std::iter::from_fn(|| Connection::connect(&address(&path)).ok()).collect();
    assert!(!waiting.is_empty());
    assert!(is_in_use(replacing(&path)));
    while busy.accept(Wait::No).unwrap().is_some() {}
    assert!(is_alive(&mut busy));
}

#[test]
fn what_is_not_a_socket_is_never_replaced() {
    let scratch = Scratch::new();
    let [file, directory, link, dangling, stale] =
        ["file", "directory", "link", "dangling", "stale"].map(|name| scratch.path(name));
    fs::write(&file, "content").unwrap();
    fs::create_dir(&directory).unwrap();
    leave_stale(&stale);
    symlink(&stale, &link).unwrap();
    symlink(scratch.path("nothing"), &dangling).unwrap();
    for path in [&file, &directory, &link, &dangling] {
        assert!(is_in_use(replacing(path)), "{path:?}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "content");
    assert!(directory.is_dir() && link.is_symlink() && dangling.is_symlink() && stale.exists());
    let missing = replacing(&scratch.path("missing/socket")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[test]
fn of_those_who_replace_a_file_at_once_one_wins() {
    const RIVALS: usize = 4;
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    for _ in 0..20 {
        leave_stale(&path);
        let start = Barrier::new(RIVALS);
        let results: Vec<_> = thread::scope(|scope| {
            let rival = || {
                start.wait();
                replacing(&path)
            };
            let rivals: Vec<_> = (0..RIVALS).map(|_| scope.spawn(rival)).collect();
            rivals.into_iter().map(|rival| rival.join().unwrap()).collect()
        });
        let (mut won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(is_alive(won[0].as_mut().unwrap()));
        assert!(lost.into_iter().all(is_in_use));
    }
}

#[test]
fn a_socket_that_does_not_listen_yet_is_not_taken_for_stale() {
    let scratch = Scratch::new();
    // When this thread has to wait for the processor, the round shows nothing.
    for round in 0..20 {
        let path = scratch.path(&round.to_string());
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        let (begin, start) = (Instant::now(), Barrier::new(2));
        let (result, listening) = thread::scope(|scope| {
            let rival = scope.spawn(|| {
                start.wait();
                replacing(&path)
            });
            start.wait();
            thread::sleep(Duration::from_millis(2));
            socket.listen(8).unwrap();
            let listening = begin.elapsed();
            (rival.join().unwrap(), listening)
        });
        if listening < Duration::from_millis(8) {
            assert!(is_in_use(result));
            assert!(UnixStream::connect(&path).is_ok());
            return;
        }
    }
    panic!("the machine is too slow for this");
}

#[test]
fn a_file_is_not_replaced_while_somebody_else_does() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    leave_stale(&path);
    let directory = File::open(scratch.path("")).unwrap();
    rustix::fs::flock(&directory, FlockOperation::LockExclusive).unwrap();
    let begin = Instant::now();
    let rival = path.clone();
    assert!(is_in_use(within_limit(move || replacing(&rival))));
    assert!(begin.elapsed() >= Duration::from_millis(900) && begin.elapsed() < Duration::from_secs(20));
    let unlock = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        drop(directory);
    });
    assert!(is_alive(&mut replacing(&path).unwrap()));
    unlock.join().unwrap();
}

#[test]
fn a_peer_that_has_a_name_is_known_by_it() {
    let scratch = Scratch::new();
    let mut listener = listen(&scratch.address("socket"));
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(scratch.path("client")).unwrap()).unwrap();
    socket.connect(&SockAddr::unix(scratch.path("socket")).unwrap()).unwrap();
    let (theirs, peer) = listener.accept(soon()).unwrap().unwrap();
    assert_eq!(peer, Some(scratch.address("client")));
    assert_eq!(theirs.peer_address().unwrap(), peer);
}
