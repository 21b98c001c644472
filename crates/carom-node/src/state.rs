//! What one JavaScript environment has open: connections, listeners, and what is only watched.

use crate::memory::Memory;
use carom::{Connection, Descriptor, Interest, Listener, Readiness, Registry, Source};
use slab::Slab;
use std::io;

/// What a slot stands for.
pub(crate) enum Kind {
    Connection(Connection),
    Listener(Listener),
    Descriptor(Descriptor),
}

impl Kind {
    fn source(&mut self) -> &mut dyn Source {
        match self {
            Kind::Connection(connection) => connection,
            Kind::Listener(listener) => listener,
            Kind::Descriptor(descriptor) => descriptor,
        }
    }

    fn is_readable(&self) -> bool {
        match self {
            Kind::Connection(connection) => connection.is_readable(),
            _ => true,
        }
    }

    fn told(&mut self, news: Readiness) {
        match self {
            Kind::Connection(connection) => connection.told(news),
            Kind::Listener(listener) => listener.told(),
            Kind::Descriptor(_) => {}
        }
    }
}

/// What a slot stands for, and what the reactor tells of it.
struct Entry {
    kind: Kind,
    watched: Option<Interest>,
    /// Others may have its descriptor, too.
    shared: bool,
}

/// All that the calls of one environment work on.
pub(crate) struct State {
    entries: Slab<Entry>,
    pub(crate) memory: Memory,
    registry: Registry,
    /// How many entries the reactor tells of.
    watched: usize,
    /// The connection that was read last, and empty, so that JavaScript may wait for it; until something is told.
    parked: Option<u32>,
}

impl State {
    pub(crate) fn new(memory: Memory, registry: Registry) -> State {
        State { entries: Slab::new(), memory, registry, watched: 0, parked: None }
    }

    /// A connection that JavaScript has not closed yet, and the memory that it reads into and writes from.
    pub(crate) fn connection(&mut self, slot: u32) -> io::Result<(&mut Connection, &mut Memory)> {
        match self.entries.get_mut(slot as usize) {
            Some(Entry { kind: Kind::Connection(connection), .. }) => Ok((connection, &mut self.memory)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A listener that JavaScript has not closed yet.
    pub(crate) fn listener(&mut self, slot: u32) -> io::Result<&mut Listener> {
        match self.entries.get_mut(slot as usize) {
            Some(Entry { kind: Kind::Listener(listener), .. }) => Ok(listener),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What is watched and JavaScript has not closed yet.
    pub(crate) fn descriptor(&mut self, slot: u32) -> io::Result<&mut Descriptor> {
        match self.entries.get_mut(slot as usize) {
            Some(Entry { kind: Kind::Descriptor(descriptor), .. }) => Ok(descriptor),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Makes the reactor tell of bytes to receive, and of room to send; without `for_room`, of that as before.
    pub(crate) fn watch(&mut self, slot: u32, for_room: Option<bool>) -> io::Result<()> {
        let slot = slot as usize;
        let entry = self.entries.get_mut(slot).ok_or(io::ErrorKind::NotFound)?;
        let for_room = for_room.unwrap_or(matches!(entry.watched, Some(Interest::Write | Interest::ReadAndWrite)));
        let wanted = match (entry.kind.is_readable(), for_room) {
            (true, true) => Some(Interest::ReadAndWrite),
            (true, false) => Some(Interest::Read),
            (false, true) => Some(Interest::Write),
            (false, false) => None,
        };
        self.tell_of(slot, wanted)
    }

    /// Makes the reactor tell of what comes on a connection from which nobody receives any more.
    pub(crate) fn watch_end(&mut self, slot: u32) -> io::Result<()> {
        self.tell_of(slot as usize, Some(Interest::Read))
    }

    fn tell_of(&mut self, slot: usize, wanted: Option<Interest>) -> io::Result<()> {
        let entry = self.entries.get_mut(slot).ok_or(io::ErrorKind::NotFound)?;
        if entry.watched == wanted {
            return Ok(());
        }
        match (entry.watched, wanted) {
            (None, Some(interest)) => self.registry.register(entry.kind.source(), slot, interest)?,
            (Some(_), Some(interest)) => self.registry.reregister(entry.kind.source(), slot, interest)?,
            (_, None) => self.registry.deregister(entry.kind.source())?,
        }
        self.watched = self.watched + usize::from(wanted.is_some()) - usize::from(entry.watched.is_some());
        entry.watched = wanted;
        Ok(())
    }

    /// JavaScript may wait for this connection to become readable, or for none that is known.
    pub(crate) fn park(&mut self, slot: Option<u32>) {
        self.parked = slot;
    }

    /// The only connection of which anything can be told, if JavaScript may wait for it: when there is news, it is this.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only the loop reactor asks"))]
    pub(crate) fn only_waiter(&self) -> Option<Readiness> {
        let slot = self.parked.filter(|_| self.watched == 1)? as usize;
        let entry = self.entries.get(slot)?;
        (entry.watched == Some(Interest::Read)).then_some(Readiness {
            token: slot,
            readable: true,
            hangup: false,
            writable: false,
        })
    }

    /// Notes what the reactor told, and puts it into the table of news: the number of entries.
    pub(crate) fn told(&mut self, news: impl Iterator<Item = Readiness>) -> u32 {
        self.parked = None;
        let mut count = 0;
        for readiness in news {
            let Some(entry) = self.entries.get_mut(readiness.token) else { continue };
            entry.kind.told(readiness);
            // A Windows pipe that somebody has connected to is told of as writable.
            let readable = readiness.readable || matches!(entry.kind, Kind::Listener(_));
            let flags = u32::from(readable) | u32::from(readiness.writable) << 1;
            let Some(place) = self.memory.news().get_mut(count) else { break };
            *place = (readiness.token as u32) << 2 | flags;
            count += 1;
        }
        count as u32
    }

    pub(crate) fn insert(&mut self, kind: Kind) -> u32 {
        // What is only watched is another's file: the system goes on telling of it when this handle is closed.
        let shared = matches!(kind, Kind::Descriptor(_));
        self.entries.insert(Entry { kind, watched: None, shared }) as u32
    }

    /// Its descriptor has become known to others than this environment.
    pub(crate) fn share(&mut self, slot: u32) {
        if let Some(entry) = self.entries.get_mut(slot as usize) {
            entry.shared = true;
        }
    }

    /// Frees a slot and closes what it stood for.
    pub(crate) fn close(&mut self, slot: u32) {
        // The system does not tell any more of what is closed, unless others have it open.
        let forgets = cfg!(unix) && self.entries.get(slot as usize).is_some_and(|entry| !entry.shared);
        if forgets {
            let entry = self.entries.remove(slot as usize);
            self.watched -= usize::from(entry.watched.is_some());
        } else {
            self.remove(slot);
        }
    }

    /// Closes all at the end of the environment, when nothing is told any more.
    pub(crate) fn close_all(&mut self) {
        self.entries.clear();
        self.watched = 0;
    }

    /// Frees a slot, and gives what it stood for.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Kind> {
        let mut entry = self.entries.try_remove(slot as usize)?;
        if entry.watched.is_some() {
            self.watched -= 1;
            // Or a copy of the descriptor in another process would keep it registered.
            _ = self.registry.deregister(entry.kind.source());
        }
        Some(entry.kind)
    }
}
