//! Readiness of many: sockets by mio, and objects of the system, which mio does not know, by the thread pool.
//!
//! The system's pool waits for any number of objects and calls back, which ends mio's wait. It calls when one of its
//! threads gets to it; a poll that does not wait looks at the objects itself, so that it misses nothing that is there.
//!
//! It is not mio that waits for pipes: it binds a pipe to a completion port for good and reads ahead into memory of its
//! own, so that a pipe that was used could neither be given away nor be waited for alone.

use super::objects::first_signalled;
use crate::readiness::Readiness;
use mio::{Interest, Token};
use std::collections::HashMap;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The token of what ends mio's wait, which is not told of.
const WAKER: Token = Token(usize::MAX - 1);

/// What a [`Poll`] can tell of.
pub trait Source {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()>;
    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()>;
    fn deregister(&mut self, registry: &Registry) -> io::Result<()>;
}

/// Where event sources are registered.
#[derive(Debug)]
pub struct Registry {
    pub(super) sockets: mio::Registry,
    told: Arc<Told>,
}

impl Registry {
    pub(crate) fn register(&self, source: &mut dyn Source, token: Token, interests: Interest) -> io::Result<()> {
        source.register(self, token, interests)
    }

    pub(crate) fn reregister(&self, source: &mut dyn Source, token: Token, interests: Interest) -> io::Result<()> {
        source.reregister(self, token, interests)
    }

    pub(crate) fn deregister(&self, source: &mut dyn Source) -> io::Result<()> {
        source.deregister(self)
    }

    pub(super) fn try_clone(&self) -> io::Result<Registry> {
        Ok(Registry { sockets: self.sockets.try_clone()?, told: Arc::clone(&self.told) })
    }

    /// What tells of `news` from any thread.
    pub(super) fn teller(&self, news: Readiness) -> Teller {
        Teller { told: Arc::clone(&self.told), number: self.told.lock_watched().next(), news }
    }
}

/// What was told and not given yet.
#[derive(Debug)]
struct Told {
    news: Mutex<Vec<Readiness>>,
    watched: Mutex<Watched>,
    waker: mio::Waker,
}

/// The objects that are waited for, by the numbers of those who tell of them.
#[derive(Debug, Default)]
struct Watched {
    objects: HashMap<usize, (Object, Readiness)>,
    last: usize,
}

/// The value of a handle, which is open while it is watched.
type Object = isize;

impl Watched {
    fn next(&mut self) -> usize {
        self.last += 1;
        self.last
    }

    /// No longer watches those that are signalled, and gives their news.
    fn take_signalled(&mut self) -> Vec<Readiness> {
        let (numbers, objects): (Vec<_>, Vec<_>) =
            self.objects.iter().map(|(number, watched)| (*number, watched.0)).unzip();
        let mut news = Vec::new();
        let mut from = 0;
        while let Some(found) = first_signalled(&objects[from..]) {
            news.extend(self.objects.remove(&numbers[from + found]).map(|(_, news)| news));
            from += found + 1;
        }
        news
    }
}

impl Told {
    fn lock(&self) -> MutexGuard<'_, Vec<Readiness>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a poll of one kind of news.
#[derive(Debug)]
pub(super) struct Teller {
    told: Arc<Told>,
    number: usize,
    news: Readiness,
}

impl Teller {
    /// Until the object is signalled, which `tell_of_object` or a poll tells of, or until `unwatch`. It stays open until
    /// then.
    pub(super) fn watch(&self, object: BorrowedHandle<'_>) {
        let watched = (object.as_raw_handle() as Object, self.news);
        self.told.lock_watched().objects.insert(self.number, watched);
    }

    pub(super) fn unwatch(&self) {
        self.told.lock_watched().objects.remove(&self.number);
    }

    /// The object was signalled; a poll may have seen that before.
    pub(super) fn tell_of_object(&self) {
        let mut watched = self.told.lock_watched();
        let Some((object, _)) = watched.objects.get(&self.number) else { return };
        // If not, it is watched for the next time already.
        if first_signalled(&[*object]).is_some() {
            watched.objects.remove(&self.number);
        }
        drop(watched);
        self.tell();
    }

    /// Takes back what was told of the same source and not given yet.
    pub(super) fn take_back(&self) {
        self.told.lock().retain(|news| news.token != self.news.token);
    }

    pub(super) fn tell(&self) {
        let mut news = self.told.lock();
        news.push(self.news);
        if news.len() == 1 {
            // It fails for want of memory only; then the next one is told together with this one.
            _ = self.told.waker.wake();
        }
    }
}

/// Ends another thread's wait, which is told of its token.
#[derive(Debug)]
pub(crate) struct Waker(Teller);

impl Waker {
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Waker> {
        Ok(Waker(registry.teller(Readiness { token: token.0, readable: true, hangup: false, writable: false })))
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        self.0.tell();
        Ok(())
    }
}

/// What waits, with the news that the last wait gave.
#[derive(Debug)]
pub(crate) struct Poll {
    poll: mio::Poll,
    events: mio::Events,
    told: Arc<Told>,
    capacity: usize,
    news: Vec<Readiness>,
}

impl Poll {
    pub(crate) fn new(capacity: usize) -> io::Result<Poll> {
        let poll = mio::Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKER)?;
        let told = Arc::new(Told { news: Mutex::default(), watched: Mutex::default(), waker });
        Ok(Poll { poll, events: mio::Events::with_capacity(capacity), told, capacity, news: Vec::new() })
    }

    pub(crate) fn registry(&self) -> io::Result<Registry> {
        Ok(Registry { sockets: self.poll.registry().try_clone()?, told: Arc::clone(&self.told) })
    }

    pub(crate) fn poll(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) {
            // Under its lock: who ends an alarm takes back what was told of it.
            let mut watched = self.told.lock_watched();
            self.told.lock().extend(watched.take_signalled());
        }
        // What did not fit the last time has woken nobody since.
        let timeout = if self.told.lock().is_empty() { timeout } else { Some(Duration::ZERO) };
        self.poll.poll(&mut self.events, timeout)?;
        self.news.clear();
        self.news.extend(self.events.iter().filter(|event| event.token() != WAKER).map(Readiness::from));
        let mut told = self.told.lock();
        let room = told.len().min(self.capacity - self.news.len());
        self.news.extend(told.drain(..room));
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.news.is_empty()
    }

    pub(crate) fn news(&self) -> impl Iterator<Item = Readiness> + '_ {
        self.news.iter().copied()
    }
}
