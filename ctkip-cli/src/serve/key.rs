//! The server's RSA key: read or made.

use std::path::Path;
use std::sync::Arc;

use ctkip_core::SecretNonce;
use ctkip_core::crypto::{DecryptFailed, NonceKey, RsaPrivateKey, RsaPublicKey, Scheme};
use getrandom::SysRng;
use rand_core::TryCryptoRng;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::MAX_PEM;
use crate::error::Failure;
use crate::input;

/// A key that several services decrypt with.
#[derive(Clone)]
pub(super) struct Key(Arc<RsaPrivateKey>);

impl Key {
    /// A new key.
    pub(super) fn generate(bits: usize) -> Result<Self, Failure> {
        let key = RsaPrivateKey::generate(bits, &mut SysRng).map_err(|error| {
            Failure::usage(format!("no RSA key could be made: {error}"), "Try again.")
        })?;
        Ok(Self(Arc::new(key)))
    }

    /// The key in a PEM file, as PKCS#8 or PKCS#1.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let unusable = |what: String| {
            Failure::usage(
                format!("{}: {what}", path.display()),
                "Give an RSA private key without a password, as `openssl genrsa 2048` makes one.",
            )
        };
        let pem = input::read(path, MAX_PEM)?;
        let der = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|error| unusable(format!("no private key in it ({error})")))?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => {
                rsa::PrivateKey::from_pkcs1_der(der.secret_pkcs1_der()).ok()
            }
            PrivateKeyDer::Pkcs8(der) => {
                rsa::PrivateKey::from_pkcs8_der(der.secret_pkcs8_der()).ok()
            }
            _ => None,
        };
        let key = key.ok_or_else(|| unusable("the key is no RSA key".into()))?;
        let [p, q] = key.primes() else {
            return Err(unusable("the key has not two primes".into()));
        };
        let [p, q] = [p, q].map(|prime| Zeroizing::new(prime.to_be_bytes()));
        let key = RsaPrivateKey::from_primes(&p, &q, &key.e().to_be_bytes());
        Ok(Self(Arc::new(key.map_err(|error| unusable(error.to_string()))?)))
    }

    pub(super) fn public(&self) -> &RsaPublicKey {
        self.0.public()
    }

    /// As `--pin-key` takes it.
    pub(super) fn pin(&self) -> String {
        let hex = self.public().fingerprint().map(|octet| format!("{octet:02x}")).concat();
        format!("sha256:{hex}")
    }
}

impl NonceKey for Key {
    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        scheme: Scheme,
        server_nonce: &[u8],
        ciphertext: &[u8],
        rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        self.0.decrypt(scheme, server_nonce, ciphertext, rng)
    }
}
