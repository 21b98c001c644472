//! The runs. Each has both ends of its connections in one thread and never waits, so that it takes the same way every
//! time; and each checks what arrives, so that it cannot be quick by doing nothing.

use carom::frame::{self, Header, SHORT_HEADER, Span};
use carom::{Batch, Connection, Interest, LARGE, Poller, Wait, pipe};
use std::io::IoSlice;

/// One run: `prepare` is not counted, what it gives is.
pub(crate) struct Run {
    pub(crate) name: &'static str,
    pub(crate) messages: usize,
    pub(crate) prepare: fn() -> Box<dyn FnMut()>,
}

const SMALL: usize = 64;
const FRAME: usize = SHORT_HEADER + SMALL;
const SMALL_MESSAGES: usize = 10_240;
/// The small messages that leave with one system call.
const PACKED: usize = 256;
const BIG: usize = 1 << 20;
const BIG_MESSAGES: usize = 16;
const CONNECTIONS: usize = 64;

pub(crate) const ALL: &[Run] = &[
    Run { name: "headers", messages: SMALL_MESSAGES, prepare: headers },
    Run { name: "packed", messages: SMALL_MESSAGES, prepare: packed },
    Run { name: "one-by-one", messages: SMALL_MESSAGES, prepare: one_by_one },
    Run { name: "plain", messages: SMALL_MESSAGES, prepare: plain },
    Run { name: "backlog", messages: SMALL_MESSAGES, prepare: backlog },
    Run { name: "large", messages: BIG_MESSAGES, prepare: large },
    Run { name: "fan-in", messages: SMALL_MESSAGES, prepare: fan_in },
];

/// The codec alone: makes the headers of small messages, and finds the messages again.
fn headers() -> Box<dyn FnMut()> {
    let mut frames = frames(SMALL_MESSAGES);
    let mut spans = vec![Span::default(); SMALL_MESSAGES];
    Box::new(move || {
        for frame in frames.chunks_exact_mut(FRAME) {
            frame[..SHORT_HEADER].copy_from_slice(Header::new(SMALL as u64).as_bytes());
        }
        assert_eq!(frame::scan(&frames, LARGE, &mut spans).frames, SMALL_MESSAGES);
    })
}

/// Small messages, many with each system call, as a busy event loop sends and receives them.
fn packed() -> Box<dyn FnMut()> {
    let (mut sender, mut receiver) = connected();
    let frames = frames(PACKED);
    let mut inbox = Inbox::new();
    Box::new(move || {
        for _ in 0..SMALL_MESSAGES / PACKED {
            assert_eq!(sender.write(&[IoSlice::new(&frames)], Wait::No).expect("it takes all"), 0);
            inbox.read(&mut receiver, PACKED);
        }
    })
}

/// A small message there, and one back.
fn one_by_one() -> Box<dyn FnMut()> {
    let (mut client, mut server) = connected();
    let message = [7; SMALL];
    let mut inbox = Inbox::new();
    Box::new(move || {
        for _ in 0..SMALL_MESSAGES / 2 {
            assert_eq!(client.push(&message, 0, Wait::No).expect("it sends"), FRAME);
            inbox.read(&mut server, 1);
            assert_eq!(server.push(&message, 0, Wait::No).expect("it sends"), FRAME);
            inbox.read(&mut client, 1);
        }
    })
}

/// The same one way, by the calls that do all that is needed.
fn plain() -> Box<dyn FnMut()> {
    let (mut sender, mut receiver) = connected();
    let message = [7; SMALL];
    Box::new(move || {
        for _ in 0..SMALL_MESSAGES {
            sender.send(&message, Wait::No).expect("it sends");
            assert_eq!(receiver.recv(Wait::No).expect("it is there"), message);
        }
    })
}

/// Small messages that the other end is slow to take, so that they wait and leave in pieces.
fn backlog() -> Box<dyn FnMut()> {
    let (mut sender, mut receiver) = connected();
    let frames = frames(PACKED);
    let mut inbox = Inbox::new();
    Box::new(move || {
        for _ in 0..SMALL_MESSAGES / PACKED {
            sender.write(&[IoSlice::new(&frames)], Wait::No).expect("it accepts");
        }
        let mut arrived = 0;
        while arrived < SMALL_MESSAGES {
            arrived += inbox.next(&mut receiver).frames;
            sender.write(&[], Wait::No).expect("it sends");
        }
        assert_eq!((arrived, sender.unsent()), (SMALL_MESSAGES, 0));
    })
}

/// Large messages, from where they lie to where they belong.
fn large() -> Box<dyn FnMut()> {
    let (mut sender, mut receiver) = connected();
    let message = vec![7; BIG];
    let mut target = vec![0; BIG];
    let mut inbox = Inbox::new();
    Box::new(move || {
        for _ in 0..BIG_MESSAGES {
            let mut progress = sender.push(&message, 0, Wait::No).expect("it begins");
            assert_eq!(inbox.next(&mut receiver).body, Some(BIG as u64));
            let mut filled = 0;
            while filled < BIG {
                filled += receiver.read_body(&mut target[filled..], Wait::No).expect("it receives");
                progress = sender.push(&message, progress, Wait::No).expect("it goes on");
            }
            assert_eq!(target.last(), message.last());
        }
    })
}

/// A message on each of many connections, of all of which the poller tells at once.
fn fan_in() -> Box<dyn FnMut()> {
    let mut poller = Poller::new().expect("a poller");
    let registry = poller.registry().expect("its registry");
    let (mut senders, mut receivers): (Vec<_>, Vec<_>) = (0..CONNECTIONS).map(|_| connected()).unzip();
    for (token, receiver) in receivers.iter_mut().enumerate() {
        registry.register(receiver, token, Interest::Read).expect("it is registered");
    }
    let message = [7; SMALL];
    let mut inbox = Inbox::new();
    Box::new(move || {
        for _ in 0..SMALL_MESSAGES / CONNECTIONS {
            for sender in &mut senders {
                sender.push(&message, 0, Wait::No).expect("it sends");
            }
            let mut told = 0;
            for news in poller.wait(Wait::No).expect("it tells") {
                receivers[news.token].told(news);
                inbox.read(&mut receivers[news.token], 1);
                told += 1;
            }
            assert_eq!(told, CONNECTIONS);
        }
    })
}

fn connected() -> (Connection, Connection) {
    pipe(true).expect("a pair of connections")
}

/// So many small messages, each with its header.
fn frames(count: usize) -> Vec<u8> {
    [Header::new(SMALL as u64).as_bytes(), &[7; SMALL]].concat().repeat(count)
}

/// Where small messages are received.
struct Inbox {
    arena: Vec<u8>,
    spans: Vec<Span>,
}

impl Inbox {
    fn new() -> Inbox {
        Inbox { arena: vec![0; 2 * LARGE as usize], spans: vec![Span::default(); 4096] }
    }

    /// What is there now.
    fn next(&mut self, connection: &mut Connection) -> Batch {
        let batch = connection.read_batch(&mut self.arena, &mut self.spans, Wait::No).expect("it receives");
        assert!(!batch.ended, "the other end is there");
        for span in &self.spans[..batch.frames] {
            assert_eq!((span.length as usize, self.arena[span.offset as usize]), (SMALL, 7));
        }
        batch
    }

    /// Reads as many messages as have been sent.
    fn read(&mut self, connection: &mut Connection, mut count: usize) {
        while count > 0 {
            count -= self.next(connection).frames;
        }
    }
}
