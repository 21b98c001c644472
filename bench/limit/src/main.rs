//! The limit: what two blocking processes reach over a bare Unix socketpair, with nothing in between.
//!
//! `limit roundtrip|oneway SIZE` starts a copy of itself as the other end, and then serves the runner of `bench/` (see
//! [`limit::rounds`]). Messages have no header, since their size is known; each is one `write`.

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
