//! Sessions that travel in their own identifier, so that any server of a farm can finish what
//! another began.

use super::{Answer, Entry, Full, NonceDigest, ReplayLog, Sessions, Ticket};
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
    key: Option<RsaPublicKey>,
    cipher: Aes256GcmSiv,
    /// What is sealed along, and takes no room.
    along: Vec<u8>,
    log: L,
    stored: S,
}

impl<L: ReplayLog, S: Sessions> SealedSessions<L, S> {
    /// Seals the sessions of `server`, each good for `lifetime` seconds, and stores in `stored` what
    /// cannot be sealed.
    #[must_use]
    pub fn new(server: &Server, sealing: &SealingKey, lifetime: u64, log: L, stored: S) -> Self {
        let profile = server.profile();
        let key = server.rsa_key().cloned();
        let fingerprint = key.as_ref().map(RsaPublicKey::fingerprint).unwrap_or_default();
        let along = [b"ctkip session 1 ", profile.name.as_bytes(), b" ", &fingerprint].concat();
        let cipher = Aes256GcmSiv::new(&(*sealing.0).into());
        Self { layout: profile.layout, lifetime, key, cipher, along, log, stored }
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
        let compact = self.key.as_ref().and_then(|key| pending.compact(key));
        let expiry = now.0.saturating_add(self.lifetime).to_be_bytes();
        let (Some(compact), [0, 0, 0, expiry @ ..]) = (compact, expiry) else { return Ok(None) };

        let mut sealed = [0; SEALED];
        let (nonce, rest) = sealed.split_at_mut(NONCE);
        let (plain, tag) = rest.split_at_mut(PLAIN);
        rng.try_fill_bytes(nonce).map_err(|_| Full)?;
        let (first, second) = plain.split_at_mut(EXPIRY);
        first.copy_from_slice(&expiry);
        second.copy_from_slice(&compact);
        let nonce = (&*nonce).try_into().map_err(|_| Full)?;
        let made = self.cipher.encrypt_inout_detached(nonce, &self.along, plain.into());
        tag.copy_from_slice(&made.map_err(|_| Full)?);
        Ok(Some(SessionId::sealed(self.layout, &sealed)))
    }

    /// What an identifier holds, if it was sealed here.
    fn unseal(&self, id: &SessionId) -> Option<Unsealed> {
        let mut sealed = id.unsealed(self.layout)?;
        let (nonce, rest) = sealed.split_at_mut(NONCE);
        let (plain, tag) = rest.split_at_mut(PLAIN);
        let ticket: Ticket = (&*tag).try_into().ok()?;
        let nonce = (&*nonce).try_into().ok()?;
        self.cipher
            .decrypt_inout_detached(nonce, &self.along, (&mut *plain).into(), &ticket.into())
            .ok()?;
        let (expiry, compact) = plain.split_first_chunk::<EXPIRY>()?;
        let seconds = expiry.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
        Some(Unsealed { ticket, expiry: Timestamp(seconds), compact: compact.try_into().ok()? })
    }
}

/// What a sealed identifier holds.
struct Unsealed {
    ticket: Ticket,
    expiry: Timestamp,
    compact: [u8; COMPACT],
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
        let Some(Unsealed { ticket, expiry, compact }) = self.unseal(id) else {
            return self.stored.enter(id, digest, now);
        };
        let pending = self.key.as_ref().and_then(|key| Pending::from_compact(&compact, key));
        let Some(pending) = pending.filter(|_| now < expiry) else { return Entry::Unknown };
        match self.log.enter(&ticket, digest, expiry, now) {
            Entry::Open(()) => Entry::Open(Box::new(pending)),
            Entry::Answered(answer) => Entry::Answered(answer),
            Entry::Busy => Entry::Busy,
            Entry::Unknown => Entry::Unknown,
            Entry::Full => Entry::Full,
        }
    }

    fn leave(&self, id: &SessionId, answer: Option<Answer>) {
        match self.unseal(id) {
            Some(Unsealed { ticket, .. }) => self.log.leave(&ticket, answer),
            None => self.stored.leave(id, answer),
        }
    }
}
