//! Waiting for a child process without taking its end from whoever started it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use carom::{ExitStatus, Wait, wait_for_exit};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

fn shell(script: &str) -> Child {
    Command::new("sh").args(["-c", script]).spawn().unwrap()
}

fn waits() -> [Wait; 2] {
    [Wait::Forever, Wait::at_most(Duration::from_secs(30))]
}

#[test]
fn the_exit_code_is_told_and_left_for_the_parent() {
    for wait in waits() {
        let mut child = shell("sleep 0.05; exit 7");
        assert_eq!(wait_for_exit(child.id(), wait).unwrap(), Some(ExitStatus::Code(7)));
        // Again, although it has ended long since.
        assert_eq!(wait_for_exit(child.id(), Wait::No).unwrap(), Some(ExitStatus::Code(7)));
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }
}

#[test]
fn the_signal_is_told_and_left_for_the_parent() {
    for wait in waits() {
        let mut child = shell("kill -9 $$");
        assert_eq!(wait_for_exit(child.id(), wait).unwrap(), Some(ExitStatus::Signal(9)));
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }
}

#[test]
fn a_child_that_lives_on_is_waited_for_as_long_as_allowed() {
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let begin = Instant::now();
    assert_eq!(wait_for_exit(child.id(), Wait::No).unwrap(), None);
    assert_eq!(wait_for_exit(child.id(), Wait::at_most(Duration::from_millis(60))).unwrap(), None);
    assert!(begin.elapsed() >= Duration::from_millis(60) && begin.elapsed() < Duration::from_secs(10));

    let pid = child.id();
    let waiter = thread::spawn(move || wait_for_exit(pid, Wait::at_most(Duration::from_secs(30))).unwrap());
    thread::sleep(Duration::from_millis(20));
    child.kill().unwrap();
    assert_eq!(waiter.join().unwrap(), Some(ExitStatus::Signal(9)));
    assert!(begin.elapsed() < Duration::from_secs(10), "it waits no longer than the child lives");
    child.wait().unwrap();
}

#[test]
fn what_is_no_child_of_this_process_is_refused_at_once() {
    let mut child = shell("exit 0");
    child.wait().unwrap();
    let begin = Instant::now();
    for pid in [child.id(), std::process::id(), 0, u32::MAX] {
        for wait in [Wait::No, Wait::at_most(Duration::from_secs(30)), Wait::Forever] {
            let error = wait_for_exit(pid, wait).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::CHILD.raw_os_error()), "{pid}");
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(10));
}
