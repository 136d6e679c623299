//! The register of enrolments: a store, and the keys to what is sealed in it. The server and its
//! operator both work on it, each in a process of its own if need be.

mod enrol;
mod keys;
mod tokens;

pub use enrol::{NewCode, Shown};
pub use keys::KeyInfo;
pub(crate) use keys::hex as keys_hex;
pub(crate) use tokens::TABLE as TOKENS;
pub use tokens::{Exported, IssuedToken, Verified};

use ctkip_core::service::SealingKey;
use ctkip_core::{RandomnessFailed, Timestamp};
use rand_core::TryCryptoRng;
use std::fmt;
use std::sync::Arc;

use crate::MasterKey;
use crate::code::CodeKey;
use crate::seal::Sealer;
use crate::store::{AuditEntry, Cause, Store, StoreError};

/// What is sealed under the name of [`CHECK`], to tell one master key from another.
const CHECK_VALUE: &[u8] = b"ctkip-server";
const CHECK: &str = "check";

/// Enrolments, codes, tokens and RSA keys in a store, under a master key.
pub struct Registry {
    store: Arc<dyn Store>,
    sealer: Sealer,
    codes: CodeKey,
    sessions: zeroize::Zeroizing<[u8; 32]>,
}

/// Why a register did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The store's contents are sealed under another master key.
    #[error("this is not the master key that the store was made with")]
    WrongMasterKey,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
    /// An enrolment cannot be as it was asked for.
    #[error("{field}: {why}")]
    Enrolment {
        /// What of it.
        field: &'static str,
        /// What it would have to be.
        why: String,
    },
    /// There is no enrolment of this serial number.
    #[error("there is no enrolment of serial number {0}")]
    Unknown(String),
    /// The enrolment has a token that was seen in use.
    #[error("the token {0} was seen in use: revoke it, and enrol anew")]
    Confirmed(String),
    /// The enrolment was revoked.
    #[error("the enrolment {0} was revoked")]
    Revoked(String),
    /// No token was issued for the enrolment.
    #[error("no token was issued for {0} yet")]
    NoToken(String),
    /// The tokencode is none of the token's around this time.
    #[error("this is no tokencode of {0} around this time")]
    WrongTokencode(String),
    /// A tokencode of the same or a later interval was seen before.
    #[error("this tokencode of {0}, or a later one, was seen before: wait for the next")]
    RepeatedTokencode(String),
    /// A sealed value does not open.
    #[error("what the store holds of {0} was changed by another hand, and is not used")]
    Tampered(String),
    /// There is no such key, or it was retired.
    #[error("there is no RSA key {0} in use")]
    UnknownKey(String),
    /// The key is the only one, or codes that can still be used offer it.
    #[error("the RSA key {id} is still needed: {why}")]
    KeyInUse {
        /// The key.
        id: String,
        /// What for.
        why: String,
    },
    /// No RSA key could be made.
    #[error("no RSA key could be made: {0}")]
    NoKey(String),
}

impl Registry {
    /// Opens the register in a store. The first master key that comes is the store's from then on.
    ///
    /// # Errors
    /// [`RegistryError::WrongMasterKey`] when it was another; [`RegistryError::Store`],
    /// [`RegistryError::Randomness`].
    pub fn open<R: TryCryptoRng + ?Sized>(
        store: Arc<dyn Store>,
        master: &MasterKey,
        rng: &mut R,
    ) -> Result<Self, RegistryError> {
        let sealer = Sealer::new(master);
        let own = sealer.seal("setting", CHECK.as_bytes(), CHECK_VALUE, rng)?;
        let there = store.setting(CHECK, &own)?;
        match sealer.open("setting", CHECK.as_bytes(), &there) {
            Ok(value) if value.as_slice() == CHECK_VALUE => {}
            _ => return Err(RegistryError::WrongMasterKey),
        }
        let (codes, sessions) = (CodeKey::new(master), master.subkey("session"));
        Ok(Self { store, sealer, codes, sessions })
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(crate) const fn codes(&self) -> &CodeKey {
        &self.codes
    }

    /// The key that seals sessions: the same at every node.
    pub(crate) fn sealing_key(&self) -> SealingKey {
        SealingKey::new(*self.sessions)
    }

    /// Adds a line of the operator's to the audit log, of what changes nothing: a change is noted by
    /// the store, with the change.
    fn note(
        &self,
        now: Timestamp,
        event: &str,
        serial: &str,
        detail: String,
    ) -> Result<(), StoreError> {
        tracing::info!(target: "audit", event, serial, detail);
        self.store.audit(&[AuditEntry::of_operator(now, event, serial, detail)])
    }

    /// Adds a refusal to the audit log. That the log cannot be written is no reason to answer
    /// otherwise.
    pub(crate) fn note_refusal(&self, now: Timestamp, cause: Cause, serial: &str, source: &str) {
        tracing::info!(target: "audit", event = "refused", serial, source, cause = cause.name());
        let entry = AuditEntry {
            at: now,
            event: "refused".into(),
            serial: serial.into(),
            source: source.into(),
            detail: cause.name().into(),
        };
        if let Err(error) = self.store.audit(&[entry]) {
            tracing::error!(%error, "the audit log cannot be written");
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry(hidden)")
    }
}
