//! The private keys of a server.

use crate::SecretNonce;
use crate::crypto::{DecryptFailed, NonceKey, Scheme};
use crate::message::EncryptionKey;
use rand_core::TryCryptoRng;

/// The keys that a service decrypts with. A single [`NonceKey`] is such keys; a server that changes
/// its key has several for a while.
pub trait NonceKeys: Send + Sync {
    /// R_C of one `EncryptedNonce`, under the key whose public half this session was offered. The rest
    /// is as in [`NonceKey::decrypt`].
    ///
    /// # Errors
    /// [`DecryptFailed`], whatever the cause; that there is no such key is one.
    fn decrypt_under<R: TryCryptoRng + ?Sized>(
        &self,
        public: &EncryptionKey,
        scheme: Scheme,
        server_nonce: &[u8],
        ciphertext: &[u8],
        rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed>;
}

impl<K: NonceKey> NonceKeys for K {
    fn decrypt_under<R: TryCryptoRng + ?Sized>(
        &self,
        _public: &EncryptionKey,
        scheme: Scheme,
        server_nonce: &[u8],
        ciphertext: &[u8],
        rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        self.decrypt(scheme, server_nonce, ciphertext, rng)
    }
}
