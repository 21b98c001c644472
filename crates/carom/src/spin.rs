//! Looking again for a moment before the thread sleeps: to wake an idle core takes longer than many a peer takes to
//! answer.

use crate::wait::Wait;
use std::env;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// How long a wait looks again, unless the environment says otherwise.
const LIMIT: Duration = Duration::from_micros(50);
/// The most waits that do not look again, after those that did so in vain.
const MAX_PAUSE: u32 = 1023;

/// One end's waits: whether they look again, which those do that follow on short ones.
#[derive(Debug, Default)]
pub(crate) struct Spin {
    /// How many more waits do not, and how many did not before that.
    pause: u32,
    last_pause: u32,
    /// The wait that is under way does, until then.
    active: bool,
    until: Option<Instant>,
}

impl Spin {
    /// A wait begins, which may block.
    pub(crate) fn begin(&mut self, wait: Wait) {
        self.begin_with(wait, limit());
    }

    fn begin_with(&mut self, wait: Wait, limit: Duration) {
        let waits = matches!(wait, Wait::Until(_) | Wait::Forever);
        self.active = waits && self.pause == 0 && !limit.is_zero();
        self.pause -= u32::from(waits && self.pause > 0);
        self.until = None;
    }

    /// Whether to ask without blocking, and to look again when there is nothing.
    pub(crate) fn is_active(&self) -> bool {
        self.active
    }

    /// There was nothing: whether to look again at once.
    pub(crate) fn again(&mut self, wait: Wait) -> bool {
        self.again_at(Instant::now(), wait, limit())
    }

    fn again_at(&mut self, now: Instant, wait: Wait, limit: Duration) -> bool {
        if !self.active {
            return false;
        }
        let until = *self.until.get_or_insert_with(|| match wait {
            Wait::Until(moment) => moment.min(now + limit),
            _ => now + limit,
        });
        if now < until {
            std::hint::spin_loop();
            return true;
        }
        // A peer that takes its time is looked for less and less often, so that this costs next to nothing.
        self.active = false;
        self.last_pause = (2 * self.last_pause + 1).min(MAX_PAUSE);
        self.pause = self.last_pause;
        false
    }

    /// The wait is over.
    pub(crate) fn end(&mut self) {
        if self.active && self.until.is_some() {
            self.last_pause = 0;
        }
        self.active = false;
    }
}

/// How long to look again: not at all where there is one core, which the peer needs.
fn limit() -> Duration {
    static CHOSEN: OnceLock<Duration> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        if thread::available_parallelism().map_or(1, usize::from) == 1 {
            return Duration::ZERO;
        }
        let microseconds = env::var("CAROM_SPIN").ok().and_then(|text| text.parse().ok());
        microseconds.map_or(LIMIT, Duration::from_micros)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(10);

    /// One wait that finds something after `takes`; whether it looked again until then.
    fn wait(spin: &mut Spin, takes: Duration) -> bool {
        let start = Instant::now();
        spin.begin_with(Wait::Forever, LIMIT);
        let mut now = start;
        while spin.is_active() && now < start + takes && spin.again_at(now, Wait::Forever, LIMIT) {
            now += Duration::from_micros(1);
        }
        let found = spin.is_active();
        spin.end();
        found
    }

    #[test]
    fn looks_again_while_waits_are_short() {
        let mut spin = Spin::default();
        assert!((0..1000).all(|_| wait(&mut spin, SHORT)));
    }

    #[test]
    fn looks_again_less_and_less_often_while_waits_are_long() {
        let mut spin = Spin::default();
        let looked = (0..100_000).filter(|_| {
            spin.begin_with(Wait::Forever, LIMIT);
            let looks = spin.is_active();
            spin.again_at(Instant::now(), Wait::Forever, Duration::ZERO);
            spin.end();
            looks
        });
        let looked = looked.count();
        assert!((100..=110).contains(&looked), "{looked}");
    }

    #[test]
    fn begins_anew_once_a_wait_was_short() {
        let mut spin = Spin::default();
        (0..50).for_each(|_| _ = wait(&mut spin, 2 * LIMIT));
        let until_short = (0..).take_while(|_| !wait(&mut spin, SHORT)).count();
        assert!(until_short as u32 <= MAX_PAUSE);
        assert!((0..1000).all(|_| wait(&mut spin, SHORT)));
    }

    #[test]
    fn ends_with_the_time_that_there_is() {
        let mut spin = Spin::default();
        let now = Instant::now();
        let until = Wait::Until(now + SHORT);
        spin.begin_with(until, LIMIT);
        assert!(spin.again_at(now, until, LIMIT));
        assert!(!spin.again_at(now + SHORT, until, LIMIT));
    }

    #[test]
    fn does_not_where_it_is_switched_off_or_nothing_waits() {
        let mut spin = Spin::default();
        spin.begin_with(Wait::Forever, Duration::ZERO);
        assert!(!spin.is_active());
        for wait in [Wait::No, Wait::UntilTold] {
            spin.begin_with(wait, LIMIT);
            assert!(!spin.is_active());
        }
    }
}
