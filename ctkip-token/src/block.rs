//! AES-128 on single blocks, and the CBC-MAC of sdtid files.

use aes::{
    Aes128, Block,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};

/// AES(K, X) of docs/spec/securid-token.md.
pub(crate) fn encrypt(key: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
    encryptor(key)(block)
}

/// AES(K, _), for many blocks.
pub(crate) fn encryptor(key: &[u8; 16]) -> impl Fn(&[u8; 16]) -> [u8; 16] + use<> {
    let cipher = Aes128::new(key.into());
    move |block| {
        let mut block = Block::from(*block);
        cipher.encrypt_block(&mut block);
        block.into()
    }
}

/// Its inverse.
pub(crate) fn decrypt(key: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
    let mut block = Block::from(*block);
    Aes128::new(key.into()).decrypt_block(&mut block);
    block.into()
}

/// Bytewise exclusive or.
pub(crate) fn xor(mut left: [u8; 16], right: &[u8; 16]) -> [u8; 16] {
    for (l, r) in left.iter_mut().zip(right) {
        *l ^= r;
    }
    left
}

/// `pad0(s, N)`: the first N bytes, filled on the right with zero bytes.
pub(crate) fn pad0<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut padded = [0; N];
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    padded
}

/// CBCMAC of section 5.3: no padding but zeros in the last block.
#[cfg(feature = "xml")]
pub(crate) fn cbc_mac(key: &[u8; 16], iv: &[u8; 16], data: &[u8]) -> [u8; 16] {
    let cipher = Aes128::new(key.into());
    let mut register = Block::from(*iv);
    for chunk in data.chunks(16) {
        for (r, byte) in register.iter_mut().zip(chunk) {
            *r ^= byte;
        }
        cipher.encrypt_block(&mut register);
    }
    register.into()
}
