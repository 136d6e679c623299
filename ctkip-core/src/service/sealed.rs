//! Sessions that travel in their own identifier, so that any server of a farm can finish what
//! another began.

use super::{End, Entry, Full, NonceDigest, ReplayLog, Sessions, Ticket};
use crate::crypto::RsaPublicKey;
use crate::server::COMPACT;
use crate::session::SEALED;
use crate::{Layout, Pending, RandomnessFailed, Server, SessionId, Timestamp};
use aes_gcm_siv::Aes256GcmSiv;
use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use rand_core::TryCryptoRng;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use zeroize::Zeroizing;

/// Octets of GCM-SIV's nonce.
const NONCE: usize = 12;
/// Octets of the expiry, in seconds since 1970: enough for 34,000 years.
const EXPIRY: usize = 5;
/// Octets of what is sealed. With nonce and tag they fill an identifier: 12 + 45 + 16 = 73.
const PLAIN: usize = EXPIRY + COMPACT;

/// The key that seals sessions, 32 octets, the same at every server of a farm. Wiped on drop.
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// A key from its octets, which have to be random.
    #[must_use]
    pub fn new(octets: [u8; 32]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// A new key, for a server that has no other beside it.
    ///
    /// # Errors
    /// [`RandomnessFailed`] when `rng` does.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomnessFailed> {
        let mut key = Self::new([0; 32]);
        rng.try_fill_bytes(&mut *key.0).map_err(|_| RandomnessFailed)?;
        Ok(key)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(hidden)")
    }
}

/// Sessions sealed into their identifiers, under AES-256-GCM-SIV. Nothing is kept of an open one;
/// what is remembered begins with its `ClientNonce`, in the [`ReplayLog`].
///
/// Sealed are R_S, the expiry, the algorithms and the grant; sealed along with them, so that they
/// have to be the same where the session goes on, the version of the format, the profile's name and
/// the fingerprint of the RSA key. What does not fit is kept by the store `S` instead: runs that
/// replace a key or authenticate it (MAC 1), name a token, use a shared key, or demand `ServerInfo`
/// back.
///
/// An identifier is sealed if this server's key opens it; any other is looked up in the store. So one
/// that was changed, cut or sealed elsewhere is as unknown as one that was never given out.
#[derive(Debug)]
pub struct SealedSessions<L, S> {
    layout: Layout,
    lifetime: u64,
    profile: &'static str,
    cipher: Aes256GcmSiv,
    /// The keys of the server, the one it had first in front.
    keys: RwLock<Vec<Along>>,
    log: L,
    stored: S,
}

/// An RSA key, and what is sealed along under it, which takes no room.
#[derive(Debug)]
struct Along {
    key: RsaPublicKey,
    octets: Vec<u8>,
}

impl<L: ReplayLog, S: Sessions> SealedSessions<L, S> {
    /// Seals the sessions of `server`, each good for `lifetime` seconds, and stores in `stored` what
    /// cannot be sealed.
    #[must_use]
    pub fn new(server: &Server, sealing: &SealingKey, lifetime: u64, log: L, stored: S) -> Self {
        let profile = server.profile();
        let cipher = Aes256GcmSiv::new(&(*sealing.0).into());
        let (layout, profile) = (profile.layout, profile.name);
        let keys = RwLock::default();
        let sessions = Self { layout, lifetime, profile, cipher, keys, log, stored };
        if let Some(key) = server.rsa_key() {
            sessions.know(key.clone());
        }
        sessions
    }

    /// Seals sessions under another key of the server too ([`crate::Credentials::rsa_key`]), and goes
    /// on with those that were.
    pub fn know(&self, key: RsaPublicKey) {
        let octets =
            [b"ctkip session 1 ", self.profile.as_bytes(), b" ", &key.fingerprint()].concat();
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.iter().all(|known| known.key != key) {
            keys.push(Along { key, octets });
        }
    }

