//! Where a server keeps its sessions between two requests, and what a repeated one meets.

use super::expiring::Expiring;
use crate::message::ServerFinished;
use crate::{Grant, Layout, Pending, PinSettings, SessionId, Timestamp};
use alloc::boxed::Box;
use rand_core::TryCryptoRng;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// SHA-256 of `EncryptedNonce`, by which a repeated `ClientNonce` is recognised.
pub type NonceDigest = [u8; 32];

/// The answer to a `ClientNonce` whose token was committed.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The message.
    pub finished: ServerFinished,
    /// What is sent beside it.
    pub pin: PinSettings,
    /// Whose token it is.
    pub grant: Grant,
}

/// What a `ClientNonce` meets.
#[derive(Debug)]
#[non_exhaustive]
pub enum Entry {
    /// An open session. It is this request's alone, until [`Sessions::leave`].
    Open(Box<Pending>),
    /// The same `ClientNonce` was answered before: the same answer again.
    Answered(Box<Answer>),
    /// The same `ClientNonce` is being processed.
    Busy,
    /// No session, or one that is over for this request.
    Unknown,
}

/// There is no room for another session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no room for another session")]
#[non_exhaustive]
pub struct Full;

/// A store of sessions. A `ClientNonce` is processed once per session; repeated octet for octet it
/// gets the stored answer, and anything else is refused.
pub trait Sessions: Send + Sync {
    /// Keeps a session and names it, unguessably and never twice (R022, R053).
    ///
    /// # Errors
    /// [`Full`] when there is no room, or `rng` fails.
    fn open<R: TryCryptoRng + ?Sized>(
        &self,
        pending: Pending,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<SessionId, Full>;

    /// Takes a `ClientNonce` into its session.
    fn enter(&self, id: &SessionId, digest: &NonceDigest, now: Timestamp) -> Entry;

    /// Ends what [`Self::enter`] began: with the answer, or with a failure that ends the session.
    fn leave(&self, id: &SessionId, answer: Option<Answer>);
}

/// Sessions in this process' memory.
#[derive(Debug)]
pub struct MemorySessions {
    layout: Layout,
    sessions: Mutex<Expiring<SessionId, Session>>,
}

#[derive(Debug)]
enum Session {
    Open(Box<Pending>),
    InProgress(NonceDigest),
    Failed,
    Answered(NonceDigest, Box<Answer>),
}

impl MemorySessions {
    /// Room for `capacity` sessions, each kept for `lifetime` seconds, open or over: as long, no name
    /// is given out again. `layout` says what identifiers look like: deployed clients expect those
    /// they know.
    #[must_use]
    pub fn new(layout: Layout, capacity: usize, lifetime: u64) -> Self {
        Self { layout, sessions: Mutex::new(Expiring::new(capacity, lifetime)) }
    }

    /// Keeps a session under a name of the caller's, for tests of recorded exchanges. An
    /// identifier that is already there is refused.
    ///
    /// # Errors
    /// [`Full`] when there is no room or the name is taken.
    pub fn insert(&self, id: SessionId, pending: Pending, now: Timestamp) -> Result<(), Full> {
        self.sessions().insert(id, Session::Open(Box::new(pending)), now)
    }

    /// The number of sessions kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions().len()
    }

    /// Whether no session is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn sessions(&self) -> MutexGuard<'_, Expiring<SessionId, Session>> {
        // A panic elsewhere leaves the table whole: every change to it is a single assignment.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions for MemorySessions {
    fn open<R: TryCryptoRng + ?Sized>(
        &self,
        pending: Pending,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<SessionId, Full> {
        let id = SessionId::random(self.layout, rng).map_err(|_| Full)?;
        self.insert(id.clone(), pending, now)?;
        Ok(id)
    }

    fn enter(&self, id: &SessionId, digest: &NonceDigest, now: Timestamp) -> Entry {
        let mut sessions = self.sessions();
        let Some(session) = sessions.get_mut(id, now) else { return Entry::Unknown };
        match session {
            Session::Open(_) => {
                let taken = core::mem::replace(session, Session::InProgress(*digest));
                let Session::Open(pending) = taken else { return Entry::Unknown };
                Entry::Open(pending)
            }
            Session::InProgress(known) if known == digest => Entry::Busy,
            Session::Answered(known, answer) if known == digest => Entry::Answered(answer.clone()),
            Session::InProgress(_) | Session::Answered(..) | Session::Failed => Entry::Unknown,
        }
    }

    fn leave(&self, id: &SessionId, answer: Option<Answer>) {
        let mut sessions = self.sessions();
        let Some(session) = sessions.kept_mut(id) else { return };
        if let Session::InProgress(digest) = session {
            *session = match answer {
                Some(answer) => Session::Answered(*digest, Box::new(answer)),
                None => Session::Failed,
            };
        }
    }
}
