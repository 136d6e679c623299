//! The keys of an sdtid file (docs/spec/securid-token.md section 5.3).

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Seed,
    block::{cbc_mac, encrypt, encryptor, pad0, xor},
};

pub(super) const BATCH_MAC_IV: [u8; 16] =
    0x2B7E_1516_28AE_D2A6_ABF7_1588_09CF_4F3C_u128.to_be_bytes();
pub(super) const TOKEN_MAC_IV: [u8; 16] =
    0x1BB6_7AE8_584C_AA73_B257_42D7_078B_83B8_u128.to_be_bytes();
const TOKEN_ENCRYPTION_IV: [u8; 16] = 0x16A0_9E66_7F3B_CC90_8B2F_B136_6EA9_57D3_u128.to_be_bytes();

/// The values that keys are made of: trimmed, but not zero-filled.
pub(super) struct KeyInputs<'a> {
    /// The password, else Origin.
    pub(super) password: &'a str,
    pub(super) dest: &'a str,
    pub(super) name: &'a str,
    pub(super) secret: &'a [u8; 16],
    pub(super) serial: &'a str,
}

/// The keys for one token of a file.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Keys {
    /// For HeaderMAC.
    pub(super) batch_mac: [u8; 16],
    /// For TokenMAC.
    pub(super) token_mac: [u8; 16],
    pub(super) token_encryption: [u8; 16],
    /// What is xored onto the seed, both ways.
    pub(super) seed_mask: [u8; 16],
}

impl Keys {
    pub(super) fn derive(inputs: &KeyInputs<'_>) -> Self {
        let (name, serial) = (inputs.name.as_bytes(), inputs.serial.as_bytes());
        let mut key0 = key0(inputs.password.as_bytes(), inputs.dest.as_bytes(), name);
        let mut key1 = key1(&key0, name, inputs.secret);
        let labelled = |iv, label: &[u8], value| {
            cbc_mac(&key1, iv, &[pad0::<32>(label), pad0::<32>(value)].concat())
        };
        let batch_mac = labelled(&BATCH_MAC_IV, b"BatchMAC", name);
        let token_mac = labelled(&TOKEN_MAC_IV, b"TokenMAC", serial);
        let token_encryption = labelled(&TOKEN_ENCRYPTION_IV, b"TokenEncrypt", serial);
        let seed_mask = encrypt(&token_encryption, &two_halves(serial, b"Seed"));
        key0.zeroize();
        key1.zeroize();
        Self { batch_mac, token_mac, token_encryption, seed_mask }
    }

    /// Encrypts a seed for the Seed element.
    pub(super) fn seal(&self, seed: &Seed) -> [u8; 16] {
        xor(*seed.expose(), &self.seed_mask)
    }

    /// Decrypts the Seed element's octets.
    pub(super) fn open(&self, encrypted: &[u8; 16]) -> Seed {
        Seed::new(xor(*encrypted, &self.seed_mask))
    }
}

/// A thousand CBC-MACs of which only the last block differs, xored together.
pub(super) fn key0(password: &[u8], dest: &[u8], name: &[u8]) -> [u8; 16] {
    let key = pad0::<16>(name);
    let common = cbc_mac(&key, &[0; 16], &[pad0::<32>(password), pad0::<32>(dest)].concat());
    let encrypt = encryptor(&key);
    (0..1000_u128).fold([0; 16], |sum, i| xor(sum, &encrypt(&xor(common, &i.to_be_bytes()))))
}

pub(super) fn key1(key0: &[u8; 16], name: &[u8], secret: &[u8; 16]) -> [u8; 16] {
    xor(encrypt(key0, &two_halves(b"Secret", name)), secret)
}

/// `pad0(left, 8) || pad0(right, 8)`.
fn two_halves(left: &[u8], right: &[u8]) -> [u8; 16] {
    let halves = [u64::from_be_bytes(pad0(left)), u64::from_be_bytes(pad0(right))];
    let [left, right] = halves.map(u128::from);
    ((left << 64) | right).to_be_bytes()
}
