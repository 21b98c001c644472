//! How long an operation may wait.

use std::time::{Duration, Instant};

/// How long an operation may wait for the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not at all, and without asking the system when the [`Poller`](crate::Poller) would have told.
    UntilTold,
    /// Not at all: what can be done now.
    No,
    /// Until this moment.
    Until(Instant),
    /// Without a limit.
    Forever,
}

impl Wait {
    /// For at most `duration` from now on.
    pub fn at_most(duration: Duration) -> Wait {
        Instant::now().checked_add(duration).map_or(Wait::Forever, Wait::Until)
    }

    /// What is left of it: `Some(None)` without a limit, `None` when there is nothing left to wait.
    pub fn left(self) -> Option<Option<Duration>> {
        match self {
            Wait::UntilTold | Wait::No => None,
            Wait::Until(moment) => {
                moment.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()).map(Some)
            }
            Wait::Forever => Some(None),
        }
    }
}
