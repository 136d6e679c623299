//! Commits that are waited for together. A disk makes only so many commits a second; requests that
//! come meanwhile share the next one.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::store::{Issue, StoreError, Verdict};

/// The most tokens of one transaction.
const LARGEST: usize = 64;

type Outcome = Result<Verdict, StoreError>;

/// Tokens that wait to be issued. Whoever comes while nobody commits, commits for all who wait, and
/// then hands that on to one of those who came meanwhile.
#[derive(Default)]
pub(super) struct Batches(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Arc<Waiting>>,
    /// Somebody commits, or was told to.
    committing: bool,
}

struct Waiting {
    new: Issue,
    source: String,
    turn: Mutex<Turn>,
    changed: Condvar,
}

/// What one who waits is to do.
#[derive(Default)]
enum Turn {
    #[default]
    Wait,
    /// Commit, for all who wait.
    Commit,
    /// Go, with the outcome.
    Go(Outcome),
}

/// Whoever commits. However that ends, nobody is left waiting for it.
struct Committing<'b> {
    batches: &'b Batches,
    batch: Vec<Arc<Waiting>>,
}

impl Batches {
    /// Issues a token, with others that wait, by `commit`: it has an outcome for each.
    pub(super) fn issue<C>(&self, new: Issue, source: &str, commit: C) -> Outcome
    where
        C: Fn(&[(&Issue, &str)]) -> Result<Vec<Outcome>, StoreError>,
    {
        let own = Arc::new(Waiting {
            new,
            source: source.to_owned(),
            turn: Mutex::default(),
            changed: Condvar::new(),
        });
        {
            let mut queue = lock(&self.0);
            queue.waiting.push_back(Arc::clone(&own));
            if !mem::replace(&mut queue.committing, true) {
                own.set(Turn::Commit);
            }
        }
        loop {
            match own.turn() {
                Turn::Go(outcome) => return outcome,
                Turn::Wait => {}
                Turn::Commit => {
                    let batch = lock(&self.0).batch();
                    let committing = Committing { batches: self, batch };
                    let asked: Vec<_> = committing
                        .batch
                        .iter()
                        .map(|waiting| (&waiting.new, waiting.source.as_str()))
                        .collect();
                    let outcomes = commit(&asked);
                    committing.tell(outcomes);
                }
            }
        }
    }
}

impl Committing<'_> {
    fn tell(mut self, outcomes: Result<Vec<Outcome>, StoreError>) {
        let failure = outcomes.as_ref().err().cloned();
        let mut outcomes = outcomes.unwrap_or_default().into_iter();
        // Whoever has no outcome is left for the end.
        self.batch.retain(|waiting| {
            let outcome = outcomes.next().or_else(|| failure.clone().map(Err));
            outcome.map(|outcome| waiting.set(Turn::Go(outcome))).is_none()
        });
    }
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        // Left by a panic, or forgotten.
        for waiting in mem::take(&mut self.batch) {
            waiting.set(Turn::Go(Err(StoreError::Unavailable("a commit was given up".into()))));
        }
        let mut queue = lock(&self.batches.0);
        match queue.waiting.front() {
            Some(next) => next.set(Turn::Commit),
            None => queue.committing = false,
        }
    }
}

impl Waiting {
    /// Waits until there is something to do.
    fn turn(&self) -> Turn {
        let mut turn = lock(&self.turn);
        loop {
            match mem::take(&mut *turn) {
                Turn::Wait => {
                    turn = self.changed.wait(turn).unwrap_or_else(PoisonError::into_inner);
                }
                other => return other,
            }
        }
    }

    fn set(&self, turn: Turn) {
        *lock(&self.turn) = turn;
        self.changed.notify_one();
    }
}

impl Queue {
    /// The next to be committed: their codes differ, for what becomes of the second depends on the
    /// first.
    fn batch(&mut self) -> Vec<Arc<Waiting>> {
        let mut batch: Vec<Arc<Waiting>> = Vec::new();
        let mut later = VecDeque::new();
        while let Some(next) = self.waiting.pop_front() {
            let full = batch.len() >= LARGEST;
            if full || batch.iter().any(|waiting| waiting.new.code == next.new.code) {
                later.push_back(next);
            } else {
                batch.push(next);
            }
        }
        self.waiting = later;
        batch
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves what is behind it whole: every change to it is a single call.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::CodeTag;
    use crate::store::Cause;
    use crate::testing::{NOW, at_once, random};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn token(code: u8) -> Issue {
        Issue {
            code: CodeTag::new([code; 14]),
            session: random(),
            digest: random(),
            seed: Vec::new(),
            committed: NOW,
            confirmed: None,
            step: None,
            revoked: None,
        }
    }

    #[test]
    fn codes_of_a_batch_differ_and_all_are_answered() {
        let batches = Batches::default();
        let (commits, together) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let verdicts = at_once(40, |number| {
            batches.issue(token((number % 20) as u8), "", |batch| {
                assert_eq!(together.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                std::thread::sleep(std::time::Duration::from_millis(5));
                let mut codes: Vec<_> = batch.iter().map(|(new, _)| new.code).collect();
                codes.sort();
                codes.dedup();
                assert_eq!(codes.len(), batch.len());
                commits.fetch_add(1, Ordering::SeqCst);
                together.fetch_sub(1, Ordering::SeqCst);
                Ok(batch.iter().map(|_| Ok(Verdict::Refused(Cause::Wrong))).collect())
            })
        });
        assert!(
            verdicts.iter().all(|verdict| matches!(verdict, Ok(Verdict::Refused(Cause::Wrong))))
        );
        assert!((2..40).contains(&commits.into_inner()), "requests share commits");
    }

    #[test]
    fn a_commit_that_panics_or_forgets_keeps_nobody_waiting() {
        let batches = Batches::default();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            batches.issue(token(1), "", |_| panic!("on purpose"))
        }));
        assert!(panicked.is_err());
        let ended = at_once(12, |number| {
            catch_unwind(AssertUnwindSafe(|| {
                batches.issue(token(number as u8), "", |_| {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    if number % 2 == 0 { panic!("on purpose") } else { Ok(Vec::new()) }
                })
            }))
        });
        for verdict in ended.into_iter().flatten() {
            assert!(matches!(verdict, Err(StoreError::Unavailable(_))), "{verdict:?}");
        }
        let fine = batches.issue(token(1), "", |_| Ok(vec![Ok(Verdict::Refused(Cause::Wrong))]));
        assert!(matches!(fine, Ok(Verdict::Refused(Cause::Wrong))));
    }
}
