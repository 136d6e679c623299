//! Where a server keeps its sessions between two requests, and what a repeated one meets.

use super::progress::Table;
use crate::message::ServerFinished;
use crate::{Grant, Layout, Pending, PinSettings, SessionId, Timestamp};
use alloc::boxed::Box;
use rand_core::TryCryptoRng;

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

/// What a `ClientNonce` meets:
///
/// | session | the same `EncryptedNonce` | another |
/// |---|---|---|
/// | open | [`Open`](Self::Open) | [`Open`](Self::Open) |
/// | in progress | [`Busy`](Self::Busy) | [`Unknown`](Self::Unknown) |
/// | failed | [`Unknown`](Self::Unknown) | [`Unknown`](Self::Unknown) |
/// | undecided | [`Open`](Self::Open) | [`Open`](Self::Open) |
/// | committed, until it expires | [`Answered`](Self::Answered) | [`Unknown`](Self::Unknown) |
#[derive(Debug)]
#[non_exhaustive]
pub enum Entry<P = Box<Pending>> {
    /// An open session, and what was kept of it. It is this request's alone, until
    /// [`Sessions::leave`].
    Open(P),
    /// The same `ClientNonce` was answered before: the same answer again.
    Answered(Box<Answer>),
    /// The same `ClientNonce` is being processed.
    Busy,
    /// No session, or one that is over for this request.
    Unknown,
    /// There is no room to remember that this session was entered. It stays open.
    Full,
}

/// How the processing of a `ClientNonce` ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum End {
    /// With the answer, which the same request gets again.
    Answered(Box<Answer>),
    /// With a failure that ends the session.
    Failed,
    /// The store could not be asked, so it is not known whether there is a token: the session is as
    /// open as before, and a repeated request finds out.
    Undecided,
}

/// There is no room for another session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no room for another session")]
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

    /// Ends what [`Self::enter`] began.
    fn leave(&self, id: &SessionId, end: End);
}

/// Sessions in this process' memory.
#[derive(Debug)]
pub struct MemorySessions {
    layout: Layout,
    lifetime: u64,
    sessions: Table<SessionId, Box<Pending>>,
}

impl MemorySessions {
    /// Room for `capacity` sessions, each kept for `lifetime` seconds, open or over: as long, no name
    /// is given out again. `layout` says what identifiers look like: deployed clients expect those
    /// they know.
    #[must_use]
    pub fn new(layout: Layout, capacity: usize, lifetime: u64) -> Self {
        Self { layout, lifetime, sessions: Table::new(capacity) }
    }

    /// Keeps a session under a name of the caller's, for tests of recorded exchanges. An
    /// identifier that is already there is refused.
    ///
    /// # Errors
    /// [`Full`] when there is no room or the name is taken.
    pub fn insert(&self, id: SessionId, pending: Pending, now: Timestamp) -> Result<(), Full> {
        let expiry = Timestamp(now.0.saturating_add(self.lifetime));
        self.sessions.open(id, Box::new(pending), expiry, now)
    }

    /// The number of sessions kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether no session is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        self.sessions.enter(id, digest, now)
    }

    fn leave(&self, id: &SessionId, end: End) {
        self.sessions.leave(id, end);
    }
}
