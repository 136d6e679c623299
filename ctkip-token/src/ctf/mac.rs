//! The hash of numeric tokens (docs/spec/securid-token.md section 3.1). Blocks of the message are
//! used as AES keys.

use crate::block::{encrypt, pad0, xor};

/// MAC(x), 16 octets.
pub(crate) fn mac(message: &[u8]) -> [u8; 16] {
    let step = |work: [u8; 16], key: &[u8; 16]| xor(work, &encrypt(key, &work));
    let mut work = [0xFF; 16];
    let mut blocks = message.chunks(16);
    // An empty message is one block of zeros.
    let first = blocks.next().unwrap_or_default();
    let mut odd = false;
    for block in core::iter::once(first).chain(blocks) {
        work = step(work, &pad0(block));
        odd = !odd;
    }
    if !odd {
        work = step(work, &[0; 16]);
    }
    let bits = (message.len() as u128).saturating_mul(8);
    work = step(work, &bits.to_be_bytes());
    xor(work, &encrypt(&work, &work))
}

/// SHORT(x): the first 15 bits of MAC(x).
pub(crate) fn short(message: &[u8]) -> u16 {
    let [first, second, ..] = mac(message);
    u16::from_be_bytes([first, second]) >> 1
}
