//! One end of a stream.

use crate::address::Address;
use crate::error::{End, Error};
use crate::frame::Span;
use crate::readiness::{Interest, Readiness};
use crate::receiver::{Batch, Discarded, Receiver};
use crate::sender::Sender;
use crate::spin::Spin;
use crate::sys::{self, RawDescriptor, Stream};
use crate::wait::Wait;
use std::io::{self, IoSlice, Read};

/// Two connected ends. With `duplex`, both send and receive; else the first only receives and the second only sends.
///
/// Neither is inherited by child processes. Fails with the system's error, such as `EMFILE`.
pub fn pipe(duplex: bool) -> io::Result<(Connection, Connection)> {
    let (first, second) = sys::pair(duplex)?;
    Ok((Connection::new(first, true, duplex), Connection::new(second, duplex, true)))
}

/// One end of a pipe or a stream socket: sends and receives whole messages.
///
/// There are two levels. [`send`](Connection::send) and [`recv`](Connection::recv) do all that is needed. The others
/// are for an event loop: they read into memory that the caller lends, write from it, and say how far they came. Use
/// one level or the other for receiving.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    receiver: Receiver,
    sender: Sender,
    readable: bool,
    writable: bool,
    /// A read may give something: it is asked for until one came back short.
    may_read: bool,
    /// The end of the stream is there: no further readiness will be told, so a short read is not the last one.
    hangup: bool,
    /// The last byte of the message that is being pushed counts as not sent, as the system has not got all of it.
    last_held: bool,
    spin: Spin,
}

impl Connection {
    pub(crate) fn new(stream: Stream, readable: bool, writable: bool) -> Connection {
        let receiver = Receiver::new(u64::MAX, Vec::new(), stream.is_local());
        Connection {
            stream,
            receiver,
            sender: Sender::default(),
            readable,
            writable,
            may_read: true,
            hangup: false,
            last_held: false,
            spin: Spin::default(),
        }
    }

    /// Begins to connect to a listener: [`finish_connect`](Connection::finish_connect) says when it is connected.
    ///
    /// Fails with the system's error, such as `ECONNREFUSED`; with `WouldBlock` when as many others wait to be accepted
    /// as the listener allows.
    pub fn connect(address: &Address) -> io::Result<Connection> {
        Ok(Connection::new(Stream::connect(address)?, true, true))
    }

    /// Waits until it is connected; false when the time ran out. Fails with the system's error, such as `ECONNREFUSED`.
    pub fn finish_connect(&mut self, wait: Wait) -> io::Result<bool> {
        Ok(self.stream.finish_connect()?
            || (self.stream.wait(Interest::Write, wait)?.writable && self.stream.finish_connect()?))
    }

    /// The address of this end: `None` where it has no name.
    pub fn local_address(&self) -> io::Result<Option<Address>> {
        self.stream.local_address()
    }

    /// The address of the other end: `None` where it has no name.
    pub fn peer_address(&self) -> io::Result<Option<Address>> {
        self.stream.peer_address()
    }

    /// Whether closing it takes back what was sent, while the peer sends: TCP resets what is closed with bytes unread.
    /// [`finish`](Connection::finish) it first then, and [`discard`](Connection::discard) what comes.
    pub fn resets(&self) -> bool {
        !self.stream.is_local() && !matches!(self.end(), Some(End::Eof(_) | End::Truncated(_) | End::Failed(_)))
    }

    /// Tells the other end that nothing more will come.
    pub fn finish(&self) -> io::Result<()> {
        self.stream.end()
    }

    /// Drops what comes, without waiting, a limited number of bytes with each call.
    pub fn discard(&mut self) -> Discarded {
        self.receiver.discard(&mut Source::new(&self.stream, false))
    }

    /// Takes over a descriptor of a stream socket or a pipe, with the bytes that had been received from it and not
    /// read; it is closed with the connection, and not inherited by child processes from now on.
    ///
    /// An end of a pipe goes only the way that it goes, whatever `readable` and `writable` say. Fails with
    /// `InvalidInput` for any other kind of descriptor, which stays open and the caller's then.
    pub fn from_raw(
        descriptor: RawDescriptor,
        received: Vec<u8>,
        readable: bool,
        writable: bool,
    ) -> io::Result<Connection> {
        let stream = Stream::adopt(descriptor)?;
        let (reads, writes) = stream.directions()?;
        let mut connection = Connection::new(stream, readable && reads, writable && writes);
        connection.receiver = Receiver::new(u64::MAX, received, connection.stream.is_local());
        Ok(connection)
    }

    /// Sets the length of the longest message that is received; a longer one ends receiving. Before the first receive.
    pub fn with_max_length(mut self, max_length: u64) -> Connection {
        self.receiver.set_limits(max_length, false);
        self
    }

