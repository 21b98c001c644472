//! How addresses are written, and looked up.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use carom::{Address, Wait, resolve};
use common::soon;
use std::net::SocketAddr;

#[test]
fn an_address_is_written_as_it_is_given() {
    for text in ["127.0.0.1:80", "[::1]:65535"] {
        assert_eq!(Address::Inet(text.parse().unwrap()).to_string(), text);
    }
    for text in ["/run/socket", "\0abstract", r"\\.\pipe\name"] {
        assert_eq!(Address::Local(text.into()).to_string(), text);
    }
}

#[test]
fn a_host_is_looked_up_with_or_without_a_limit() {
    for wait in [Wait::Forever, soon()] {
        let local = resolve("localhost", 80, wait).unwrap().unwrap();
        assert!(!local.is_empty() && local.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
        let expected: [SocketAddr; 1] = ["[::1]:7".parse().unwrap()];
        assert_eq!(resolve("::1", 7, wait).unwrap().unwrap(), expected);
        assert!(resolve("not a host", 1, wait).is_err());
    }
}
