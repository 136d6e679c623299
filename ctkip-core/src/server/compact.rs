//! A session small enough to travel in its own identifier.

use super::{NONCE, Pending, Server};
use crate::crypto::RsaPublicKey;
use crate::message::{EncryptionKey, Version};
use crate::{EncryptionAlgorithm, Grant, KeyType, Prf};

/// Octets of a compact session: algorithms, length of the grant, R_S, the grant.
pub(crate) const COMPACT: usize = 1 + 1 + NONCE + Grant::MAX;

const KEY_TYPES: [KeyType; 3] =
    [KeyType::SecurIdAes, KeyType::Prf(Prf::Aes), KeyType::Prf(Prf::Sha256)];
const ENCRYPTION: [EncryptionAlgorithm; 2] =
    [EncryptionAlgorithm::RsaOaep, EncryptionAlgorithm::Rsa15];
const PRFS: [Prf; 2] = [Prf::Aes, Prf::Sha256];

/// Every combination of algorithms that a compact session can have: its place in this order is the
/// octet that stands for it.
fn combinations() -> impl Iterator<Item = (KeyType, EncryptionAlgorithm, Prf)> {
    KEY_TYPES.into_iter().flat_map(|key_type| {
        ENCRYPTION.into_iter().flat_map(move |encryption| {
            PRFS.into_iter().map(move |prf| (key_type, encryption, prf))
        })
    })
}

impl Server {
    /// The public half of the server's RSA key, if it has one.
    pub(crate) const fn rsa_key(&self) -> Option<&RsaPublicKey> {
        self.config.key.as_ref()
    }
}

impl Pending {
    /// This session as a server with this key could restore it; `None` when there is more to it.
    pub(crate) fn compact(&self, key: &RsaPublicKey) -> Option<[u8; COMPACT]> {
        // Every field is named, so that a new one is thought of here.
        let Self {
            version,
            server_nonce,
            key_type,
            encryption,
            prf,
            encryption_key: EncryptionKey::Rsa { modulus, .. },
            auth_key: None,
            token_id: None,
            key_id: None,
            server_info: None,
            grant,
        } = self
        else {
            return None;
        };
        if *version != Version::V1_0 || *modulus != key.modulus() {
            return None;
        }
        let chosen = (*key_type, *encryption, *prf);
        let algorithms = combinations().position(|known| known == chosen)?;
        let mut compact = [0; COMPACT];
        let (head, rest) = compact.split_at_mut(2);
        head.copy_from_slice(&[
            u8::try_from(algorithms).ok()?,
            u8::try_from(grant.as_octets().len()).ok()?,
        ]);
        let (nonce, room) = rest.split_first_chunk_mut::<NONCE>()?;
        *nonce = server_nonce.as_slice().try_into().ok()?;
        room.iter_mut().zip(grant.as_octets()).for_each(|(to, from)| *to = *from);
        Some(compact)
    }

    /// The session that [`Self::compact`] made this of, under the same key.
    pub(crate) fn from_compact(compact: &[u8; COMPACT], key: &RsaPublicKey) -> Option<Self> {
        let ([algorithms, length], rest) = compact.split_first_chunk()?;
        let (server_nonce, room) = rest.split_first_chunk::<NONCE>()?;
        let (key_type, encryption, prf) = combinations().nth(usize::from(*algorithms))?;
        Some(Self {
            version: Version::V1_0,
            server_nonce: server_nonce.to_vec(),
            key_type,
            encryption,
            prf,
            encryption_key: EncryptionKey::Rsa {
                modulus: key.modulus().to_vec(),
                exponent: key.exponent().to_vec(),
            },
            auth_key: None,
            token_id: None,
            key_id: None,
            server_info: None,
            grant: Grant::new(room.get(..usize::from(*length))?.to_vec())?,
        })
    }
}
