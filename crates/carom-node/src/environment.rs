//! One JavaScript environment (the main thread, or a worker), and the calls for its connections that are not hot.

use crate::calls;
use crate::errno::errno;
use crate::memory::Memory;
use crate::reactor::Reactor;
use crate::state::{Kind, State};
use carom::{Connection, End, ExitStatus, Wait};
use napi::bindgen_prelude::{Either, Function, Object, Uint8Array};
use napi::{Env, Error, Result};
use napi_derive::napi;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long a call blocks a worker before it looks whether the worker has been terminated.
const SLICE: Duration = Duration::from_millis(50);

/// Repeats an operation that may wait, in slices, until it is done or the time is over, or the worker it blocks has
/// been terminated. The operation says whether it is done.
pub(crate) fn in_slices(
    wait: Wait,
    mut terminated: impl FnMut() -> bool,
    mut operation: impl FnMut(Wait) -> io::Result<bool>,
) -> io::Result<()> {
    loop {
        let slice = Instant::now() + SLICE;
        let (slice, last) = match wait {
            Wait::Until(moment) if moment > slice => (slice, false),
            Wait::Forever => (slice, false),
            Wait::Until(moment) => (moment, true),
            Wait::No | Wait::UntilTold => return operation(wait).map(|_| ()),
        };
        if operation(Wait::Until(slice))? || last || terminated() {
            return Ok(());
        }
    }
}

/// Milliseconds as JavaScript gives them: less than 0 is "until told", `Infinity` is for ever.
pub(crate) fn wait_from(milliseconds: f64) -> Wait {
    if milliseconds < 0.0 {
        Wait::UntilTold
    } else if milliseconds == 0.0 {
        Wait::No
    } else {
        Duration::try_from_secs_f64(milliseconds / 1000.0).map_or(Wait::Forever, Wait::at_most)
    }
}

/// Why receiving on a connection has ended.
#[napi(object)]
pub struct Ending {
    /// `eof`, `truncated`, `too-long`, `bad-header` or `failed`.
    pub kind: String,
    /// The length that the header states, with `too-long` and `bad-header`.
    pub length: Option<f64>,
    /// The system's error, negative as in Node.
    pub errno: Option<i32>,
}

/// A descriptor that has left its connection.
#[napi(object)]
pub struct Detached {
    /// The descriptor.
    pub fd: i64,
    /// What had been received and not taken, as it came over the wire.
    pub received: Uint8Array,
}

/// How a child process ended: one of the two is there.
#[napi(object)]
pub struct Exit {
    /// The exit code.
    pub code: Option<i32>,
    /// The number of the signal.
    pub signal: Option<i32>,
}

/// The connections of one environment. Each is known by a number, its slot.
#[napi]
pub struct Environment {
    pub(crate) state: Rc<RefCell<State>>,
    pub(crate) reactor: Reactor,
    pub(crate) interruptible: bool,
}

