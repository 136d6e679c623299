//! The RSA keys that a node decrypts with, as the store has them.

use ctkip_core::crypto::{DecryptFailed, NonceKey, RsaPublicKey, Scheme, UnusableKey};
use ctkip_core::message::EncryptionKey;
use ctkip_core::service::NonceKeys;
use ctkip_core::{SecretNonce, Timestamp};
use rand_core::TryCryptoRng;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::Registry;
use crate::registry::keys_hex as hex;
use crate::store::{KeyId, StoreError};

/// Makes a key of two primes and an exponent, big-endian: the crate `rsa`, or something faster.
pub type MakeKey<K> = fn(&[u8], &[u8], &[u8]) -> Result<K, UnusableKey>;

/// The keys of a register that were not retired, ready to decrypt. Clones are the same ring.
pub(crate) struct Ring<K>(Arc<Inner<K>>);

struct Inner<K> {
    registry: Arc<Registry>,
    make: MakeKey<K>,
    /// The youngest first.
    keys: RwLock<Vec<Arc<Held<K>>>>,
    /// Counts changes.
    generation: AtomicU64,
    /// When the store was last looked into; one does at a time.
    refreshed: Mutex<Timestamp>,
}

/// A key that is held.
pub(crate) struct Held<K> {
    pub(crate) id: KeyId,
    pub(crate) public: RsaPublicKey,
    key: K,
}

impl<K> Clone for Ring<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: NonceKey> Ring<K> {
    pub(crate) fn new(registry: Arc<Registry>, make: MakeKey<K>) -> Self {
        let (keys, generation) = (RwLock::default(), AtomicU64::new(0));
        let refreshed = Mutex::new(Timestamp(0));
        Self(Arc::new(Inner { registry, make, keys, generation, refreshed }))
    }

    /// The keys held, the youngest first.
    pub(crate) fn keys(&self) -> Vec<Arc<Held<K>>> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often the keys have changed.
    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// The key of this name, looked for in the store if it is not held.
    pub(crate) fn find(&self, id: &KeyId) -> Result<Option<Arc<Held<K>>>, StoreError> {
        let held = || self.keys().into_iter().find(|key| key.id == *id);
        match held() {
            None => self.refresh().map(|()| held()),
            held => Ok(held),
        }
    }

    /// Looks into the store, unless that was done within this second; whether the keys have changed.
    pub(crate) fn refresh_if_stale(&self, now: Timestamp) -> bool {
        let before = self.generation();
        let mut refreshed = self.refreshed();
        if *refreshed != now {
            *refreshed = now;
            if let Err(error) = self.look() {
                tracing::error!(%error, "the RSA keys cannot be read");
            }
        }
        self.generation() != before
    }

    /// Holds what the store has. A key that does not open is passed over, and logged.
    pub(crate) fn refresh(&self) -> Result<(), StoreError> {
        let _alone = self.refreshed();
        self.look()
    }

    fn refreshed(&self) -> MutexGuard<'_, Timestamp> {
        // A panic elsewhere leaves a time that is right.
        self.0.refreshed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> Result<(), StoreError> {
        let stored = self.0.registry.store().keys()?;
        let held = self.keys();
        let mut keys = Vec::with_capacity(stored.len());
        for key in stored.iter().filter(|key| key.retired.is_none()) {
            if let Some(known) = held.iter().find(|known| known.id == key.id) {
                keys.push(Arc::clone(known));
                continue;
            }
            let opened = self.0.registry.open_key(key).ok();
            let made = opened.and_then(|opened| {
                let made = opened.with(self.0.make)?.ok()?;
                Some(Held { id: opened.id, public: opened.public.clone(), key: made })
            });
            match made {
                Some(key) => keys.push(Arc::new(key)),
                None => tracing::error!(
                    key = hex(&key.id),
                    "this RSA key cannot be used: its row was changed by another hand, or it is of a kind that this server does not take"
                ),
            }
        }
        let same = keys.len() == held.len()
            && keys.iter().zip(&held).all(|(one, other)| one.id == other.id);
        if !same {
            *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
            self.0.generation.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }
}

impl<K: NonceKey> NonceKeys for Ring<K> {
    fn decrypt_under<R: TryCryptoRng + ?Sized>(
        &self,
        public: &EncryptionKey,
        scheme: Scheme,
        server_nonce: &[u8],
        ciphertext: &[u8],
        rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        let EncryptionKey::Rsa { modulus, .. } = public else { return Err(DecryptFailed) };
        let key = self.keys().into_iter().find(|held| held.public.modulus() == modulus);
        key.ok_or(DecryptFailed)?.key.decrypt(scheme, server_nonce, ciphertext, rng)
    }
}