    /// Changes the length of the longest message that is received. With `singly`, [`read_batch`](Connection::read_batch)
    /// gives one message at a time, and those behind it come under what is set until then.
    pub fn set_limits(&mut self, max_length: u64, singly: bool) {
        self.receiver.set_limits(max_length, singly);
    }

    /// The descriptor, which stays the connection's.
    pub fn raw_descriptor(&self) -> RawDescriptor {
        self.stream.raw_descriptor()
    }

    /// Gives the descriptor away, in the mode in which other programs expect it, with all that was received and not
    /// taken, as it came over the wire. `taken` is what [`read_body`](Connection::read_body) has given of a large
    /// message that its user has not got yet. What is [unsent](Connection::unsent) is dropped.
    pub fn into_raw(self, taken: &[u8]) -> io::Result<(RawDescriptor, Vec<u8>)> {
        Ok((self.stream.into_raw()?, self.receiver.into_received(taken)))
    }

    /// Whether this end can receive: it is not a pipe's sending end, and receiving has not ended for good because of
    /// what the peer sent.
    pub fn is_readable(&self) -> bool {
        self.readable && !matches!(self.end(), Some(End::TooLong(_) | End::Bad(_)))
    }

    /// Whether this end can send.
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// Why receiving has ended, once it has.
    pub fn end(&self) -> Option<&End> {
        self.receiver.end()
    }

    /// Accepted bytes that the stream has not taken yet.
    pub fn unsent(&self) -> usize {
        self.sender.unsent() + self.stream.under_way()
    }

    pub(crate) fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Notes what a [`Poller`](crate::Poller) told of this connection.
    pub fn told(&mut self, news: Readiness) {
        self.may_read |= news.readable;
        self.hangup |= news.hangup;
    }

    /// Receives the next whole messages that are shorter than [`LARGE`](crate::LARGE) into `arena`, which must hold twice
    /// that, and writes where they lie to `spans`. Waits until there is one, a large message begins, or the stream
    /// ends.
    ///
    /// Panics when `arena` is shorter, or when `spans` is empty.
    pub fn read_batch(&mut self, arena: &mut [u8], spans: &mut [Span], wait: Wait) -> io::Result<Batch> {
        self.spin.begin(wait);
        loop {
            let mut source = Source::new(&self.stream, wait == Wait::Forever && !self.spin.is_active());
            let ask = wait != Wait::UntilTold || self.may_read || self.hangup;
            let batch = self.receiver.read_batch(ask.then_some(&mut source), arena, spans);
            self.hangup &= !source.blocked;
            // A read that filled what it was given may have left more behind.
            self.may_read = !batch.drained;
            let idle = batch.frames == 0 && batch.body.is_none() && !batch.ended;
            if idle && (!batch.drained || self.hangup || self.goes_on(wait)?) {
                continue;
            }
            self.spin.end();
            return Ok(Batch { drained: batch.drained && !self.hangup, ..batch });
        }
    }

    /// Nothing is there: waits for it, unless it is to be looked for again; false when the time ran out.
    fn goes_on(&mut self, wait: Wait) -> io::Result<bool> {
        Ok(self.spin.again(wait) || self.stream.wait(Interest::Read, wait)?.readable)
    }

    /// Reads on in the large message that was announced, into `target`, which is what is missing of it or the next
    /// part of that. Waits until it is full. The number of bytes written: less when the time ran out or the stream
    /// ended.
    pub fn read_body(&mut self, target: &mut [u8], wait: Wait) -> io::Result<usize> {
        let mut filled = 0;
        while filled < target.len() {
            let mut source = Source::new(&self.stream, wait == Wait::Forever);
            let ask = wait != Wait::UntilTold || self.may_read || self.hangup;
            let count = self.receiver.read_body(ask.then_some(&mut source), &mut target[filled..]);
            self.hangup &= !source.blocked;
            filled += count;
            if filled == target.len() || !self.receiver.in_body() {
                break;
            }
            self.may_read = false;
            if !self.hangup && !self.stream.wait(Interest::Read, wait)?.readable {
                break;
            }
        }
        Ok(filled)
    }

