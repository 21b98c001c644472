//! The permissions of a Unix socket's file, and when it has them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Connection, ListenOptions, Listener};
use common::{Scratch, SetOnDrop};
use rustix::fs::{Mode, OFlags};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Of the whole process, so that no test may want another: without a mode of its own, a file is open to everybody.
fn without_umask() {
    rustix::process::umask(Mode::empty());
}

/// Tries to connect until it can, or `over` says that it never will: the mode that the file has then.
fn mode_at_first_connect(path: &Path, over: &AtomicBool) -> Option<u32> {
    let to = SockAddr::unix(path).unwrap();
    // All that can be done before is: it takes no longer than to begin to change the mode.
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let file = loop {
        match rustix::fs::open(path, OFlags::PATH, Mode::empty()) {
            Ok(file) => break file,
            Err(_) if over.load(Ordering::Relaxed) => return None,
            Err(_) => {}
        }
    };
    while socket.connect(&to).is_err() {
        if over.load(Ordering::Relaxed) {
            return None;
        }
    }
    Some(rustix::fs::fstat(file).unwrap().st_mode & 0o777)
}

#[test]
fn a_file_has_its_permissions_before_anybody_can_connect() {
    without_umask();
    let scratch = Scratch::new();
    let options = ListenOptions { mode: Some(0o600), ..ListenOptions::default() };
    let mut seen = 0;
    for round in 0..2000 {
        let name = round.to_string();
        let path = scratch.path(&name);
        let (start, over) = (Barrier::new(2), AtomicBool::new(false));
        thread::scope(|scope| {
            let spy = scope.spawn(|| {
                start.wait();
                mode_at_first_connect(&path, &over)
            });
            let _over = SetOnDrop(&over);
            start.wait();
            // Only now: it has to be awake to see anything.
            thread::sleep(Duration::from_micros(100));
            let _listener = Listener::bind(&scratch.address(&name), &options).unwrap();
            thread::sleep(Duration::from_micros(100));
            over.store(true, Ordering::Relaxed);
            if let Some(mode) = spy.join().unwrap() {
                assert_eq!(mode, 0o600);
                seen += 1;
            }
        });
    }
    assert!(seen > 0, "nobody could connect");
}

#[test]
fn a_file_gets_the_mode_that_was_asked_for_or_is_as_the_process_makes_files() {
    without_umask();
    let scratch = Scratch::new();
    for (mode, expected) in [(None, 0o777), (Some(0o600), 0o600), (Some(0o666), 0o666)] {
        let options = ListenOptions { mode, ..ListenOptions::default() };
        let _listener = Listener::bind(&scratch.address("socket"), &options).unwrap();
        assert_eq!(fs::metadata(scratch.path("socket")).unwrap().mode() & 0o777, expected);
    }
}

#[test]
fn who_may_not_write_to_the_file_may_not_connect() {
    // Who may do everything, may.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let scratch = Scratch::new();
    let options = ListenOptions { mode: Some(0), ..ListenOptions::default() };
    let listener = Listener::bind(&scratch.address("socket"), &options).unwrap();
    assert_eq!(fs::metadata(scratch.path("socket")).unwrap().mode() & 0o777, 0);
    let refused = Connection::connect(listener.address()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}
