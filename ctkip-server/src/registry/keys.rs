//! The RSA keys of a register.

use ctkip_core::Timestamp;
use ctkip_core::crypto::RsaPublicKey;
use rand_core::TryCryptoRng;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rsa::traits::PublicKeyParts;
use std::fmt;
use zeroize::Zeroizing;

use super::{Registry, RegistryError};
use crate::Tampered;
use crate::store::{KeyId, StoredKey};

/// The table that keys are in.
const TABLE: &str = "rsa_key";

/// An RSA key of a register, without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// SHA-256 of its DER SubjectPublicKeyInfo, as clients pin it.
    pub id: KeyId,
    /// Its size.
    pub bits: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When it was retired.
    pub retired: Option<Timestamp>,
    /// It is offered to new enrolments.
    pub current: bool,
    /// How many codes that can still be used offer it.
    pub codes: u64,
}

/// A private key as it was in the store. Wiped on drop.
pub(crate) struct OpenedKey {
    pub(crate) id: KeyId,
    pub(crate) public: RsaPublicKey,
    private: rsa::PrivateKey,
}

impl OpenedKey {
    /// What `make` makes of the primes and the exponent.
    pub(crate) fn with<K, E>(
        &self,
        make: impl FnOnce(&[u8], &[u8], &[u8]) -> Result<K, E>,
    ) -> Option<Result<K, E>> {
        use rsa::traits::PrivateKeyParts;
        let [p, q] = self.private.primes() else { return None };
        let [p, q] = [p, q].map(|prime| Zeroizing::new(prime.to_be_bytes()));
        Some(make(&p, &q, self.public.exponent()))
    }
}

impl fmt::Debug for OpenedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenedKey(hidden)")
    }
}

impl Registry {
    /// Makes an RSA key of so many bits, if the register has none. Of two nodes that start at once
    /// the key of one is kept, for both.
    ///
    /// # Errors
    /// [`RegistryError::NoKey`], [`RegistryError::Store`], [`RegistryError::Randomness`].
    pub fn first_key<R: TryCryptoRng + ?Sized>(
        &self,
        bits: usize,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(), RegistryError> {
        if self.store.keys()?.is_empty() {
            let key = self.make_key(bits, now, rng)?;
            if self.store.add_key(&key, true, now)? {
                tracing::info!(target: "audit", event = "key made", detail = hex(&key.id));
            }
        }
        Ok(())
    }

    /// Makes a new RSA key, which is offered to new enrolments from then on. Older ones go on serving
    /// the codes that were given out under them, until they are retired.
    ///
    /// # Errors
    /// [`RegistryError::NoKey`], [`RegistryError::Store`], [`RegistryError::Randomness`].
    pub fn rotate_key<R: TryCryptoRng + ?Sized>(
        &self,
        bits: usize,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<KeyId, RegistryError> {
        // The youngest is the current one: this is, whatever the clock says.
        let youngest = self.store.keys()?.first().map(|key| key.created.0.saturating_add(1));
        let created = Timestamp(now.0.max(youngest.unwrap_or_default()));
        let key = self.make_key(bits, created, rng)?;
        self.store.add_key(&key, false, now)?;
        tracing::info!(target: "audit", event = "key made", detail = hex(&key.id));
        Ok(key.id)
    }

    /// Retires the key whose name begins with these hexadecimal digits: it serves nobody any more.
    ///
    /// # Errors
    /// [`RegistryError::UnknownKey`] when none, or more than one, has such a name;
    /// [`RegistryError::KeyInUse`] for the current key, and, unless `force`, for one that codes which
    /// can still be used offer; [`RegistryError::Store`].
    pub fn retire_key(
        &self,
        name: &str,
        force: bool,
        now: Timestamp,
    ) -> Result<KeyId, RegistryError> {
        let name = name.strip_prefix("sha256:").unwrap_or(name).to_ascii_lowercase();
        let keys = self.keys(now)?;
        let mut found = keys.iter().filter(|key| {
            key.retired.is_none() && !name.is_empty() && hex(&key.id).starts_with(&name)
        });
        let (Some(key), None) = (found.next(), found.next()) else {
            return Err(RegistryError::UnknownKey(name));
        };
        let in_use = |why: String| Err(RegistryError::KeyInUse { id: hex(&key.id), why });
        if key.current {
            return in_use("it is the current one".into());
        }
        if key.codes > 0 && !force {
            return in_use(format!("{} open codes offer it", key.codes));
        }
        if !self.store.retire_key(&key.id, now)? {
            return Err(RegistryError::UnknownKey(name));
        }
        tracing::info!(target: "audit", event = "key retired", detail = hex(&key.id));
        Ok(key.id)
    }

    /// All RSA keys, the youngest first.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub fn keys(&self, now: Timestamp) -> Result<Vec<KeyInfo>, RegistryError> {
        let keys = self.store.keys()?;
        let current = keys.iter().find(|key| key.retired.is_none()).map(|key| key.id);
        let info = |key: &StoredKey| {
            let StoredKey { id, bits, created, retired, .. } = *key;
            let codes = self.store.codes_under(&id, now)?;
            Ok(KeyInfo { id, bits, created, retired, current: current == Some(id), codes })
        };
        keys.iter().map(info).collect()
    }

    pub(super) fn current_key(&self) -> Result<KeyId, RegistryError> {
        let keys = self.store.keys()?;
        let current = keys.iter().find(|key| key.retired.is_none());
        current.map(|key| key.id).ok_or_else(|| RegistryError::NoKey("there is none yet".into()))
    }

    fn make_key<R: TryCryptoRng + ?Sized>(
        &self,
        bits: usize,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<StoredKey, RegistryError> {
        let failed = |error: String| RegistryError::NoKey(error);
        let private = rsa::PrivateKey::new(rng, bits).map_err(|error| failed(error.to_string()))?;
        let public = public(&private).ok_or_else(|| failed("it cannot be used".into()))?;
        let der = private.to_pkcs8_der().map_err(|error| failed(error.to_string()))?;
        let id = public.fingerprint();
        let sealed = self.sealer.seal(TABLE, &id, der.as_bytes(), rng)?;
        let bits = u32::try_from(public.bits()).unwrap_or(u32::MAX);
        Ok(StoredKey { id, sealed, bits, created: now, retired: None })
    }

    /// The private key in a row.
    pub(crate) fn open_key(&self, key: &StoredKey) -> Result<OpenedKey, Tampered> {
        let der = self.sealer.open(TABLE, &key.id, &key.sealed)?;
        let private = rsa::PrivateKey::from_pkcs8_der(&der).map_err(|_| Tampered)?;
        let public = public(&private).ok_or(Tampered)?;
        Ok(OpenedKey { id: key.id, public, private })
    }
}

fn public(private: &rsa::PrivateKey) -> Option<RsaPublicKey> {
    RsaPublicKey::new(&private.n().to_be_bytes(), &private.e().to_be_bytes()).ok()
}

pub(crate) fn hex(octets: &[u8]) -> String {
    Vec::from_iter(octets.iter().map(|octet| format!("{octet:02x}"))).concat()
}
