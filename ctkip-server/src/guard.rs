//! Guessing: in the deployed dialect a code is all that a client has to bring, and a wrong one names
//! nobody. So wrong ones are counted, by where they came from and all together, and after so many
//! nobody is let in, whatever he brings, until the window is over.

use ctkip_core::Timestamp;
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::store::Guesses;

/// How many wrong codes are borne. One node keeps to it exactly; of several, each may be looking at as
/// many more when the others' last is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuessLimits {
    /// From one source within a window. Default: 10.
    pub per_source: u64,
    /// From all sources within a window. Default: 200.
    pub total: u64,
    /// The length of a window, in seconds. Windows begin at multiples of it. Default: an hour.
    pub window: u64,
}

impl Default for GuessLimits {
    fn default() -> Self {
        Self { per_source: 10, total: 200, window: 3600 }
    }
}

impl GuessLimits {
    /// How many wrong codes a day are borne at most.
    #[must_use]
    pub const fn guesses_a_day(&self) -> u64 {
        self.total.saturating_mul(86_400_u64.div_ceil(self.window().get()))
    }

    /// When the window of this time began.
    pub(crate) fn since(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_sub(now.0 % self.window()))
    }

    const fn window(&self) -> NonZeroU64 {
        match NonZeroU64::new(self.window) {
            Some(window) => window,
            None => NonZeroU64::MIN,
        }
    }

    /// The chance that guessing for a day finds one of so many open codes of this length, as far as
    /// it can be told before: codes times guesses over the size of the code space.
    #[must_use]
    pub fn risk(&self, codes: u64, length: u8) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let tries = codes as f64 * self.guesses_a_day() as f64;
        tries / 10_f64.powi(length.into())
    }
}

/// Lets in no more requests at a time than wrong codes are still borne, so that none is tried beyond
/// the limit. Whoever comes when the last are under way waits for them.
pub(crate) struct Guard {
    limits: GuessLimits,
    counts: Mutex<Counts>,
    over: Condvar,
}

#[derive(Default)]
struct Counts {
    since: Timestamp,
    total: Count,
    sources: HashMap<String, Count>,
}

#[derive(Default, Clone, Copy)]
struct Count {
    /// Wrong codes, as the store said last.
    wrong: u64,
    under_way: u64,
    /// That nobody is let in was noted.
    noted: bool,
}

impl Count {
    const fn has_room(&self, limit: u64) -> bool {
        self.wrong.saturating_add(self.under_way) < limit
    }
}

/// Leave to look one code up.
#[must_use]
pub(crate) struct Leave<'g> {
    guard: &'g Guard,
    source: &'g str,
    since: Timestamp,
}

/// Nobody is let in; `true`: that is news.
pub(crate) struct Shut(pub(crate) bool);

impl Guard {
    pub(crate) fn new(limits: GuessLimits) -> Self {
        let counts = Counts { since: Timestamp(0), ..Counts::default() };
        Self { limits, counts: Mutex::new(counts), over: Condvar::new() }
    }

    pub(crate) const fn limits(&self) -> GuessLimits {
        self.limits
    }