    /// Sends whole frames, each with its [header](crate::frame::Header). What the stream has not taken when the wait
    /// is over is kept: the number of such bytes, those that waited before included.
    ///
    /// Fails with the system's error, such as `EPIPE`; what waited is dropped then.
    pub fn write(&mut self, frames: &[IoSlice<'_>], wait: Wait) -> io::Result<usize> {
        self.sender.write(&mut &self.stream, frames)?;
        while self.unsent() > 0 && self.wait_for_room(wait)? {
            self.sender.flush(&mut &self.stream)?;
        }
        Ok(self.unsent())
    }

    /// Sends one message without copying it, in as many calls as it takes: the number of its frame's bytes, header
    /// included, that are on their way, of which `progress` were before. 0: it has not been begun, as what was
    /// accepted before comes first.
    ///
    /// Fails as [`write`](Connection::write) does, and with `InvalidInput` when the message is not as long as it was when
    /// it was begun: the peer has half of it then, so that nothing more can be sent.
    pub fn push(&mut self, message: &[u8], mut progress: usize, wait: Wait) -> io::Result<usize> {
        let total = crate::frame::Header::new(message.len() as u64).as_bytes().len() + message.len();
        loop {
            progress += usize::from(std::mem::take(&mut self.last_held));
            progress = self.sender.push(&mut &self.stream, message, progress)?;
            let under_way = self.stream.under_way() > 0;
            // All of it was taken, but it is not sent before the system has got it.
            self.last_held = progress == total && under_way;
            progress -= usize::from(self.last_held);
            if (progress == total && self.unsent() == 0) || !self.wait_for_room(wait)? {
                return Ok(progress);
            }
        }
    }

    /// Accepts the rest of a message of which [`push`](Connection::push) has sent `progress` bytes, by copying it. When
    /// it is not as long as it was then, the next call that sends fails.
    pub fn queue(&mut self, message: &[u8], progress: usize) {
        self.sender.queue(message, progress + usize::from(std::mem::take(&mut self.last_held)));
    }

    /// Takes back the last `count` bytes that were accepted; false when some of them have left already.
    pub fn retract(&mut self, count: usize) -> bool {
        self.sender.retract(count)
    }

    /// Waits for room to send. Meanwhile one message is taken in, as the other end may be waiting in a send of its
    /// own: two ends that send each other a message at the same time do not wait for each other for ever.
    fn wait_for_room(&mut self, wait: Wait) -> io::Result<bool> {
        let mut absorbing = self.readable;
        loop {
            let ready = self.stream.wait(if absorbing { Interest::ReadAndWrite } else { Interest::Write }, wait)?;
            if ready.writable || !ready.readable {
                return Ok(ready.writable);
            }
            absorbing = !self.absorb();
        }
    }

    /// Reads what is there, unless the next message is whole: true when it is, or none can come.
    ///
    /// For an event loop in which a send waits: it takes one message off the hands of another end that may be waiting
    /// in a send, too. What is kept grows with the bytes that have arrived, up to little more than one message.
    pub fn absorb(&mut self) -> bool {
        let mut source = Source::new(&self.stream, false);
        while !source.blocked {
            if self.receiver.absorb(&mut source) {
                return true;
            }
        }
        false
    }

    /// Sends one message; waits until the stream has taken it.
    ///
    /// With [`Error::TimedOut`], nothing was sent when none of it had left; else the rest is kept, and goes before the
    /// next message. Other errors: [`Error::Direction`], the system's (`EPIPE` when the other end is gone).
    pub fn send(&mut self, message: &[u8], wait: Wait) -> Result<(), Error> {
        if !self.writable {
            return Err(Error::Direction);
        }
        let header = crate::frame::Header::new(message.len() as u64);
        let total = header.as_bytes().len() + message.len();
        match self.push(message, 0, wait)? {
            progress if progress == total && self.unsent() == 0 => Ok(()),
            0 => Err(Error::TimedOut),
            progress => {
                self.queue(message, progress);
                Err(Error::TimedOut)
            }
        }
    }

    /// Receives one message; waits until it is whole.
    ///
    /// With [`Error::TimedOut`], what has arrived of it is kept. [`Error::Ended`] at the end of the stream, or when
    /// receiving cannot go on; [`end`](Connection::end) says why.
    pub fn recv(&mut self, wait: Wait) -> Result<Vec<u8>, Error> {
        self.poll(wait)?.then_some(()).ok_or(Error::TimedOut)?;
        self.receiver.take_message().ok_or(Error::Ended)
    }

    /// Waits until a receive would not wait: a message is there whole, or receiving has ended. False when the time
    /// ran out.
    pub fn poll(&mut self, wait: Wait) -> Result<bool, Error> {
        if !self.readable {
            return Err(Error::Direction);
        }
        self.spin.begin(wait);
        loop {
            let mut source = Source::new(&self.stream, wait == Wait::Forever && !self.spin.is_active());
            if self.receiver.absorb(&mut source) {
                self.spin.end();
                return Ok(true);
            }
            // A peer that never stops sending must not hold it beyond its limit.
            let go_on = match wait {
                _ if source.blocked => self.goes_on(wait)?,
                Wait::Until(_) => wait.left().is_some(),
                _ => true,
            };
            if !go_on {
                return Ok(false);
            }
        }
    }
}

/// A stream, read with or without blocking; remembers whether there was nothing to read.
struct Source<'a> {
    stream: &'a Stream,
    block: bool,
    blocked: bool,
}

impl<'a> Source<'a> {
    fn new(stream: &'a Stream, block: bool) -> Source<'a> {
        Source { stream, block, blocked: false }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let result = self.stream.read(target, self.block);
        self.blocked = matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        result
    }
}
