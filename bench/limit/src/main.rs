//! The limit: what two blocking processes reach over a bare Unix socketpair, with nothing in between.
//!
//! `limit roundtrip|oneway SIZE` starts a copy of itself as the other end. It then serves the runner of `bench/` as
//! `bench/driver.mjs` does: a line `COUNT WHOLE` on standard input is a round of that many messages (`WHOLE` 1: compare
//! every byte), and its nanoseconds are the line that comes back. Messages have no header, since their size is known;
//! each is one `write`. The end of standard input ends it.

#[cfg(unix)]
mod messages;
#[cfg(unix)]
mod pair;

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    pair::run(std::env::args().skip(1).collect())
}

#[cfg(not(unix))]
fn main() -> std::io::Result<()> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "this system has no socketpair"))
}
