//! All errors of the crate.

use crate::frame::BadHeader;
use std::{fmt, io};

/// Why receiving on a connection has ended for good.
#[derive(Debug)]
pub enum End {
    /// The stream ended between two messages. The error that stands for it, where it was not a plain end.
    Eof(Option<io::Error>),
    /// The stream ended inside a message.
    Truncated(Option<io::Error>),
    /// The next message is longer than the connection takes.
    TooLong(u64),
    /// The next header states no valid length.
    Bad(BadHeader),
    /// The system's error.
    Failed(io::Error),
}

/// Why an operation failed.
#[derive(Debug)]
pub enum Error {
    /// It would have had to wait any longer.
    TimedOut,
    /// Nothing more can be received; the connection's [`end`](crate::Connection::end) says why.
    Ended,
    /// This end cannot do that: it only sends, or only receives.
    Direction,
    /// The system's error.
    Io(io::Error),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Eof(_) => write!(f, "the other end is closed"),
            End::Truncated(_) => write!(f, "the stream ended inside a message"),
            End::TooLong(length) => write!(f, "a message of {length} bytes is longer than the connection takes"),
            End::Bad(_) => write!(f, "a header states no valid length"),
            End::Failed(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::TimedOut => write!(f, "the operation would have had to wait any longer"),
            Error::Ended => write!(f, "nothing more can be received"),
            Error::Direction => write!(f, "this end of a one-way pipe goes the other way"),
            Error::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::WouldBlock => Error::TimedOut,
            _ => Error::Io(error),
        }
    }
}
