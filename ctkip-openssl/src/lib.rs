//! The private operation of a CT-KIP server by OpenSSL, which is several times as fast as the one that
//! `ctkip-core` brings along. It needs the library and its headers (`libssl-dev`, `pkg-config`), or
//! the feature `vendored`, which builds them.
//!
//! ```
//! use ctkip_core::{Profile, Server, ServerConfig};
//! use ctkip_openssl::OpensslKey;
//!
//! let key = OpensslKey::generate(2048)?;
//! let server = Server::new(ServerConfig::new(Profile::RFC4758, key.public().clone()));
//! // The key goes into `ctkip_core::service::Service`, as any other `NonceKey` does.
//! # drop(server);
//! # Ok::<(), ctkip_core::crypto::UnusableKey>(())
//! ```
//!
//! # What is promised, and by whom
//!
//! - *Blinding* is OpenSSL's: every private operation is blinded unless it is told not to, and the
//!   key remembers its blinding factors and Montgomery parameters from one operation to the next.
//! - *One answer for every failure*: whatever is wrong with a ciphertext, the same error, by the same
//!   way. That padding is checked in constant time is OpenSSL's to keep.
//! - *PKCS#1 v1.5 with implicit rejection, or not at all*: an error that tells bad padding is all
//!   that Bleichenbacher's attack needs (R225). OpenSSL hides it since 3.2, and some distributions
//!   brought that to older releases; so a key tries once, with a ciphertext whose padding is bad for
//!   certain ([`OpensslKey::rejects_implicitly`]). Where OpenSSL tells, the key decrypts nothing that
//!   came with this padding, and a server that has it must not offer
//!   [`EncryptionAlgorithm::Rsa15`](ctkip_core::EncryptionAlgorithm::Rsa15) in RFC 4758's profile. In
//!   the deployed dialect that name means OAEP, and works.
#![forbid(unsafe_code)]

use ctkip_core::SecretNonce;
use ctkip_core::crypto::{DecryptFailed, NonceKey, Padding, RsaPublicKey, Scheme, UnusableKey};
use openssl::bn::{BigNum, BigNumContext};
use openssl::error::ErrorStack;
use openssl::pkey::Private;
use openssl::rsa::{self, Rsa, RsaPrivateKeyBuilder};
use rand_core::TryCryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// A server's RSA private key, held by OpenSSL, which wipes it when it is dropped.
pub struct OpensslKey {
    private: Rsa<Private>,
    public: RsaPublicKey,
    rejects_implicitly: bool,
}

impl OpensslKey {
    /// Makes a key of `bits` bits with exponent 65537.
    ///
    /// # Errors
    /// [`UnusableKey::TooSmall`] below 1024 bits, [`UnusableKey::TooLarge`] above
    /// [`RsaPublicKey::MAX_BITS`], [`UnusableKey::Private`] when OpenSSL makes none.
    pub fn generate(bits: usize) -> Result<Self, UnusableKey> {
        match bits {
            ..1024 => return Err(UnusableKey::TooSmall(bits)),
            1024..=RsaPublicKey::MAX_BITS => {}
            _ => return Err(UnusableKey::TooLarge(bits)),
        }
        let bits = u32::try_from(bits).map_err(|_| UnusableKey::TooLarge(bits))?;
        Self::from_key(Rsa::generate(bits).map_err(|_| UnusableKey::Private)?)
    }

    /// A key from its two primes and its public exponent, big-endian.
    ///
    /// # Errors
    /// [`UnusableKey`] when they make no RSA key, or one outside the bounds of [`RsaPublicKey`].
    pub fn from_primes(p: &[u8], q: &[u8], exponent: &[u8]) -> Result<Self, UnusableKey> {
        // Sizes first: nothing below is computed over more octets than these bounds allow.
        let bits = p.len().saturating_add(q.len()).saturating_mul(8);
        if bits > RsaPublicKey::MAX_BITS.saturating_mul(2) || exponent.len() > p.len() {
            return Err(UnusableKey::TooLarge(bits));
        }
        Self::from_key(key(p, q, exponent).map_err(|_| UnusableKey::Private)?)
    }

