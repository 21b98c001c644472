//! The lines that a program serves as `bench/driver.mjs` does: `COUNT WHOLE` on standard input is a round of that many
//! messages (`WHOLE` 1: compare every byte), and its nanoseconds are the line that comes back. The end of standard input
//! ends it.

use std::io::{self, BufRead};
use std::time::Duration;

/// What the runner orders.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// How many messages.
    pub count: u64,
    /// Whether every byte of each is compared.
    pub whole: bool,
}

impl Round {
    fn parse(line: &str) -> Option<Self> {
        let (count, whole) = line.split_once(' ')?;
        Some(Self { count: count.parse().ok()?, whole: whole == "1" })
    }
}

/// Does each round that is ordered; `drive` says how long it took.
pub fn serve(mut drive: impl FnMut(Round) -> io::Result<Duration>) -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let round = Round::parse(&line?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a line is not of the form COUNT WHOLE"))?;
        println!("{}", drive(round)?.as_nanos());
    }
    Ok(())
}