    /// Takes sessions under this key for unknown from now on.
    pub fn forget(&self, key: &RsaPublicKey) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).retain(|known| known.key != *key);
    }

    fn keys(&self) -> RwLockReadGuard<'_, Vec<Along>> {
        // A panic elsewhere leaves the list whole: every change to it is a single call.
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What remembers the sessions that were entered.
    #[must_use]
    pub const fn log(&self) -> &L {
        &self.log
    }

    /// The store of what cannot be sealed.
    #[must_use]
    pub const fn stored(&self) -> &S {
        &self.stored
    }

    /// The identifier that holds a session; `None` when it does not fit.
    fn seal<R: TryCryptoRng + ?Sized>(
        &self,
        pending: &Pending,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Option<SessionId>, Full> {
        let keys = self.keys();
        let fits = keys.iter().find_map(|along| Some((pending.compact(&along.key)?, along)));
        let expiry = now.0.saturating_add(self.lifetime).to_be_bytes();
        let (Some((compact, along)), [0, 0, 0, expiry @ ..]) = (fits, expiry) else {
            return Ok(None);
        };

        let mut sealed = [0; SEALED];
        let (nonce, rest) = sealed.split_at_mut(NONCE);
        let (plain, tag) = rest.split_at_mut(PLAIN);
        rng.try_fill_bytes(nonce).map_err(|_| Full)?;
        let (first, second) = plain.split_at_mut(EXPIRY);
        first.copy_from_slice(&expiry);
        second.copy_from_slice(&compact);
        let nonce = (&*nonce).try_into().map_err(|_| Full)?;
        let made = self.cipher.encrypt_inout_detached(nonce, &along.octets, plain.into());
        tag.copy_from_slice(&made.map_err(|_| Full)?);
        Ok(Some(SessionId::sealed(self.layout, &sealed)))
    }

    /// What an identifier holds, if it was sealed here.
    fn unseal(&self, id: &SessionId) -> Option<Unsealed> {
        let sealed = id.unsealed(self.layout)?;
        self.keys().iter().find_map(|along| self.unseal_under(&sealed, along))
    }

    fn unseal_under(&self, sealed: &[u8; SEALED], along: &Along) -> Option<Unsealed> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (mut plain, tag) =
            rest.split_first_chunk::<PLAIN>().map(|(plain, tag)| (*plain, tag))?;
        let ticket: Ticket = tag.try_into().ok()?;
        self.cipher
            .decrypt_inout_detached(
                nonce.into(),
                &along.octets,
                plain.as_mut_slice().into(),
                &ticket.into(),
            )
            .ok()?;
        let (expiry, compact) = plain.split_first_chunk::<EXPIRY>()?;
        let seconds = expiry.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
        let pending = Pending::from_compact(compact.try_into().ok()?, &along.key)?;
        Some(Unsealed { ticket, expiry: Timestamp(seconds), pending })
    }
}

/// What a sealed identifier holds.
struct Unsealed {
    ticket: Ticket,
    expiry: Timestamp,
    pending: Pending,
}

impl<L: ReplayLog, S: Sessions> Sessions for SealedSessions<L, S> {
    fn open<R: TryCryptoRng + ?Sized>(
        &self,
        pending: Pending,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<SessionId, Full> {
        match self.seal(&pending, now, rng)? {
            Some(id) => Ok(id),
            None => self.stored.open(pending, now, rng),
        }
    }

    fn enter(&self, id: &SessionId, digest: &NonceDigest, now: Timestamp) -> Entry {
        let Some(Unsealed { ticket, expiry, pending }) = self.unseal(id) else {
            return self.stored.enter(id, digest, now);
        };
        if expiry <= now {
            return Entry::Unknown;
        }
        match self.log.enter(&ticket, digest, expiry, now) {
            Entry::Open(()) => Entry::Open(Box::new(pending)),
            Entry::Answered(answer) => Entry::Answered(answer),
            Entry::Busy => Entry::Busy,
            Entry::Unknown => Entry::Unknown,
            Entry::Full => Entry::Full,
        }
    }

    fn leave(&self, id: &SessionId, end: End) {
        match self.unseal(id) {
            Some(Unsealed { ticket, .. }) => self.log.leave(&ticket, end),
            None => self.stored.leave(id, end),
        }
    }
}
