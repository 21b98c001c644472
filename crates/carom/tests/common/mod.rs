//! What several test files share.
#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]

use carom::frame::{Header, Span};
use carom::{Address, Connection, Error, LARGE, ListenOptions, Listener, Wait};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What takes longer than this has hung.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// Sizes around the border between messages that are read in batches and those that are read by themselves.
pub(crate) const SIZES: [usize; 8] = [0, 1, 4, 65_531, 65_532, 65_535, 65_536, 65_537];
pub(crate) const SIXTEEN_MIB: usize = 16 * 1024 * 1024;
/// How much of a large message is asked for at once.
const PART: usize = 100_000;

/// A wait that ends, although no test should see that.
pub(crate) fn soon() -> Wait {
    Wait::at_most(LIMIT)
}

/// Bytes of which none stands where another could.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

/// A message as it goes over the wire.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [Header::new(message.len() as u64).as_bytes(), message].concat()
}

/// Does something in another thread; a hang fails the test.
pub(crate) fn within_limit<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, finished) = mpsc::channel();
    let worker = thread::spawn(move || _ = done.send(work()));
    match finished.recv_timeout(LIMIT) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(worker.join().expect_err("it ended without a result"))
        }
    }
}

/// Sets a flag when it goes, by a panic too.
pub(crate) struct SetOnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends until the stream takes no more: the messages that will arrive.
pub(crate) fn fill(connection: &mut Connection, message: &[u8]) -> usize {
    let mut accepted = 0;
    loop {
        match connection.send(message, Wait::No) {
            Ok(()) => accepted += 1,
            Err(Error::TimedOut) => return accepted + usize::from(connection.unsent() > 0),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Receives as an event loop does: in batches, and large messages in parts.
pub(crate) struct Reader {
    arena: Vec<u8>,
    spans: Vec<Span>,
    /// The length of a large message and what there is of it.
    pub(crate) body: Option<(u64, Vec<u8>)>,
}

impl Reader {
    /// One that takes so many messages at once.
    pub(crate) fn new(spans: usize) -> Reader {
        Reader { arena: vec![0; 2 * LARGE as usize], spans: vec![Span::default(); spans], body: None }
    }

    /// The messages that can be received now, or after a wait for the first of them.
    pub(crate) fn read(&mut self, connection: &mut Connection, wait: Wait) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        loop {
            let now = if messages.is_empty() { wait } else { Wait::No };
            if self.body.is_none() {
                let batch = connection.read_batch(&mut self.arena, &mut self.spans, now).unwrap();
                messages.extend(self.spans[..batch.frames].iter().map(|span| {
                    let start = span.offset as usize;
                    self.arena[start..start + span.length as usize].to_vec()
                }));
                self.body = batch.body.map(|length| (length, Vec::new()));
                if batch.ended || (batch.drained && self.body.is_none()) {
                    return messages;
                }
            }
            if self.body.is_some() && !self.read_body(connection, now) {
                return messages;
            }
            messages.extend(self.body.take().map(|(_, bytes)| bytes));
        }
    }

    /// Whether the large message is whole.
    fn read_body(&mut self, connection: &mut Connection, wait: Wait) -> bool {
        let Some((length, bytes)) = &mut self.body else { return false };
        while (bytes.len() as u64) < *length {
            let start = bytes.len();
            let part = (*length as usize - start).min(PART);
            bytes.resize(start + part, 0);
            let count = connection.read_body(&mut bytes[start..], wait).unwrap();
            bytes.truncate(start + count);
            if count < part {
                return false;
            }
        }
        true
    }
}

/// A connection for a descriptor that somebody else made.
#[cfg(unix)]
pub(crate) fn adopt(descriptor: impl std::os::fd::IntoRawFd) -> Connection {
    Connection::from_raw(descriptor.into_raw_fd(), Vec::new(), true, true).unwrap()
}

/// A connection, and the raw stream at its other end.
#[cfg(unix)]
pub(crate) fn ends() -> (Connection, std::os::unix::net::UnixStream) {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    (adopt(ours), theirs)
}

/// A directory of a test's own, which goes with it.
pub(crate) struct Scratch(std::path::PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        let directory = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&directory).unwrap();
        Scratch(directory)
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.join(name)
    }

    /// The address of a socket in it, or of a pipe as unique as that.
    pub(crate) fn address(&self, name: &str) -> Address {
        if cfg!(windows) {
            return Address::Local(format!(r"\\.\pipe\{}-{name}", self.0.file_name().unwrap().to_str().unwrap()));
        }
        Address::Local(self.path(name).to_str().unwrap().to_owned())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A name that no other test uses, now or at the same time.
pub(crate) fn unique_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("carom-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Any port of this machine.
pub(crate) fn any_port() -> Address {
    Address::Inet((Ipv4Addr::LOCALHOST, 0).into())
}

/// Listens, as it is without options.
pub(crate) fn listen(address: &Address) -> Listener {
    Listener::bind(address, &ListenOptions::default()).unwrap()
}

/// Both ends of a new connection: what connected, and what was accepted.
pub(crate) fn connected(listener: &mut Listener) -> (Connection, Connection) {
    let mut ours = Connection::connect(listener.address()).unwrap();
    let (theirs, _) = listener.accept(soon()).unwrap().unwrap();
    assert!(ours.finish_connect(soon()).unwrap());
    (ours, theirs)
}
