//! Which of many connections are ready.
//!
//! Readiness is told once for each change (edge-triggered): a connection that has told it stays ready until an
//! operation on it found nothing more to do.

use crate::connection::Connection;
use crate::descriptor::Descriptor;
use crate::listener::Listener;
use crate::spin::Spin;
use crate::sys;
use crate::wait::Wait;
use std::io;
use std::time::Duration;

/// The most news that one wait gives.
pub const MAX_NEWS: usize = 1024;

/// What to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Bytes to receive.
    Read,
    /// Bytes to receive, and room to send.
    ReadAndWrite,
    /// Room to send.
    Write,
}

impl From<Interest> for mio::Interest {
    fn from(interest: Interest) -> mio::Interest {
        match interest {
            Interest::Read => mio::Interest::READABLE,
            Interest::Write => mio::Interest::WRITABLE,
            Interest::ReadAndWrite => mio::Interest::READABLE | mio::Interest::WRITABLE,
        }
    }
}

/// One connection's news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The number that the connection was registered with.
    pub token: usize,
    /// There are bytes to receive, or the end of the stream.
    pub readable: bool,
    /// No more bytes will come than are there.
    pub hangup: bool,
    /// There is room to send, or the other end is gone.
    pub writable: bool,
}

impl From<&mio::event::Event> for Readiness {
    fn from(event: &mio::event::Event) -> Readiness {
        Readiness {
            token: event.token().0,
            readable: event.is_readable() || event.is_read_closed() || event.is_error(),
            hangup: event.is_read_closed() || event.is_error(),
            writable: event.is_writable() || event.is_write_closed() || event.is_error(),
        }
    }
}

impl std::ops::BitOrAssign for Readiness {
    /// Adds later news of the same connection.
    fn bitor_assign(&mut self, later: Readiness) {
        self.readable |= later.readable;
        self.hangup |= later.hangup;
        self.writable |= later.writable;
    }
}

/// What a [`Poller`] can tell of: a [`Connection`], a [`Listener`], a [`Descriptor`].
pub trait Source {
    #[doc(hidden)]
    fn event_source(&mut self) -> &mut dyn sys::Source;
}

impl Source for Connection {
    fn event_source(&mut self) -> &mut dyn sys::Source {
        self.stream_mut()
    }
}

impl Source for Listener {
    fn event_source(&mut self) -> &mut dyn sys::Source {
        self.acceptor_mut()
    }
}

impl Source for Descriptor {
    fn event_source(&mut self) -> &mut dyn sys::Source {
        self.watched_mut()
    }
}

/// The place where connections are registered; may be used while another thread waits.
#[derive(Debug)]
pub struct Registry(sys::Registry);

impl Registry {
    /// Starts telling of `source`, as `token`.
    pub fn register(&self, source: &mut dyn Source, token: usize, interest: Interest) -> io::Result<()> {
        self.0.register(source.event_source(), mio::Token(token), interest.into())
    }

    /// Changes what is told of.
    pub fn reregister(&self, source: &mut dyn Source, token: usize, interest: Interest) -> io::Result<()> {
        self.0.reregister(source.event_source(), mio::Token(token), interest.into())
    }

    /// Stops telling of `source`.
    pub fn deregister(&self, source: &mut dyn Source) -> io::Result<()> {
        self.0.deregister(source.event_source())
    }

    /// What ends another thread's wait: it is told of `token`, readable.
    pub fn waker(&self, token: usize) -> io::Result<Waker> {
        sys::Waker::new(&self.0, mio::Token(token)).map(Waker)
    }
}

/// Ends another thread's wait.
#[derive(Debug)]
pub struct Waker(sys::Waker);

impl Waker {
    /// Ends the wait that is under way, or the next one.
    pub fn wake(&self) -> io::Result<()> {
        self.0.wake()
    }
}

/// Waits for any of the registered connections.
#[derive(Debug)]
pub struct Poller {
    poll: sys::Poll,
    spin: Spin,
}

impl Poller {
    /// A poller without connections.
    pub fn new() -> io::Result<Poller> {
        Ok(Poller { poll: sys::Poll::new(MAX_NEWS)?, spin: Spin::default() })
    }

    /// Where to register connections.
    pub fn registry(&self) -> io::Result<Registry> {
        self.poll.registry().map(Registry)
    }

    /// Waits until something is ready, and gives the news, none when the time ran out or a signal arrived.
    pub fn wait(&mut self, wait: Wait) -> io::Result<impl Iterator<Item = Readiness> + '_> {
        self.poll(wait)?;
        Ok(self.poll.news())
    }

    /// The same for a thread that has nothing else to do: while waits are short, it looks again for a moment before
    /// it sleeps.
    pub fn wait_awake(&mut self, wait: Wait) -> io::Result<impl Iterator<Item = Readiness> + '_> {
        self.spin.begin(wait);
        loop {
            self.poll(if self.spin.is_active() { Wait::No } else { wait })?;
            if !self.poll.is_empty() || !self.spin.is_active() {
                break;
            }
            // Once more, blocking or not.
            self.spin.again(wait);
        }
        self.spin.end();
        Ok(self.poll.news())
    }

    fn poll(&mut self, wait: Wait) -> io::Result<()> {
        let timeout = wait.left().unwrap_or(Some(Duration::ZERO));
        match self.poll.poll(timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for Poller {
    /// Readable while there is news, so that another event loop can watch it.
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.poll.as_raw_fd()
    }
}
