//! What names and dates a session.

use crate::{Layout, RandomnessFailed};
use alloc::string::String;
use alloc::vec::Vec;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use core::fmt;
use rand_core::TryCryptoRng;

/// A point in time: seconds since 1970-01-01 UTC. The core has no clock; its callers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub u64);

/// The SessionID that ties the second request to the first (RFC 4758 section 3.7.4). Opaque to the
/// client, which repeats it character for character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

/// Octets that an identifier in the shape that deployed clients know has room for.
pub(crate) const SEALED: usize = 73;

impl SessionId {
    /// The longest identifier a server gives out, in octets (R047). How long a one a reader takes is
    /// [`crate::Reading::max_identifier`].
    pub const MAX_SENT: usize = 128;

    /// A new identifier, unguessable: 32 random octets, or the 73 that fit into the shape that
    /// deployed clients know (34 hex digits, a hyphen, 76 characters of base64 that end in A).
    ///
    /// # Errors
    /// [`RandomnessFailed`] when `rng` does.
    pub fn random<R: TryCryptoRng + ?Sized>(
        layout: Layout,
        rng: &mut R,
    ) -> Result<Self, RandomnessFailed> {
        let mut random = [0; SEALED];
        rng.try_fill_bytes(&mut random).map_err(|_| RandomnessFailed)?;
        Ok(match layout {
            Layout::Schema => Self(BASE64_URL_SAFE_NO_PAD.encode(random.split_at(32).0)),
            Layout::Recorded => Self(recorded(&random)),
        })
    }

    /// The identifier that holds these octets.
    #[cfg(feature = "xml")]
    pub(crate) fn sealed(layout: Layout, octets: &[u8; SEALED]) -> Self {
        Self(match layout {
            Layout::Schema => BASE64_URL_SAFE_NO_PAD.encode(octets),
            Layout::Recorded => recorded(octets),
        })
    }

    /// The octets that an identifier holds, if it is one of [`Self::sealed`], character for
    /// character: no other text holds the same.
    #[cfg(feature = "xml")]
    pub(crate) fn unsealed(&self, layout: Layout) -> Option<[u8; SEALED]> {
        let octets = match layout {
            Layout::Schema => BASE64_URL_SAFE_NO_PAD.decode(&self.0).ok()?,
            Layout::Recorded => {
                let (hex, base64) = self.0.split_once('-')?;
                let digits = hex.as_bytes().chunks_exact(2);
                let octet = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
                let mut octets: Vec<u8> = digits.filter_map(octet).collect();
                octets.append(&mut BASE64_STANDARD.decode(base64).ok()?);
                octets.pop();
                octets
            }
        };
        let octets = octets.try_into().ok()?;
        (Self::sealed(layout, &octets) == *self).then_some(octets)
    }

    /// An identifier as it stands in a message.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self(id)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Octets in the shape that deployed clients know.
fn recorded(octets: &[u8; SEALED]) -> String {
    let (hex, base64) = octets.split_at(17);
    let mut id = String::with_capacity(111);
    let nibbles = hex.iter().flat_map(|octet| [octet >> 4, octet & 15]);
    id.extend(nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)));
    id.push('-');
    // With an octet of zeros at the end, it is whole groups of four, and ends in A.
    BASE64_STANDARD.encode_string([base64, &[0]].concat(), &mut id);
    id
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a server was told by whoever decides who gets a token: a reference to an enrolment, opaque
/// to the protocol. It travels with the session from the first request to the second.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Grant(Vec<u8>);

impl Grant {
    /// The longest grant, in octets: it has to fit into a sealed SessionID.
    pub const MAX: usize = 22;

    /// A reference of at most [`Self::MAX`] octets; `None` when it is longer.
    #[must_use]
    pub fn new(reference: Vec<u8>) -> Option<Self> {
        (reference.len() <= Self::MAX).then_some(Self(reference))
    }

    /// The reference.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }
}
