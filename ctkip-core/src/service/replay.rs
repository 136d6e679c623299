//! What is remembered of sealed sessions: that they were entered, and how they ended.

use super::progress::Table;
use super::{Answer, Entry, NonceDigest};
use crate::Timestamp;
use alloc::sync::Arc;

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

    /// Ends what [`Self::enter`] began: with the answer, or with a failure that ends the session.
    fn leave(&self, ticket: &Ticket, answer: Option<Answer>);
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

    fn leave(&self, ticket: &Ticket, answer: Option<Answer>) {
        (**self).leave(ticket, answer);
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

    fn leave(&self, ticket: &Ticket, answer: Option<Answer>) {
        self.entered.leave(ticket, answer);
    }
}
