//! Sessions sealed under whichever RSA keys the register has at the time.

use ctkip_core::crypto::NonceKey;
use ctkip_core::service::{
    End, Entry, Full, MemorySessions, NonceDigest, SealedSessions, Sessions, UnderwayLog,
};
use ctkip_core::{Pending, Server, SessionId, Timestamp};
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Registry;
use crate::code::CodeTag;
use crate::office::granted;
use crate::ring::{Held, Ring};
use crate::store::Window;

/// How many requests are processed at a time, at the most; and how many sessions that cannot be
/// sealed, and failed ones, are kept.
const ROOM: usize = 1 << 14;

/// Sealed sessions that follow the keys of a ring. What committed is in the store, so nothing is
/// remembered of it here, and any node finishes what another began.
pub(crate) struct RingSessions<K> {
    sealed: SealedSessions<UnderwayLog, MemorySessions>,
    ring: Ring<K>,
    followed: Mutex<Followed<K>>,
    registry: Arc<Registry>,
    /// The codes of the sessions that are processed now.
    underway: Mutex<HashMap<SessionId, CodeTag>>,
}

/// The keys that sessions are sealed under now.
struct Followed<K> {
    generation: u64,
    keys: Vec<Arc<Held<K>>>,
}

impl<K: NonceKey> RingSessions<K> {
    pub(crate) fn new(
        server: &Server,
        registry: Arc<Registry>,
        ring: Ring<K>,
        lifetime: u64,
    ) -> Self {
        let stored = MemorySessions::new(server.profile().layout, ROOM, lifetime);
        let (sealing, log) = (registry.sealing_key(), UnderwayLog::new(ROOM));
        let sealed = SealedSessions::new(server, &sealing, lifetime, log, stored);
        let followed = Mutex::new(Followed { generation: 0, keys: Vec::new() });
        let sessions = Self { sealed, ring, followed, registry, underway: Mutex::default() };
        sessions.follow();
        sessions
    }

    fn underway(&self) -> MutexGuard<'_, HashMap<SessionId, CodeTag>> {
        // A panic elsewhere leaves the table whole: every change to it is a single call.
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token came of this session before. Where that cannot be found out, it may have.
    fn may_have_committed(&self, id: &SessionId, code: &CodeTag) -> bool {
        let window = Window { source: "", since: Timestamp(0) };
        let Ok((standing, _)) = self.registry.store().find(code, window) else { return true };
        let session: [u8; 32] = Sha256::digest(id.as_str()).into();
        standing.and_then(|standing| standing.issue).is_some_and(|issue| issue.session == session)
    }

    fn follow(&self) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.ring.generation();
        if followed.generation == generation {
            return;
        }
        let keys = self.ring.keys();
        for gone in &followed.keys {
            if keys.iter().all(|key| key.id != gone.id) {
                self.sealed.forget(&gone.public);
            }
        }
        for key in &keys {
            self.sealed.know(key.public.clone());
        }
        *followed = Followed { generation, keys };
    }
}

impl<K: NonceKey> Sessions for RingSessions<K> {
    fn open<R: TryCryptoRng + ?Sized>(
        &self,
        pending: Pending,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<SessionId, Full> {
        self.follow();
        self.sealed.open(pending, now, rng)
    }

    fn enter(&self, id: &SessionId, digest: &NonceDigest, now: Timestamp) -> Entry {
        self.follow();
        let entry = match self.sealed.enter(id, digest, now) {
            // Another node may have sealed it under a key that is new.
            Entry::Unknown if self.ring.refresh_if_stale(now) => {
                self.follow();
                self.sealed.enter(id, digest, now)
            }
            entry => entry,
        };
        if let Entry::Open(pending) = &entry
            && let Some(code) = granted(pending.granted())
        {
            self.underway().insert(id.clone(), code);
        }
        entry
    }

    fn leave(&self, id: &SessionId, end: End) {
        let code = self.underway().remove(id);
        // What fails in a session that has committed fails alone: the stored answer stays.
        let end = match (end, code) {
            (End::Failed, Some(code)) if self.may_have_committed(id, &code) => End::Undecided,
            (end, _) => end,
        };
        self.sealed.leave(id, end);
    }
}

#[cfg(test)]
impl<K> RingSessions<K> {
    /// Whether no request is processed.
    pub(crate) fn is_idle(&self) -> bool {
        self.underway.lock().unwrap().is_empty()
    }
}
