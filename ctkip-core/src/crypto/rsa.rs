//! RSA key transport of R_C: RSAES-OAEP with SHA-1 and RSAES-PKCS1-v1_5 (RFC 8017 section 7).

use super::{DecryptFailed, NonceKey, Scheme};
use crate::{RandomnessFailed, SecretNonce};
use alloc::vec::Vec;
use core::fmt;
use rand_core::TryCryptoRng;
use rsa::pkcs8::EncodePublicKey;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Encrypt, oaep::Oaep};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How R_C is padded before the RSA operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Padding {
    /// RSAES-OAEP with SHA-1, MGF1 with SHA-1, and an empty label.
    OaepSha1,
    /// RSAES-PKCS1-v1_5. A garbled ciphertext decrypts to made-up octets, of which about one in
    /// 300 is 16 octets long and passes for an R_C: prefer OAEP.
    Pkcs1v15,
}

/// An RSA key that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableKey {
    /// Fewer bits than any policy could want.
    #[error("the RSA modulus has {0} bits; fewer than {min} are never used", min = RsaPublicKey::MIN_BITS)]
    TooSmall(usize),
    /// More bits than are worth computing with.
    #[error("the RSA modulus has {0} bits; more than {max} are never used", max = RsaPublicKey::MAX_BITS)]
    TooLarge(usize),
    /// The modulus is even, or not larger than the exponent.
    #[error("the RSA modulus is not one")]
    Modulus,
    /// The exponent is even, below 3 or above 2³³−1.
    #[error("the RSA exponent is even or out of range")]
    Exponent,
    /// The private parts do not belong together.
    #[error("the parts of the RSA private key do not fit together")]
    Private,
}

/// SHA-256 of the DER form of a key's SubjectPublicKeyInfo: what clients pin.
pub type Fingerprint = [u8; 32];

/// A server's RSA public key, K in the RFC's formulas.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    key: rsa::PublicKey,
}

impl RsaPublicKey {
    /// No key below this size is used, whatever a caller's policy: 512 bits.
    pub const MIN_BITS: usize = 512;
    /// No key above this size is used: 16384 bits.
    pub const MAX_BITS: usize = 16384;

    /// A key from modulus and exponent, both unsigned and big-endian. Leading zero octets are
    /// taken off (R164).
    ///
    /// # Errors
    /// [`UnusableKey`] when the modulus is even or of a size that is never used, or the exponent
    /// is even, below 3 or above 2³³−1 (R165).
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, UnusableKey> {
        let (modulus, exponent) = (unsigned(modulus), unsigned(exponent));
        // Sizes first: nothing below is computed over more octets than these bounds allow.
        let bits = modulus.len().saturating_mul(8);
        if bits < Self::MIN_BITS {
            return Err(UnusableKey::TooSmall(bits));
        }
        if bits > Self::MAX_BITS {
            return Err(UnusableKey::TooLarge(bits));
        }
        if exponent.len() > 5 || exponent == [1] {
            return Err(UnusableKey::Exponent);
        }
        let (n, e) = (integer(modulus), integer(exponent));
        // The crate counts leading zero bits as absent, we count whole octets as RSA keys are named.
        let key =
            rsa::PublicKey::new_with_size_limits(n, e, 1..=Self::MAX_BITS).map_err(|error| {
                match error {
                    rsa::Error::InvalidModulus => UnusableKey::Modulus,
                    _ => UnusableKey::Exponent,
                }
            })?;
        Ok(Self { modulus: modulus.to_vec(), exponent: exponent.to_vec(), key })
    }

    /// The modulus, big-endian, without sign or padding octet: k of the key derivation (R206).
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The exponent, big-endian, without sign or padding octet.
    #[must_use]
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// The size of the key in bits, counted in whole octets of the modulus.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.modulus.len().saturating_mul(8)
    }

    /// SHA-256 of the key's SubjectPublicKeyInfo in DER: the form in which clients pin it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        // Encoding a key that was accepted above does not fail; an empty one matches no pin.
        self.key.to_public_key_der().map_or([0; 32], |der| Sha256::digest(der.as_bytes()).into())
    }

    /// Encrypts R_C. Draws the OAEP seed (20 octets) or the PKCS#1 v1.5 padding from `rng`.
    ///
    /// # Errors
    /// [`RandomnessFailed`] when `rng` does, or when the key is too small to hold the nonce.
    pub fn encrypt<R: TryCryptoRng + ?Sized>(
        &self,
        padding: Padding,
        r_c: &SecretNonce,
        rng: &mut R,
    ) -> Result<Vec<u8>, RandomnessFailed> {
        match padding {
            Padding::OaepSha1 => self.key.encrypt(rng, Oaep::<Sha1>::new(), r_c.expose()),
            Padding::Pkcs1v15 => self.key.encrypt(rng, Pkcs1v15Encrypt, r_c.expose()),
        }
        .map_err(|_| RandomnessFailed)
    }
}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPublicKey({} bits)", self.bits())
    }
}

