//! CT-KIP-PRF (RFC 4758 section 3.4 and appendix D).

use crate::{Counter, Prf};
use aes::{Aes128, Aes192, Aes256};
use cmac::{Cmac, KeyInit, Mac};
use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroize;

/// The PRF cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrfError {
    /// The key is not one of AES: 16, 24 or 32 octets.
    #[error("a key of {0} octets is none of AES (16, 24 or 32)")]
    KeyLength(usize),
    /// More than 2³²−1 blocks were asked for: RFC 4758's "derived data too long" (R212, R220).
    #[error("derived data too long")]
    TooLong,
}

/// Fills `out` (its length is dsLen) with CT-KIP-PRF(`key`, s), where s is `input` joined.
///
/// Block i is F(key, i ‖ s) or F(key, s ‖ i), as `counter` says; i counts from 1 and enters as
/// four octets, most significant first; the last block is cut.
///
/// # Errors
/// [`PrfError::KeyLength`] when the PRF over AES is given a key that is none of AES,
/// [`PrfError::TooLong`] when `out` has more than 2³²−1 blocks.
pub fn prf(
    prf: Prf,
    counter: Counter,
    key: &[u8],
    input: &[&[u8]],
    out: &mut [u8],
) -> Result<(), PrfError> {
    match (prf, key.len()) {
        (Prf::Aes, 16) => fill::<Cmac<Aes128>>(counter, key, input, out),
        (Prf::Aes, 24) => fill::<Cmac<Aes192>>(counter, key, input, out),
        (Prf::Aes, 32) => fill::<Cmac<Aes256>>(counter, key, input, out),
        (Prf::Aes, other) => Err(PrfError::KeyLength(other)),
        (Prf::Sha256, _) => fill::<Hmac<Sha256>>(counter, key, input, out),
    }
}

fn fill<F: Mac + KeyInit + Clone>(
    counter: Counter,
    key: &[u8],
    input: &[&[u8]],
    out: &mut [u8],
) -> Result<(), PrfError> {
    let keyed = <F as KeyInit>::new_from_slice(key).map_err(|_| PrfError::KeyLength(key.len()))?;
    for (index, block) in out.chunks_mut(F::output_size()).enumerate() {
        let number = u32::try_from(index)
            .ok()
            .and_then(|index| index.checked_add(1))
            .ok_or(PrfError::TooLong)?
            .to_be_bytes();
        let mut mac = keyed.clone();
        if counter == Counter::Prefix {
            mac.update(&number);
        }
        for part in input {
            mac.update(part);
        }
        if counter == Counter::Suffix {
            mac.update(&number);
        }
        let mut full = mac.finalize().into_bytes();
        block.iter_mut().zip(&full).for_each(|(to, from)| *to = *from);
        full.zeroize();
    }
    Ok(())
}
