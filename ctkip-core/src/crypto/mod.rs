//! The cryptography of CT-KIP: the PRF, RSA key transport, and R_C under a shared key.
//!
//! Everything here is RustCrypto. A server whose private key lives elsewhere (an HSM, another
//! process) does not need this module for it: see [`crate::Opening`].

mod prf;
mod rsa;

pub use self::prf::{PrfError, prf};
pub(crate) use self::rsa::is_pinned;
pub use self::rsa::{Fingerprint, Padding, RsaPrivateKey, RsaPublicKey, UnusableKey};

use crate::{Prf, SecretNonce};
use rand_core::TryCryptoRng;

/// How one R_C was encrypted, once the profile has had its say on what an identifier means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Under the server's RSA key.
    Rsa(Padding),
    /// Under a key both sides hold, by XOR with the PRF (RFC 4758 section 3.6).
    SharedKey(Prf),
}

/// The nonce did not decrypt. One value for every cause: a server must not let its peer tell one
/// from another (R225).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client's nonce does not decrypt")]
pub struct DecryptFailed;

/// A key that decrypts R_C in this process. A key that lives elsewhere needs no such trait: its
/// owner takes the ciphertext from [`crate::Opening`] and comes back with the result.
pub trait NonceKey: Send + Sync {
    /// R_C of one `EncryptedNonce`. `server_nonce` is R_S, which only the shared-key scheme needs;
    /// `rng` blinds the private operation.
    ///
    /// # Errors
    /// [`DecryptFailed`], whatever the cause.
    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        scheme: Scheme,
        server_nonce: &[u8],
        ciphertext: &[u8],
        rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed>;
}
