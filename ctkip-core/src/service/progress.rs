//! What a `ClientNonce` meets, by how far its session has come. The one place that decides it, for
//! sessions that are stored and for those that are sealed into their identifier.

use super::expiring::Expiring;
use super::{Answer, End, Entry, Full, NonceDigest};
use crate::{Pending, Timestamp};
use alloc::boxed::Box;
use core::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an open session holds.
pub(super) trait Held {
    /// The same again, for a session that may have to be opened again.
    fn copy(&self) -> Self;
}

impl Held for () {
    fn copy(&self) {}
}

impl Held for Box<Pending> {
    fn copy(&self) -> Self {
        Self::new(Pending::copy(self))
    }
}

/// How far a session has come. `P` is what an open one holds.
#[derive(Debug)]
enum Progress<P> {
    Open(P),
    Processing(NonceDigest, P),
    Failed,
    Answered(NonceDigest, Answer),
}

impl<P: Held> Progress<P> {
    fn enter(&mut self, digest: &NonceDigest) -> Entry<P> {
        match self {
            Self::Open(held) => {
                let (kept, held) = (held.copy(), held.copy());
                *self = Self::Processing(*digest, kept);
                Entry::Open(held)
            }
            Self::Processing(known, _) if known == digest => Entry::Busy,
            Self::Answered(known, answer) if known == digest => {
                Entry::Answered(Box::new(answer.clone()))
            }
            Self::Processing(..) | Self::Answered(..) | Self::Failed => Entry::Unknown,
        }
    }

    fn leave(&mut self, end: End) {
        if let Self::Processing(digest, held) = self {
            *self = match end {
                End::Answered(answer) => Self::Answered(*digest, *answer),
                End::Failed => Self::Failed,
                End::Undecided => Self::Open(held.copy()),
            };
        }
    }
}

/// How far each session has come, in this process' memory.
#[derive(Debug)]
pub(super) struct Table<K, P> {
    sessions: Mutex<Expiring<K, Progress<P>>>,
}

impl<K: Clone + Ord + Hash, P: Held> Table<K, P> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { sessions: Mutex::new(Expiring::new(capacity)) }
    }

    /// Adds an open session, under a name that is not taken.
    pub(super) fn open(
        &self,
        key: K,
        held: P,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Result<(), Full> {
        self.sessions().insert(key, Progress::Open(held), expiry, now)
    }

    /// Takes a `ClientNonce` into a session that was added.
    pub(super) fn enter(&self, key: &K, digest: &NonceDigest, now: Timestamp) -> Entry<P> {
        let mut sessions = self.sessions();
        sessions.get_mut(key, now).map_or(Entry::Unknown, |session| session.enter(digest))
    }

    /// Takes a `ClientNonce` into a session that is open unless it was entered before.
    pub(super) fn enter_first(
        &self,
        key: &K,
        held: P,
        digest: &NonceDigest,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Entry<P> {
        let mut sessions = self.sessions();
        if sessions.get_mut(key, now).is_none()
            && sessions.insert(key.clone(), Progress::Open(held), expiry, now).is_err()
        {
            return Entry::Full;
        }
        sessions.get_mut(key, now).map_or(Entry::Unknown, |session| session.enter(digest))
    }

    /// Ends what entering began, however late.
    pub(super) fn leave(&self, key: &K, end: End) {
        if let Some(session) = self.sessions().kept_mut(key) {
            session.leave(end);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.sessions().len()
    }

    fn sessions(&self) -> MutexGuard<'_, Expiring<K, Progress<P>>> {
        // A panic elsewhere leaves the table whole: every change to it is a single assignment.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
