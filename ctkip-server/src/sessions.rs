//! Sessions sealed under whichever RSA keys the register has at the time.

use ctkip_core::crypto::NonceKey;
use ctkip_core::service::{
    End, Entry, Full, MemorySessions, NonceDigest, SealedSessions, Sessions, UnderwayLog,
};
use ctkip_core::{Pending, Server, SessionId, Timestamp};
use rand_core::TryCryptoRng;
use std::sync::{Mutex, PoisonError};

use crate::Registry;
use crate::ring::{Held, Ring};
use std::sync::Arc;

/// How many requests are processed at a time, at the most; and how many sessions that cannot be
/// sealed, and failed ones, are kept.
const ROOM: usize = 1 << 14;

/// Sealed sessions that follow the keys of a ring. What committed is in the store, so nothing is
/// remembered of it here, and any node finishes what another began.
pub(crate) struct RingSessions<K> {
    sealed: SealedSessions<UnderwayLog, MemorySessions>,
    ring: Ring<K>,
    followed: Mutex<Followed<K>>,
}

/// The keys that sessions are sealed under now.
struct Followed<K> {
    generation: u64,
    keys: Vec<Arc<Held<K>>>,
}

impl<K: NonceKey> RingSessions<K> {
    pub(crate) fn new(server: &Server, registry: &Registry, ring: Ring<K>, lifetime: u64) -> Self {
        let stored = MemorySessions::new(server.profile().layout, ROOM, lifetime);
        let (sealing, log) = (registry.sealing_key(), UnderwayLog::new(ROOM));
        let sealed = SealedSessions::new(server, &sealing, lifetime, log, stored);
        let followed = Mutex::new(Followed { generation: 0, keys: Vec::new() });
        Self { sealed, ring, followed }
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
        match self.sealed.enter(id, digest, now) {
            // Another node may have sealed it under a key that is new.
            Entry::Unknown if self.ring.refresh_if_stale(now) => {
                self.follow();
                self.sealed.enter(id, digest, now)
            }
            entry => entry,
        }
    }

    fn leave(&self, id: &SessionId, end: End) {
        self.sealed.leave(id, end);
    }
}
