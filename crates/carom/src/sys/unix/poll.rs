//! Readiness of many, by mio alone: all that it is asked for here is a descriptor.

use crate::readiness::Readiness;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

pub(crate) use mio::event::Source;
pub(crate) use mio::{Registry, Waker};

/// What waits, with the events that the last wait gave.
#[derive(Debug)]
pub(crate) struct Poll {
    poll: mio::Poll,
    events: mio::Events,
}

impl Poll {
    pub(crate) fn new(capacity: usize) -> io::Result<Poll> {
        Ok(Poll { poll: mio::Poll::new()?, events: mio::Events::with_capacity(capacity) })
    }

    pub(crate) fn registry(&self) -> io::Result<Registry> {
        self.poll.registry().try_clone()
    }

    pub(crate) fn poll(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.poll.poll(&mut self.events, timeout)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn news(&self) -> impl Iterator<Item = Readiness> + '_ {
        self.events.iter().map(Readiness::from)
    }
}

impl AsRawFd for Poll {
    fn as_raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }
}
