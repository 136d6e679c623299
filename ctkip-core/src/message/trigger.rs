//! `CT-KIPTrigger` (RFC 4758 section 3.8.2).

use super::Version;
use alloc::string::String;
use alloc::vec::Vec;

/// A message by which a server makes a client start a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The version; absent is read as 1.0.
    pub version: Option<Version>,
    /// What to start, or `None` when the trigger holds an element of another namespace instead,
    /// which this client does not know (R132).
    pub initialization: Option<InitializationTrigger>,
}

/// What a trigger says of the run to come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InitializationTrigger {
    /// The token to provision, to be repeated in `ClientHello` (R126).
    pub token_id: Option<Vec<u8>>,
    /// The key to replace, to be repeated in `ClientHello` (R127).
    pub key_id: Option<Vec<u8>>,
    /// `TokenPlatformInfo`: where the key and the algorithm are to be.
    pub platform: Option<(Option<Platform>, Option<Platform>)>,
    /// The nonce to be repeated in `ClientHello`: at least 16 octets, good for one run.
    pub trigger_nonce: Vec<u8>,
    /// `CT-KIPURL`: where to send `ClientHello`. Whoever made the trigger chose it (R129).
    pub url: Option<String>,
}

/// Where a token's key or algorithm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Platform {
    /// In hardware.
    Hardware,
    /// In software.
    Software,
    /// Not said.
    Unspecified,
}

impl Platform {
    /// The word in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hardware => "Hardware",
            Self::Software => "Software",
            Self::Unspecified => "Unspecified",
        }
    }

    /// The platform this word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Hardware, Self::Software, Self::Unspecified]
            .into_iter()
            .find(|platform| platform.as_str() == word)
    }
}