    /// Lets a request in, or not.
    pub(crate) fn enter<'g>(&'g self, source: &'g str, now: Timestamp) -> Result<Leave<'g>, Shut> {
        let asked = self.limits.since(now);
        let mut counts = self.counts();
        loop {
            // Whoever waited, or looked at the clock, until the next window had begun belongs to that.
            // Of a clock that was set back by more than that, nothing is held against it.
            let late = counts.since.0.saturating_sub(asked.0);
            if counts.since < asked || late > self.limits.window.saturating_mul(2) {
                *counts = Counts { since: asked, ..Counts::default() };
            }
            let Counts { since, total, sources } = &mut *counts;
            // One note for all: those who have no count of their own may be without number.
            if total.wrong >= self.limits.total {
                return Err(Shut(!std::mem::replace(&mut total.noted, true)));
            }
            let own = sources.entry(source.to_owned()).or_default();
            if own.wrong >= self.limits.per_source {
                return Err(Shut(!std::mem::replace(&mut own.noted, true)));
            }
            if own.has_room(self.limits.per_source) && total.has_room(self.limits.total) {
                own.under_way = own.under_way.saturating_add(1);
                total.under_way = total.under_way.saturating_add(1);
                return Ok(Leave { guard: self, source, since: *since });
            }
            if own.under_way == 0 && own.wrong == 0 {
                sources.remove(source);
            }
            counts = self.over.wait(counts).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // A panic elsewhere leaves the counts whole: nothing panics between two changes.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// When the window began.
    pub(crate) const fn since(&self) -> Timestamp {
        self.since
    }

    /// Takes over what the store counted, other nodes' share included; whether the limits leave room
    /// for a code to be looked at.
    pub(crate) fn learn(&self, guesses: Guesses) -> bool {
        let mut counts = self.guard.counts();
        if counts.since == self.since {
            counts.total.wrong = counts.total.wrong.max(guesses.total);
            if let Some(own) = counts.sources.get_mut(self.source) {
                own.wrong = own.wrong.max(guesses.source);
            }
        }
        let limits = &self.guard.limits;
        guesses.source < limits.per_source && guesses.total < limits.total
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut counts = self.guard.counts();
        if counts.since == self.since {
            counts.total.under_way = counts.total.under_way.saturating_sub(1);
            if let Some(own) = counts.sources.get_mut(self.source) {
                own.under_way = own.under_way.saturating_sub(1);
                if own.under_way == 0 && own.wrong == 0 && !own.noted {
                    counts.sources.remove(self.source);
                }
            }
        }
        drop(counts);
        self.guard.over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    fn guard(per_source: u64, total: u64) -> Guard {
        Guard::new(GuessLimits { per_source, total, window: 60 })
    }

    fn enter<'g>(guard: &'g Guard, source: &'g str, now: u64) -> Result<Leave<'g>, bool> {
        guard.enter(source, Timestamp(now)).map_err(|Shut(news)| news)
    }

    fn wrong(guard: &Guard, source: &str, now: u64, count: u64) {
        let leave = enter(guard, source, now).expect("there is room");
        leave.learn(Guesses { source: count, total: count });
    }

    #[test]
    fn the_risk_is_tries_over_codes() {
        let limits = GuessLimits::default();
        assert_eq!(limits.guesses_a_day(), 4800);
        assert!((limits.risk(1, 12) - 4.8e-9).abs() < 1e-20);
        assert!((limits.risk(1_000_000, 12) - 4.8e-3).abs() < 1e-12);
        assert!((limits.risk(2, 20) - 9.6e-17).abs() < 1e-25);
        let limit = GuessLimits { window: 50_000, ..limits };
        assert_eq!(limit.guesses_a_day(), 400, "begun windows count");
        let odd = GuessLimits { window: 0, total: u64::MAX, ..limits };
        assert_eq!(odd.guesses_a_day(), u64::MAX);
        assert_eq!(odd.since(Timestamp(7)), Timestamp(7));
        assert_eq!(limits.since(Timestamp(7199)), Timestamp(3600));
        assert!(limits.risk(u64::MAX, 0).is_finite());
    }

    #[test]
    fn whoever_comes_last_waits_for_those_before() {
        let guard = &guard(1, 10);
        let first = enter(guard, "one", 0).expect("there is room");
        std::thread::scope(|scope| {
            let (told, hears) = mpsc::channel();
            scope.spawn(move || told.send(enter(guard, "one", 0).is_ok()));
            // Another source does not wait.
            drop(enter(guard, "other", 0).expect("there is room"));
            assert!(hears.recv_timeout(Duration::from_millis(50)).is_err());
            drop(first);
            assert_eq!(hears.recv_timeout(Duration::from_secs(5)), Ok(true));
        });
        let last = enter(guard, "one", 0).expect("there is room");
        std::thread::scope(|scope| {
            let (told, hears) = mpsc::channel();
            scope.spawn(move || told.send(enter(guard, "one", 0).err()));
            assert!(hears.recv_timeout(Duration::from_millis(50)).is_err());
            assert!(!last.learn(Guesses { source: 1, total: 1 }));
            drop(last);
            assert_eq!(hears.recv_timeout(Duration::from_secs(5)), Ok(Some(true)));
        });
        assert_eq!(enter(guard, "one", 0).err(), Some(false), "that is no news any more");
    }

    #[test]
    fn a_late_request_does_not_bring_back_the_window_before() {
        let guard = guard(2, 10);
        wrong(&guard, "one", 59, 2);
        assert!(enter(&guard, "one", 59).is_err());
        let one = enter(&guard, "one", 60).expect("a new window");
        let late = enter(&guard, "one", 59).expect("there is room in the new one");
        assert_eq!((one.since(), late.since()), (Timestamp(60), Timestamp(60)));
        late.learn(Guesses { source: 2, total: 2 });
        drop((one, late));
        assert!(enter(&guard, "one", 60).is_err());
        assert!(enter(&guard, "one", 59).is_err());
        // What was under way in the window before is nothing to this one.
        let before = enter(&guard, "other", 100).expect("there is room");
        let after = enter(&guard, "other", 120).expect("there is room");
        before.learn(Guesses { source: 9, total: 9 });
        drop(before);
        let second = enter(&guard, "other", 120).expect("there is room");
        drop((after, second));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_shut_the_server() {
        let guard = guard(1, 10);
        wrong(&guard, "one", 1_000_000, 1);
        assert!(enter(&guard, "one", 1_000_000).is_err());
        assert!(enter(&guard, "one", 1000).is_ok());
    }

    #[test]
    fn sources_without_number_are_not_remembered() {
        let guard = guard(2, 3);
        let sources: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        for source in &sources {
            drop(enter(&guard, source, 0));
        }
        assert_eq!(guard.counts().sources.len(), 0);
        wrong(&guard, "one", 0, 3);
        let news = sources.iter().filter(|source| enter(&guard, source, 0).err() == Some(true));
        assert_eq!(news.count(), 1, "that it is shut is noted once");
        assert!(guard.counts().sources.len() <= 1);
    }
}
