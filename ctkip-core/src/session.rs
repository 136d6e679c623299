//! What names and dates a session.

use crate::{Layout, RandomnessFailed};
use alloc::string::String;
use alloc::vec::Vec;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use core::fmt::{self, Write};
use rand_core::TryCryptoRng;

/// A point in time: seconds since 1970-01-01 UTC. The core has no clock; its callers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

/// The SessionID that ties the second request to the first (RFC 4758 section 3.7.4). Opaque to the
/// client, which repeats it character for character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

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
        let mut random = [0; 74];
        rng.try_fill_bytes(&mut random).map_err(|_| RandomnessFailed)?;
        let [.., last] = &mut random;
        *last = 0;
        let (hex, rest) = random.split_at(17);
        Ok(Self(match layout {
            Layout::Schema => BASE64_URL_SAFE_NO_PAD.encode(rest.get(..32).unwrap_or(rest)),
            Layout::Recorded => {
                let mut id = String::with_capacity(111);
                for octet in hex {
                    // Writing to a String does not fail.
                    let _ = write!(id, "{octet:02x}");
                }
                id.push('-');
                BASE64_STANDARD.encode_string(rest, &mut id);
                id
            }
        }))
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
    pub const MAX: usize = 24;

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
