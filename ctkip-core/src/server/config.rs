//! What a server offers.

use crate::crypto::RsaPublicKey;
use crate::{EncryptionAlgorithm, KeyType, Prf, Profile};
use alloc::vec;
use alloc::vec::Vec;

/// What a server offers.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    pub(super) profile: Profile,
    pub(super) key: Option<RsaPublicKey>,
    pub(super) key_types: Vec<KeyType>,
    pub(super) encryption_algorithms: Vec<EncryptionAlgorithm>,
    pub(super) mac_algorithms: Vec<Prf>,
}

impl ServerConfig {
    /// A server with an RSA key and the profile's algorithms. In RFC 4758's, `rsa-1_5` is not among
    /// them: see [`crate::crypto::Padding::Pkcs1v15`].
    #[must_use]
    pub fn new(profile: Profile, key: RsaPublicKey) -> Self {
        Self { key: Some(key), ..Self::shared_key_only(profile) }
    }

    /// A server without an RSA key, for clients that share a key with it.
    #[must_use]
    pub fn shared_key_only(profile: Profile) -> Self {
        Self {
            key: None,
            key_types: vec![KeyType::SecurIdAes],
            encryption_algorithms: profile.server_encryption.to_vec(),
            mac_algorithms: profile.mac_algorithms.to_vec(),
            profile,
        }
    }

    /// Makes keys of these types, in this order of preference, instead of SecurID's alone.
    #[must_use]
    pub fn key_types(mut self, types: &[KeyType]) -> Self {
        self.key_types = types.to_vec();
        self
    }

    /// Takes these algorithms to encrypt R_C with, in this order of preference.
    ///
    /// With RFC 4758's profile, `rsa-1_5` is PKCS#1 v1.5, and only a private operation that rejects
    /// bad padding implicitly may serve it, as [`crate::crypto::RsaPrivateKey`] does: one that
    /// reports bad padding, in its answer or its timing, lets a peer decrypt other clients' R_C
    /// (R225). A server with such a key must not name [`EncryptionAlgorithm::Rsa15`] here.
    #[must_use]
    pub fn encryption_algorithms(mut self, algorithms: &[EncryptionAlgorithm]) -> Self {
        self.encryption_algorithms = algorithms.to_vec();
        self
    }

    /// Takes these MAC algorithms, in this order of preference.
    #[must_use]
    pub fn mac_algorithms(mut self, algorithms: &[Prf]) -> Self {
        self.mac_algorithms = algorithms.to_vec();
        self
    }
}
