//! Commits that are waited for together. A disk makes only so many commits a second; requests that
//! come meanwhile share the next one.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::store::{Issue, StoreError, Verdict};

/// The most tokens of one transaction.
const LARGEST: usize = 64;

/// Tokens that wait to be issued. Whoever comes while nobody commits, commits for all who wait.
#[derive(Default)]
pub(super) struct Batches {
    queue: Mutex<Queue>,
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Arc<Waiting>>,
    /// Somebody commits.
    committing: bool,
}

struct Waiting {
    new: Issue,
    source: String,
    verdict: Mutex<Option<Result<Verdict, StoreError>>>,
}

impl Batches {
    /// Issues a token, with others that wait, by `commit`: it has a verdict for each.
    pub(super) fn issue<C>(
        &self,
        new: Issue,
        source: &str,
        commit: C,
    ) -> Result<Verdict, StoreError>
    where
        C: Fn(&[(&Issue, &str)]) -> Result<Vec<Result<Verdict, StoreError>>, StoreError>,
    {
        let verdict = Mutex::default();
        let own = Arc::new(Waiting { new, source: source.to_owned(), verdict });
        let mut queue = lock(&self.queue);
        queue.waiting.push_back(Arc::clone(&own));
        loop {
            if let Some(verdict) = lock(&own.verdict).take() {
                return verdict;
            }
            if queue.committing {
                queue = self.done.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.committing = true;
            let leading = Leading { batches: self, batch: queue.batch() };
            drop(queue);
            let batch = &leading.batch;
            let asked: Vec<_> =
                batch.iter().map(|waiting| (&waiting.new, waiting.source.as_str())).collect();
            match commit(&asked) {
                Ok(verdicts) => {
                    for (waiting, verdict) in batch.iter().zip(verdicts) {
                        *lock(&waiting.verdict) = Some(verdict);
                    }
                }
                Err(error) => {
                    for waiting in batch {
                        *lock(&waiting.verdict) = Some(Err(error.clone()));
                    }
                }
            }
            drop(leading);
            queue = lock(&self.queue);
        }
    }
}

/// Whoever commits. However that ends, all who wait for it hear of it.
struct Leading<'b> {
    batches: &'b Batches,
    batch: Vec<Arc<Waiting>>,
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        for waiting in &self.batch {
            lock(&waiting.verdict).get_or_insert_with(|| {
                Err(StoreError::Unavailable("the commit came to nothing".into()))
            });
        }
        lock(&self.batches.queue).committing = false;
        self.batches.done.notify_all();
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
            code: CodeTag([code; 14]),
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
