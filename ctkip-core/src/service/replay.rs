//! What is remembered of sealed sessions: that they were entered, and how they ended.

use super::expiring::Expiring;
use super::progress::Table;
use super::{End, Entry, NonceDigest};
use crate::Timestamp;
use alloc::sync::Arc;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What tells one sealed session from all others, 16 octets.
pub type Ticket = [u8; 16];

/// Remembers which sealed sessions were entered, so that none is processed twice.
///
/// The servers of a farm share one, or leave it to the store behind their
/// [`Issuer`](super::Issuer) to commit at most one token for a grant.
pub trait ReplayLog: Send + Sync {
    /// Takes a `ClientNonce` into a session, in one step: of all that ask at once for a session that
    /// was not entered before, one is told [`Entry::Open`]. The log may forget the session after
    /// `expiry`, and not before; a log without room says [`Entry::Full`].
    fn enter(
        &self,
        ticket: &Ticket,
        digest: &NonceDigest,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Entry<()>;

    /// Ends what [`Self::enter`] began.
    fn leave(&self, ticket: &Ticket, end: End);
}

impl<L: ReplayLog + ?Sized> ReplayLog for Arc<L> {
    fn enter(
        &self,
        ticket: &Ticket,
        digest: &NonceDigest,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Entry<()> {
        (**self).enter(ticket, digest, expiry, now)
    }

    fn leave(&self, ticket: &Ticket, end: End) {
        (**self).leave(ticket, end);
    }
}

/// A replay log in this process' memory.
#[derive(Debug)]
pub struct MemoryReplayLog {
    entered: Table<Ticket, ()>,
}

impl MemoryReplayLog {
    /// Room for `capacity` sessions, each from its `ClientNonce` until it expires. To serve so many
    /// handshakes a second, it takes the lifetime of a session as many times.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { entered: Table::new(capacity) }
    }

    /// The number of sessions remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entered.len()
    }

    /// Whether no session is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ReplayLog for MemoryReplayLog {
    fn enter(
        &self,
        ticket: &Ticket,
        digest: &NonceDigest,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Entry<()> {
        self.entered.enter_first(ticket, (), digest, expiry, now)
    }

    fn leave(&self, ticket: &Ticket, end: End) {
        self.entered.leave(ticket, end);
    }
}

/// A replay log for an issuer that remembers what it committed ([`Issued::repeated`](super::Issued)):
/// it holds a session only while its `ClientNonce` is processed, and those that failed until they
/// expire. So it takes no more memory the more tokens were given out, and a server that was
/// restarted, or another one, answers a repeated request as this one would.
#[derive(Debug)]
pub struct UnderwayLog {
    capacity: usize,
    sessions: Mutex<Underway>,
}

#[derive(Debug)]
struct Underway {
    entered: HashMap<Ticket, (NonceDigest, Timestamp)>,
    failed: Expiring<Ticket, ()>,
    /// The latest time that was told.
    now: Timestamp,
}

impl UnderwayLog {
    /// Room for `capacity` sessions that are processed at a time, and for as many that failed. When
    /// more fail, those are as open as before.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let failed = Expiring::new(capacity);
        let sessions = Underway { entered: HashMap::new(), failed, now: Timestamp(0) };
        Self { capacity, sessions: Mutex::new(sessions) }
    }

    fn sessions(&self) -> MutexGuard<'_, Underway> {
        // A panic elsewhere leaves the table whole: every change to it is a single call.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReplayLog for UnderwayLog {
    fn enter(
        &self,
        ticket: &Ticket,
        digest: &NonceDigest,
        expiry: Timestamp,
        now: Timestamp,
    ) -> Entry<()> {
        let mut sessions = self.sessions();
        sessions.now = now;
        if sessions.failed.get_mut(ticket, now).is_some() {
            return Entry::Unknown;
        }
        match sessions.entered.get(ticket) {
            Some((known, _)) if known == digest => return Entry::Busy,
            Some(_) => return Entry::Unknown,
            None if sessions.entered.len() >= self.capacity => return Entry::Full,
            None => {}
        }
        sessions.entered.insert(*ticket, (*digest, expiry));
        Entry::Open(())
    }

    fn leave(&self, ticket: &Ticket, end: End) {
        let mut sessions = self.sessions();
        if let (Some((_, expiry)), End::Failed) = (sessions.entered.remove(ticket), end) {
            let now = sessions.now;
            // Without room it is forgotten: what a session may still do then, a new one may, too.
            let _ = sessions.failed.insert(*ticket, (), expiry, now);
        }
    }
}
