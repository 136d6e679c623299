//! The cryptography of PSKC (RFC 6030 section 6).

use aes::{Aes128, Aes256};
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt, KeyInit, KeyIvInit, block_padding::Pkcs7},
};
use hmac::{Hmac, Mac};
use pbkdf2::pbkdf2_hmac;
use rand_core::TryCryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::PskcError;

/// The octets of a salt.
pub(super) const SALT: usize = 16;

/// HMAC-SHA-256, for `MACMethod` and as PBKDF2's function (RFC 9231 section 2.2.2).
pub(super) const HMAC_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";

/// PBKDF2 with the parameters of PKCS #5.
pub(super) const PBKDF2: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2";

const AES128_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const AES256_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
const BLOCK: usize = 16;

/// The key that encrypts seeds and MAC key.
pub(super) enum ContentKey {
    Aes128(Zeroizing<[u8; 16]>),
    Aes256(Zeroizing<[u8; 32]>),
}

impl ContentKey {
    /// A key of 16 or 32 octets.
    ///
    /// # Errors
    /// [`PskcError::KeyLength`]
    pub(super) fn shared(key: &[u8]) -> Result<Self, PskcError> {
        if let Ok(key) = key.try_into() {
            return Ok(Self::Aes128(Zeroizing::new(key)));
        }
        key.try_into()
            .map(|key| Self::Aes256(Zeroizing::new(key)))
            .map_err(|_| PskcError::KeyLength)
    }

    /// A key for AES-256 by PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2).
    pub(super) fn from_password(password: &str, salt: &[u8], iterations: u32) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, iterations, &mut *key);
        Self::Aes256(key)
    }

    /// The algorithm's identifier.
    pub(super) fn uri(&self) -> &'static str {
        match self {
            Self::Aes128(_) => AES128_CBC,
            Self::Aes256(_) => AES256_CBC,
        }
    }

    /// The key's length in octets.
    pub(super) fn octets(&self) -> usize {
        match self {
            Self::Aes128(key) => key.len(),
            Self::Aes256(key) => key.len(),
        }
    }

    /// Encrypts under a random IV: the IV, then the ciphertext.
    ///
    /// # Errors
    /// [`PskcError::Random`]
    pub(super) fn seal<R: TryCryptoRng + ?Sized>(
        &self,
        plain: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, PskcError> {
        let mut iv = [0; BLOCK];
        rng.try_fill_bytes(&mut iv).map_err(|_| PskcError::Random)?;
        self.seal_with(&iv, plain)
    }

    /// Encrypts under a given IV. Fails for no input: the lengths are fixed by the types and by
    /// the padding buffer.
    pub(super) fn seal_with(&self, iv: &[u8; BLOCK], plain: &[u8]) -> Result<Vec<u8>, PskcError> {
        match self {
            Self::Aes128(key) => cbc::<Encryptor<Aes128>>(&**key, iv, plain),
            Self::Aes256(key) => cbc::<Encryptor<Aes256>>(&**key, iv, plain),
        }
        .ok_or(PskcError::KeyLength)
    }
}

/// The padding of PKCS #7 is one of those that XML Encryption (section 5.2) allows.
fn cbc<E: BlockModeEncrypt + KeyIvInit>(
    key: &[u8],
    iv: &[u8; BLOCK],
    plain: &[u8],
) -> Option<Vec<u8>> {
    let mut buffer = Zeroizing::new(vec![0; plain.len().checked_add(BLOCK)?]);
    buffer.get_mut(..plain.len())?.copy_from_slice(plain);
    let encryptor = E::new_from_slices(key, iv).ok()?;
    let sealed = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, plain.len()).ok()?;
    Some([iv, sealed].concat())
}

/// The key of the MACs, for one document.
pub(super) struct MacKey(Zeroizing<[u8; 32]>);

impl MacKey {
    /// A new key, as long as the MAC.
    ///
    /// # Errors
    /// [`PskcError::Random`]
    pub(super) fn random<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, PskcError> {
        let mut key = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(&mut *key).map_err(|_| PskcError::Random)?;
        Ok(Self(key))
    }

    pub(super) fn expose(&self) -> &[u8] {
        &*self.0
    }

    /// The `ValueMAC` of IV and ciphertext. Fails for no input: HMAC takes keys of any length.
    pub(super) fn mac(&self, sealed: &[u8]) -> Result<Vec<u8>, PskcError> {
        mac::<Hmac<Sha256>>(self.expose(), sealed).ok_or(PskcError::KeyLength)
    }
}

pub(super) fn mac<M: Mac + KeyInit>(key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(sealed);
    Some(mac.finalize().into_bytes().to_vec())
}