/// A server's RSA private key held in this process. Wiped on drop by the `rsa` crate.
pub struct RsaPrivateKey {
    private: rsa::PrivateKey,
    public: RsaPublicKey,
}

impl RsaPrivateKey {
    /// Makes a key of `bits` bits with exponent 65537.
    ///
    /// # Errors
    /// [`UnusableKey::TooSmall`] below 1024 bits, [`UnusableKey::TooLarge`] above
    /// [`RsaPublicKey::MAX_BITS`], [`UnusableKey::Private`] when the random source fails.
    pub fn generate<R: TryCryptoRng + ?Sized>(
        bits: usize,
        rng: &mut R,
    ) -> Result<Self, UnusableKey> {
        match bits {
            ..1024 => return Err(UnusableKey::TooSmall(bits)),
            1024..=RsaPublicKey::MAX_BITS => {}
            _ => return Err(UnusableKey::TooLarge(bits)),
        }
        Self::from_key(rsa::PrivateKey::new(rng, bits).map_err(|_| UnusableKey::Private)?)
    }

    /// A key from its two primes and its public exponent, big-endian.
    ///
    /// # Errors
    /// [`UnusableKey`] when they make no RSA key, or one outside the bounds of [`RsaPublicKey`].
    pub fn from_primes(p: &[u8], q: &[u8], exponent: &[u8]) -> Result<Self, UnusableKey> {
        let (p, q, e) = (unsigned(p), unsigned(q), unsigned(exponent));
        if p.is_empty() || q.is_empty() || e.is_empty() {
            return Err(UnusableKey::Private);
        }
        // Equal precision for both primes, as the crate wants it.
        let bits = precision(p.len().max(q.len()));
        let prime =
            |octets| BoxedUint::from_be_slice(octets, bits).map_err(|_| UnusableKey::Private);
        let key = rsa::PrivateKey::from_p_q(prime(p)?, prime(q)?, integer(e))
            .map_err(|_| UnusableKey::Private)?;
        Self::from_key(key)
    }

    fn from_key(private: rsa::PrivateKey) -> Result<Self, UnusableKey> {
        let n = private.n().to_be_bytes();
        let e = private.e().to_be_bytes();
        Ok(Self { public: RsaPublicKey::new(&n, &e)?, private })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &RsaPublicKey {
        &self.public
    }
}

impl fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPrivateKey({} bits, hidden)", self.public.bits())
    }
}

impl NonceKey for RsaPrivateKey {
    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        scheme: Scheme,
        _server_nonce: &[u8],
        ciphertext: &[u8],
        rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        let Scheme::Rsa(padding) = scheme else { return Err(DecryptFailed) };
        // R170: exactly the modulus length.
        if ciphertext.len() != self.public.modulus.len() {
            return Err(DecryptFailed);
        }
        match padding {
            Padding::OaepSha1 => self.private.decrypt_blinded(rng, Oaep::<Sha1>::new(), ciphertext),
            Padding::Pkcs1v15 => self.private.decrypt_blinded(rng, Pkcs1v15Encrypt, ciphertext),
        }
        .map(SecretNonce::new)
        .map_err(|_| DecryptFailed)
    }
}

/// Whether a key of this fingerprint is among the pinned ones.
pub(crate) fn is_pinned(fingerprint: &Fingerprint, pins: &[Fingerprint]) -> bool {
    pins.iter().any(|pin| pin.ct_eq(fingerprint).into())
}

/// The octets from the first that is not zero on.
fn unsigned(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

fn precision(octets: usize) -> u32 {
    u32::try_from(octets.saturating_mul(8)).unwrap_or(u32::MAX).next_multiple_of(64)
}

/// A public integer. The precision is that of the octets given.
fn integer(octets: &[u8]) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(octets)
}