    /// A key from a PEM file, as PKCS#8 or PKCS#1, without a password.
    ///
    /// # Errors
    /// [`UnusableKey::Private`] when there is no such key in it; else as [`Self::from_primes`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, UnusableKey> {
        // Without the callback, OpenSSL asks on the terminal for the password of a key that has one.
        let none = |_: &mut [u8]| Ok(0);
        let key = Rsa::private_key_from_pem_callback(pem, none);
        Self::from_key(key.map_err(|_| UnusableKey::Private)?)
    }

    fn from_key(private: Rsa<Private>) -> Result<Self, UnusableKey> {
        let public = RsaPublicKey::new(&private.n().to_vec(), &private.e().to_vec())?;
        if !private.check_key().unwrap_or(false) {
            return Err(UnusableKey::Private);
        }
        let rejects_implicitly = rejects_implicitly(&private);
        Ok(Self { private, public, rejects_implicitly })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    /// Whether this OpenSSL answers bad PKCS#1 v1.5 padding with made-up octets instead of an error.
    /// If not, the key decrypts with OAEP only.
    #[must_use]
    pub const fn rejects_implicitly(&self) -> bool {
        self.rejects_implicitly
    }
}

impl fmt::Debug for OpensslKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpensslKey({} bits, hidden)", self.public.bits())
    }
}

impl NonceKey for OpensslKey {
    /// `rng` is not used: OpenSSL blinds with random numbers of its own.
    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        scheme: Scheme,
        _server_nonce: &[u8],
        ciphertext: &[u8],
        _rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        let padding = match scheme {
            Scheme::Rsa(Padding::OaepSha1) => rsa::Padding::PKCS1_OAEP,
            Scheme::Rsa(Padding::Pkcs1v15) if self.rejects_implicitly => rsa::Padding::PKCS1,
            _ => return Err(DecryptFailed),
        };
        // R170: exactly the modulus length.
        if ciphertext.len() != self.public.modulus().len() {
            return Err(DecryptFailed);
        }
        let mut plain = Zeroizing::new(vec![0; ciphertext.len()]);
        let length = self.private.private_decrypt(ciphertext, &mut plain, padding);
        let octets = length.ok().and_then(|length| plain.get(..length));
        octets.map(|octets| SecretNonce::new(octets.to_vec())).ok_or(DecryptFailed)
    }
}

/// The key of these primes, with what the Chinese remainder theorem makes fast.
fn key(p: &[u8], q: &[u8], exponent: &[u8]) -> Result<Rsa<Private>, ErrorStack> {
    let [p, q, e] = [BigNum::from_slice(p)?, BigNum::from_slice(q)?, BigNum::from_slice(exponent)?];
    let mut context = BigNumContext::new_secure()?;
    let new = BigNum::new_secure;
    let (mut n, mut phi, mut d) = (BigNum::new()?, new()?, new()?);
    let (mut p1, mut q1, mut dp, mut dq, mut qinv) = (new()?, new()?, new()?, new()?, new()?);
    let one = BigNum::from_u32(1)?;
    n.checked_mul(&p, &q, &mut context)?;
    p1.checked_sub(&p, &one)?;
    q1.checked_sub(&q, &one)?;
    phi.checked_mul(&p1, &q1, &mut context)?;
    d.mod_inverse(&e, &phi, &mut context)?;
    dp.checked_rem(&d, &p1, &mut context)?;
    dq.checked_rem(&d, &q1, &mut context)?;
    qinv.mod_inverse(&q, &p, &mut context)?;
    let key = RsaPrivateKeyBuilder::new(n, e, d)?;
    Ok(key.set_factors(p, q)?.set_crt_params(dp, dq, qinv)?.build())
}

/// Decrypts 2 to the public exponent: a block of zeros that ends in 2, which is no PKCS#1 v1.5.
fn rejects_implicitly(key: &Rsa<Private>) -> bool {
    let length = key.size() as usize;
    let mut two = vec![0; length];
    two[length - 1] = 2;
    let mut ciphertext = vec![0; length];
    let mut plain = vec![0; length];
    key.public_encrypt(&two, &mut ciphertext, rsa::Padding::NONE).is_ok()
        && key.private_decrypt(&ciphertext, &mut plain, rsa::Padding::PKCS1).is_ok()
}
