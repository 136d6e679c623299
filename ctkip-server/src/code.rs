//! Activation codes: made, shown once, and looked up without being kept.

use ctkip_core::{ActivationCode, RandomnessFailed};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::TryCryptoRng;
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Dialect, MasterKey};

/// How many digits a code has at least, and unless more are asked for: clients in the field may take
/// no more.
pub const CODE_LENGTH: usize = 12;
/// How many digits a code has at most.
pub const MAX_CODE_LENGTH: usize = 64;

/// Octets of a trigger's nonce (RFC 4758 section 3.7.7; R067).
pub(crate) const TRIGGER_NONCE: usize = 16;

/// Octets of a tag. With the number of the enrolment it fills a grant.
pub(crate) const TAG: usize = 14;

/// What a code is kept as: the first 112 bits of an HMAC-SHA-256 under a subkey of the master key.
/// Who has it, and not the master key, cannot try codes against it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeTag([u8; TAG]);

impl CodeTag {
    /// How many octets a tag has.
    pub const LENGTH: usize = TAG;

    /// A tag that was kept.
    #[must_use]
    pub const fn new(octets: [u8; TAG]) -> Self {
        Self(octets)
    }

    /// What to keep of it.
    #[must_use]
    pub const fn as_octets(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn matches(&self, other: &[u8]) -> bool {
        self.0.as_slice().ct_eq(other).into()
    }
}

impl fmt::Debug for CodeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeTag(hidden)")
    }
}

/// The key that codes are tagged under.
pub(crate) struct CodeKey(Zeroizing<[u8; 32]>);

impl CodeKey {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self(master.subkey("code"))
    }

    /// The tag of a code, or of a trigger's nonce: one dialect's is not good in the other.
    pub(crate) fn tag(&self, dialect: Dialect, code: &[u8]) -> CodeTag {
        // HMAC takes keys of any length; this one has 32 octets.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&*self.0) else {
            return CodeTag([0; TAG]);
        };
        mac.update(dialect.name().as_bytes());
        mac.update(b" ");
        mac.update(code);
        let mut tag = [0; TAG];
        let full = mac.finalize().into_bytes();
        tag.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        CodeTag(tag)
    }
}

/// A new code of decimal digits, each as likely as any other.
pub(crate) fn random<R: TryCryptoRng + ?Sized>(
    length: usize,
    rng: &mut R,
) -> Result<ActivationCode, RandomnessFailed> {
    let mut digits = Vec::with_capacity(length);
    let mut octets = Zeroizing::new([0; MAX_CODE_LENGTH]);
    while digits.len() < length {
        rng.try_fill_bytes(&mut *octets).map_err(|_| RandomnessFailed)?;
        // Of the 256 values of an octet, the 250 below are 25 times each digit.
        let fair = octets.iter().filter(|octet| **octet < 250);
        let fair = fair.map(|octet| b'0'.saturating_add(octet % 10));
        digits.extend(fair.take(length.saturating_sub(digits.len())));
    }
    Ok(ActivationCode::new(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use getrandom::SysRng;

    #[test]
    fn digits_are_as_likely_as_each_other() {
        let mut counts = [0_u32; 10];
        for _ in 0..2000 {
            let code = random(MAX_CODE_LENGTH, &mut SysRng).unwrap();
            assert_eq!(code.expose().len(), MAX_CODE_LENGTH);
            code.expose().iter().for_each(|digit| counts[usize::from(digit - b'0')] += 1);
        }
        // 128,000 digits: six standard deviations are some 644.
        assert!(counts.iter().all(|count| count.abs_diff(12_800) < 650), "{counts:?}");
    }

    #[test]
    fn a_tag_is_of_its_code_dialect_and_key() {
        let (one, other) =
            (CodeKey::new(&MasterKey::new([1; 32])), CodeKey::new(&MasterKey::new([2; 32])));
        let tags = [
            one.tag(Dialect::Securid, b"123456789012"),
            one.tag(Dialect::Rfc4758, b"123456789012"),
            one.tag(Dialect::Securid, b"123456789013"),
            one.tag(Dialect::Securid, b""),
            other.tag(Dialect::Securid, b"123456789012"),
        ];
        for (number, tag) in tags.iter().enumerate() {
            assert!(tags[..number].iter().all(|before| before != tag));
        }
        assert!(tags[0].matches(one.tag(Dialect::Securid, b"123456789012").as_octets()));
        assert!(!tags[0].matches(&tags[0].as_octets()[..TAG - 1]));
        assert_eq!(format!("{:?}", tags[0]), "CodeTag(hidden)");
    }
}
