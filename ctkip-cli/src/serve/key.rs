//! RSA keys, and who computes with them.

use std::path::Path;
use std::sync::Arc;

use ctkip_core::SecretNonce;
use ctkip_core::crypto::{
    DecryptFailed, NonceKey, RsaPrivateKey, RsaPublicKey, Scheme, UnusableKey,
};
use ctkip_server::MakeKey;
use getrandom::SysRng;
use rand_core::TryCryptoRng;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::MAX_PEM;
use super::args::Rsa;
use crate::error::Failure;
use crate::input;

/// A key that several services decrypt with.
#[derive(Clone)]
pub(super) struct Key(Arc<Held>);

/// Who holds it, and computes with it.
enum Held {
    RustCrypto(Box<RsaPrivateKey>),
    #[cfg(feature = "openssl")]
    OpenSsl(ctkip_openssl::OpensslKey),
}

impl Key {
    /// The key in a PEM file, or a new one of so many bits.
    pub(super) fn load(path: Option<&Path>, bits: usize, by: Rsa) -> Result<Self, Failure> {
        let none = |error: UnusableKey| {
            Failure::usage(format!("no RSA key could be made: {error}"), "Try again.")
        };
        let held = match (by, path) {
            (Rsa::Rustcrypto, None) => RsaPrivateKey::generate(bits, &mut SysRng)
                .map(|key| Held::RustCrypto(Box::new(key)))
                .map_err(none),
            (Rsa::Rustcrypto, Some(path)) => {
                read(path, RsaPrivateKey::from_primes).map(|key| Held::RustCrypto(Box::new(key)))
            }
            #[cfg(feature = "openssl")]
            (Rsa::Openssl, None) => {
                ctkip_openssl::OpensslKey::generate(bits).map(Held::OpenSsl).map_err(none)
            }
            #[cfg(feature = "openssl")]
            (Rsa::Openssl, Some(path)) => {
                read(path, ctkip_openssl::OpensslKey::from_primes).map(Held::OpenSsl)
            }
            #[cfg(not(feature = "openssl"))]
            (Rsa::Openssl, _) => Err(no_openssl()),
        };
        let key = Self(Arc::new(held?));
        match key.public().bits() {
            ..1024 => Err(Failure::usage(
                format!("the RSA key has {} bits", key.public().bits()),
                "Give one of 1024 or more.",
            )),
            _ => Ok(key),
        }
    }

    /// What makes a key of its primes, for whoever keeps them elsewhere.
    pub(super) fn maker(by: Rsa) -> Result<MakeKey<Self>, Failure> {
        match by {
            Rsa::Rustcrypto => Ok(Self::rustcrypto),
            #[cfg(feature = "openssl")]
            Rsa::Openssl => Ok(Self::openssl),
            #[cfg(not(feature = "openssl"))]
            Rsa::Openssl => Err(no_openssl()),
        }
    }

    fn rustcrypto(p: &[u8], q: &[u8], e: &[u8]) -> Result<Self, UnusableKey> {
        let key = RsaPrivateKey::from_primes(p, q, e)?;
        Ok(Self(Arc::new(Held::RustCrypto(Box::new(key)))))
    }

    #[cfg(feature = "openssl")]
    fn openssl(p: &[u8], q: &[u8], e: &[u8]) -> Result<Self, UnusableKey> {
        let key = ctkip_openssl::OpensslKey::from_primes(p, q, e)?;
        Ok(Self(Arc::new(Held::OpenSsl(key))))
    }

    pub(super) fn public(&self) -> &RsaPublicKey {
        match &*self.0 {
            Held::RustCrypto(key) => key.public(),
            #[cfg(feature = "openssl")]
            Held::OpenSsl(key) => key.public(),
        }
    }

    /// As `--pin-key` takes it.
    pub(super) fn pin(&self) -> String {
        pin(&self.public().fingerprint())
    }
}

/// A fingerprint as `--pin-key` takes it.
pub(super) fn pin(fingerprint: &[u8; 32]) -> String {
    format!("sha256:{}", fingerprint.map(|octet| format!("{octet:02x}")).concat())
}

#[cfg(not(feature = "openssl"))]
fn no_openssl() -> Failure {
    Failure::usage(
        "this program was built without OpenSSL",
        "Use --rsa rustcrypto, or build it with `--features openssl`.",
    )
}

impl NonceKey for Key {
    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        scheme: Scheme,
        server_nonce: &[u8],
        ciphertext: &[u8],
        rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        match &*self.0 {
            Held::RustCrypto(key) => key.decrypt(scheme, server_nonce, ciphertext, rng),
            #[cfg(feature = "openssl")]
            Held::OpenSsl(key) => key.decrypt(scheme, server_nonce, ciphertext, rng),
        }
    }
}

/// The key in a PEM file, as PKCS#8 or PKCS#1, from its primes and its exponent.
fn read<K>(
    path: &Path,
    from_primes: impl FnOnce(&[u8], &[u8], &[u8]) -> Result<K, UnusableKey>,
) -> Result<K, Failure> {
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
        PrivateKeyDer::Pkcs1(der) => rsa::PrivateKey::from_pkcs1_der(der.secret_pkcs1_der()).ok(),
        PrivateKeyDer::Pkcs8(der) => rsa::PrivateKey::from_pkcs8_der(der.secret_pkcs8_der()).ok(),
        _ => None,
    };
    let key = key.ok_or_else(|| unusable("the key is no RSA key".into()))?;
    let [p, q] = key.primes() else {
        return Err(unusable("the key has not two primes".into()));
    };
    let [p, q] = [p, q].map(|prime| Zeroizing::new(prime.to_be_bytes()));
    from_primes(&p, &q, &key.e().to_be_bytes()).map_err(|error| unusable(error.to_string()))
}
