//! Waiting for one socket, by a mio of its own.
//!
//! Not by `WSAPoll`: before version 2004 of Windows 10 it never tells that a connect has failed; and to whoever waits
//! for room it tells that the peer sends nothing more, again and again, as if there were room.

use crate::readiness::Interest;
use crate::sys::Ready;
use crate::wait::Wait;
use mio::net::TcpStream;
use mio::{Events, Poll, Token};
use socket2::SockRef;
use std::io;
use std::os::windows::io::AsSocket;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What waits for a socket, once somebody has to.
#[derive(Debug, Default)]
pub(super) struct Waiter(Mutex<Option<Watch>>);

#[derive(Debug)]
struct Watch {
    poll: Poll,
    events: Events,
    /// Another handle of the socket, as the first one may be registered with a [`Poller`](crate::Poller). Of a listener,
    /// too: it is only watched.
    socket: TcpStream,
}

impl Watch {
    fn new(socket: &impl AsSocket) -> io::Result<Watch> {
        let (poll, copy) = (Poll::new()?, SockRef::from(socket).try_clone()?);
        let mut socket = TcpStream::from_std(copy.into());
        poll.registry().register(&mut socket, Token(0), mio::Interest::READABLE)?;
        Ok(Watch { poll, events: Events::with_capacity(8), socket })
    }

    fn look(&mut self, interest: Interest, timeout: Option<Duration>) -> io::Result<Ready> {
        // What holds is told once for each time that it is asked for.
        self.poll.registry().reregister(&mut self.socket, Token(0), interest.into())?;
        self.poll.poll(&mut self.events, timeout)?;
        Ok(Ready {
            readable: interest != Interest::Write && self.events.iter().any(|event| event.is_readable()),
            writable: interest != Interest::Read && self.events.iter().any(|event| event.is_writable()),
        })
    }
}

impl Waiter {
    /// What the socket is ready for; waits for that at most so long, or less. Errors count as ready.
    pub(super) fn look(
        &self,
        socket: &impl AsSocket,
        interest: Interest,
        timeout: Option<Duration>,
    ) -> io::Result<Ready> {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = match &mut *watch {
            Some(watch) => watch,
            none => none.insert(Watch::new(socket)?),
        };
        watch.look(interest, timeout)
    }

    /// Waits until the socket is ready, or the time ran out.
    pub(super) fn wait(&self, socket: &impl AsSocket, interest: Interest, wait: Wait) -> io::Result<Ready> {
        while let Some(left) = wait.left() {
            let ready = self.look(socket, interest, left)?;
            if ready != Ready::default() {
                return Ok(ready);
            }
        }
        Ok(Ready::default())
    }
}