// A panic must not unwind into Node: everywhere `catch_unwind`, which makes an exception of it.
#[napi]
impl Environment {
    /// Starts a reactor, which calls `dispatch` with the number of entries in the table of news. `threaded` forces the
    /// one that has a thread. `interruptible`: this environment is a worker's, which can be terminated while a call
    /// blocks it.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: &Env,
        memory: Memory,
        dispatch: Function<u32, ()>,
        threaded: bool,
        interruptible: bool,
    ) -> Result<Environment> {
        memory.check()?;
        let (state, reactor) = Reactor::start(env, memory, &dispatch, threaded)?;
        Ok(Environment { state, reactor, interruptible })
    }

    /// `loop` or `thread`.
    #[napi(getter, catch_unwind)]
    pub fn reactor(&self) -> &'static str {
        self.reactor.name()
    }

    /// The hot calls: an object of plain functions, see `calls`.
    #[napi(getter, catch_unwind)]
    pub fn calls<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        calls::object(env, &self.state, self.reactor.clone(), self.interruptible)
    }

    /// Two connected ends: their slots, or the system's error, negative. The first only receives and the second only
    /// sends, unless `duplex`.
    #[napi(catch_unwind)]
    pub fn pipe(&self, duplex: bool, max_length: f64) -> Vec<i32> {
        match carom::pipe(duplex) {
            Ok((first, second)) => [first, second].map(|end| self.insert(end, max_length)).to_vec(),
            Err(error) => vec![errno(&error)],
        }
    }

    /// Takes over a descriptor: its slot, or the system's error, negative.
    #[napi(catch_unwind)]
    pub fn adopt(&self, fd: i64, received: &[u8], readable: bool, writable: bool, max_length: f64) -> i32 {
        let Ok(fd) = fd.try_into() else { return errno(&io::ErrorKind::InvalidInput.into()) };
        match Connection::from_raw(fd, received.to_vec(), readable, writable) {
            Ok(connection) => {
                let slot = self.insert(connection, max_length);
                self.state.borrow_mut().share(slot as u32);
                slot
            }
            Err(error) => errno(&error),
        }
    }

    /// The descriptor of a connection.
    #[napi(catch_unwind)]
    pub fn fd(&self, slot: u32) -> Result<i64> {
        self.state.borrow_mut().share(slot);
        self.with(slot, |connection| connection.raw_descriptor() as i64)
    }

    /// Whether a connection can receive.
    #[napi(catch_unwind)]
    pub fn is_readable(&self, slot: u32) -> Result<bool> {
        self.with(slot, |connection| connection.is_readable())
    }

    /// Whether a connection can send.
    #[napi(catch_unwind)]
    pub fn is_writable(&self, slot: u32) -> Result<bool> {
        self.with(slot, |connection| connection.is_writable())
    }

    /// Changes the length of the longest message that a connection receives, and whether it is given one at a time.
    #[napi(catch_unwind)]
    pub fn limit(&self, slot: u32, max_length: f64, singly: bool) -> Result<()> {
        self.with(slot, |connection| connection.set_limits(max_length as u64, singly))
    }

    /// Closes a connection, a listener, or what is watched, at once. What is unsent is dropped.
    #[napi(catch_unwind)]
    pub fn close(&self, slot: u32) {
        self.state.borrow_mut().close(slot);
    }

    /// Takes the descriptor out of a connection. `taken` is what JavaScript holds of a large message.
    #[napi(catch_unwind)]
    pub fn detach(&self, slot: u32, taken: &[u8]) -> Result<Either<Detached, i32>> {
        let Some(Kind::Connection(connection)) = self.state.borrow_mut().remove(slot) else {
            return Err(no_such_slot());
        };
        Ok(match connection.into_raw(taken) {
            Ok((fd, received)) => Either::A(Detached { fd: fd as i64, received: received.into() }),
            Err(error) => Either::B(errno(&error)),
        })
    }

    /// Why receiving has ended, once it has.
    #[napi(catch_unwind)]
    pub fn ending(&self, slot: u32) -> Result<Option<Ending>> {
        self.with(slot, |connection| {
            let ending = |kind: &str, length, error: Option<&io::Error>| Ending {
                kind: kind.into(),
                length,
                errno: error.map(errno),
            };
            connection.end().map(|end| match end {
                End::Eof(error) => ending("eof", None, error.as_ref()),
                End::Truncated(error) => ending("truncated", None, error.as_ref()),
                End::TooLong(length) => ending("too-long", Some(*length as f64), None),
                End::Bad(bad) => ending("bad-header", Some(bad.stated as f64), None),
                End::Failed(error) => ending("failed", None, Some(error)),
            })
        })
    }

    /// Accepts the rest of a message of which `push` has sent `progress` bytes, by copying it.
    #[napi(catch_unwind)]
    pub fn queue(&self, slot: u32, message: &[u8], progress: f64) -> Result<()> {
        self.with(slot, |connection| connection.queue(message, progress as usize))
    }

    /// Takes back the last `count` bytes that were accepted; false when some of them have left already.
    #[napi(catch_unwind)]
    pub fn retract(&self, slot: u32, count: u32) -> Result<bool> {
        self.with(slot, |connection| connection.retract(count as usize))
    }

    /// Reads ahead what is there, while a send waits: true when a whole message is there, or none can come.
    #[napi(catch_unwind)]
    pub fn absorb(&self, slot: u32) -> Result<bool> {
        self.with(slot, Connection::absorb)
    }

    /// Says that all of this fresh memory is about to be written, which makes that faster.
    #[napi(catch_unwind)]
    pub fn expect_writes(&self, memory: &[u8]) {
        carom::expect_writes(memory);
    }

    /// Waits, blocking, until the child process `pid` has ended: how, or nothing when the time ran out, or the
    /// system's error, negative. It is not reaped.
    #[napi(catch_unwind)]
    pub fn wait_for_exit(&self, env: &Env, pid: u32, milliseconds: f64) -> Option<Either<Exit, i32>> {
        let mut status = None;
        let waited = self.in_slices(env, milliseconds, |wait| {
            status = carom::wait_for_exit(pid, wait)?;
            Ok(status.is_some())
        });
        match (waited, status) {
            (Err(error), _) => Some(Either::B(errno(&error))),
            (_, Some(ExitStatus::Code(code))) => Some(Either::A(Exit { code: Some(code), signal: None })),
            (_, Some(ExitStatus::Signal(signal))) => Some(Either::A(Exit { code: None, signal: Some(signal) })),
            (_, None) => None,
        }
    }

    /// Gives the process `pid` a descriptor of its own: what `take_over` has to be told there, or the system's error,
    /// negative. On Unix `EIO`: there it is inherited.
    #[napi(catch_unwind)]
    pub fn hand_over(&self, fd: i64, pid: u32) -> Either<Uint8Array, i32> {
        let told =
            fd.try_into().map_err(|_| io::ErrorKind::InvalidInput.into()).and_then(|fd| carom::hand_over(fd, pid));
        told.map_or_else(|error| Either::B(errno(&error)), |told| Either::A(told.into()))
    }

    /// The descriptor that another process has given this one, or the system's error, negative.
    #[napi(catch_unwind)]
    pub fn take_over(&self, told: &[u8]) -> i64 {
        carom::take_over(told).map_or_else(|error| errno(&error).into(), |fd| fd as i64)
    }

    /// Repeats an operation that may block until it is done or the time is over, or this environment is a worker's that
    /// has been terminated. The operation says whether it is done.
    pub(crate) fn in_slices(
        &self,
        env: &Env,
        milliseconds: f64,
        mut operation: impl FnMut(Wait) -> io::Result<bool>,
    ) -> io::Result<()> {
        let wait = wait_from(milliseconds);
        if !self.interruptible {
            return operation(wait).map(|_| ());
        }
        in_slices(wait, || calls::is_terminated(env.raw()), operation)
    }

    /// A new connection's slot.
    pub(crate) fn insert(&self, connection: Connection, max_length: f64) -> i32 {
        let connection = connection.with_max_length(max_length as u64);
        self.state.borrow_mut().insert(Kind::Connection(connection)) as i32
    }

    pub(crate) fn with<T>(&self, slot: u32, operation: impl FnOnce(&mut Connection) -> T) -> Result<T> {
        match self.state.borrow_mut().connection(slot) {
            Ok((connection, _)) => Ok(operation(connection)),
            Err(_) => Err(no_such_slot()),
        }
    }
}

pub(crate) fn no_such_slot() -> Error {
    Error::from_reason("carom: nothing of that kind has this slot")
}
