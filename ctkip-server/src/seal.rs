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

#[cfg(test)]
mod tests {
    use super::*;
    use getrandom::SysRng;
    use std::collections::HashSet;

    #[test]
    fn a_value_opens_where_it_was_sealed_alone() {
        let sealer = Sealer::new(&MasterKey::new([1; 32]));
        let sealed = sealer.seal("token", b"row", b"value", &mut SysRng).unwrap();
        assert_eq!(sealer.open("token", b"row", &sealed).unwrap().as_slice(), b"value");
        assert_eq!(sealer.open("token", b"row ", &sealed), Err(Tampered));
        assert_eq!(sealer.open("tokens", b"row", &sealed), Err(Tampered));
        assert_eq!(sealer.open("rsa_key", b"row", &sealed), Err(Tampered));
        let other = Sealer::new(&MasterKey::new([2; 32]));
        assert_eq!(other.open("token", b"row", &sealed), Err(Tampered));
        // Even if it was told that the key is this one.
        let mut renamed = sealed.clone();
        renamed[1..=KEY_ID].copy_from_slice(&other.key_id);
        assert_eq!(other.open("token", b"row", &renamed), Err(Tampered));
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open("token", b"row", &flipped), Err(Tampered), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(sealer.open("token", b"row", &sealed[..length]), Err(Tampered));
        }
        let longer = [sealed.as_slice(), &[0]].concat();
        assert_eq!(sealer.open("token", b"row", &longer), Err(Tampered));
        assert_eq!(format!("{sealer:?}"), "Sealer(hidden)");
    }

    #[test]
    fn nonces_are_new_each_time() {
        let sealer = Sealer::new(&MasterKey::new([1; 32]));
        let sealed = || sealer.seal("token", b"row", b"", &mut SysRng).unwrap();
        let nonces: HashSet<Vec<u8>> =
            (0..5000).map(|_| sealed()[1 + KEY_ID..][..NONCE].to_vec()).collect();
        assert_eq!(nonces.len(), 5000);
        assert_eq!(sealed().len(), 1 + KEY_ID + NONCE + TAG);
    }
}
