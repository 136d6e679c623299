//! What is secret in a row is sealed, so that a copy of the database without the master key is of
//! no use, and a row that was changed or moved is noticed.

use aes_gcm_siv::Aes256GcmSiv;
use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use ctkip_core::RandomnessFailed;
use rand_core::TryCryptoRng;
use std::fmt;
use zeroize::Zeroizing;

use crate::MasterKey;

/// The first octet of what is sealed.
const VERSION: u8 = 1;
/// Octets of the name of the sealing key.
const KEY_ID: usize = 8;
/// Octets of GCM-SIV's nonce.
const NONCE: usize = 12;
/// Octets of its tag.
const TAG: usize = 16;

/// Seals values under AES-256-GCM-SIV: the version, the key's name, a random nonce, the value, the
/// tag. Sealed along, and so bound to it, are table, row and key.
pub(crate) struct Sealer {
    cipher: Aes256GcmSiv,
    key_id: [u8; KEY_ID],
}

/// A sealed value does not open: it was changed, moved to another row, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open: it was changed, or is of another row or master key")]
pub struct Tampered;

impl Sealer {
    pub(crate) fn new(master: &MasterKey) -> Self {
        let key = master.subkey::<32>("seal");
        let cipher = Aes256GcmSiv::new(&(*key).into());
        Self { cipher, key_id: *master.subkey("seal id") }
    }

    pub(crate) fn seal<R: TryCryptoRng + ?Sized>(
        &self,
        table: &str,
        row: &[u8],
        value: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, RandomnessFailed> {
        let mut nonce = [0; NONCE];
        rng.try_fill_bytes(&mut nonce).map_err(|_| RandomnessFailed)?;
        let mut sealed = [&[VERSION], self.key_id.as_slice(), &nonce, value].concat();
        let text = sealed.split_at_mut(1 + KEY_ID + NONCE).1;
        // Fails only for more than 2^36 octets.
        let tag = self
            .cipher
            .encrypt_inout_detached(&nonce.into(), &self.along(table, row), text.into())
            .map_err(|_| RandomnessFailed)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    pub(crate) fn open(
        &self,
        table: &str,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Tampered> {
        let rest = sealed.strip_prefix(&[VERSION]).and_then(|rest| rest.strip_prefix(&self.key_id));
        let (nonce, rest) =
            rest.and_then(|rest| rest.split_first_chunk::<NONCE>()).ok_or(Tampered)?;
        let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(Tampered)?;
        let mut value = Zeroizing::new(text.to_vec());
        self.cipher
            .decrypt_inout_detached(
                &(*nonce).into(),
                &self.along(table, row),
                value.as_mut_slice().into(),
                &(*tag).into(),
            )
            .map_err(|_| Tampered)?;
        Ok(value)
    }

    fn along(&self, table: &str, row: &[u8]) -> Vec<u8> {
        [b"ctkip row 1 ", table.as_bytes(), b" ", row, &self.key_id].concat()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(hidden)")
    }
}
