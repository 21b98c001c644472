//! Accepting when there are no descriptors left. The limit is the process's: this file has one test.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Connection, Wait};
use common::{Scratch, any_port, listen, soon};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::os::fd::AsRawFd;

#[test]
fn a_connection_for_which_there_is_no_descriptor_is_accepted_later() {
    let scratch = Scratch::new();
    let before = getrlimit(Resource::Nofile);
    for address in [scratch.address("socket"), any_port()] {
        let mut listener = listen(&address);
        assert!(listener.accept(Wait::No).unwrap().is_none());
        let mut ours = Connection::connect(listener.address()).unwrap();
        assert!(ours.finish_connect(soon()).unwrap());
        ours.send(b"patient", soon()).unwrap();
        listener.told();

        let first_free = File::open("/dev/null").unwrap().as_raw_fd() as u64;
        setrlimit(Resource::Nofile, Rlimit { current: Some(first_free), ..before }).unwrap();
        let waits = [Wait::UntilTold, Wait::UntilTold, Wait::No, soon(), Wait::Forever];
        let results = waits.map(|wait| listener.accept(wait).map(|_| ()));
        setrlimit(Resource::Nofile, before).unwrap();
        for result in results {
            assert_eq!(Errno::from_io_error(&result.unwrap_err()), Some(Errno::MFILE));
        }

        // Nothing more is told of it.
        let (mut theirs, _) = listener.accept(Wait::UntilTold).unwrap().unwrap();
        assert_eq!(theirs.recv(soon()).unwrap(), b"patient");
        assert!(listener.accept(Wait::UntilTold).unwrap().is_none());
    }
}
