//! Version and Status, and the answer that has nothing else.

use crate::SessionId;
use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// The attribute Version. Versions are compared as text, so "1.00" is not "1.0" (R006).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Cow<'static, str>);

impl Version {
    /// "1.0", the version of RFC 4758 and of the deployed dialect.
    pub const V1_0: Self = Self(Cow::Borrowed("1.0"));

    /// A version of one or two digits, a dot and one to three digits (R004, R005); `None` for
    /// anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit())
        };
        (digits(major, 2) && digits(minor, 3)).then(|| Self(Cow::Owned(String::from(text))))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a server of 1.0 may answer a client whose highest version this is: 1.0, spelled so
    /// (R006), or a higher one (R008).
    #[must_use]
    pub fn includes_1_0(&self) -> bool {
        let (major, minor) = self.0.split_once('.').unwrap_or_default();
        let number = |part: &str| part.parse::<u16>().unwrap_or_default();
        *self == Self::V1_0 || (number(major), number(minor)) > (1, 0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The attribute Status of a response (RFC 4758 section 3.7.5).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Status { $($(#[$doc])* $name),* }

        impl Status {
            /// All twelve, in the order of the RFC's schema.
            pub const ALL: [Self; 12] = [$(Self::$name),*];

            /// The word in messages.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

statuses! {
    /// The run goes on. Never in the last message.
    Continue,
    /// The run is done. Only in the last message.
    Success,
    /// Refused for reasons the server does not give.
    Abort,
    /// This client may not contact this server.
    AccessDenied,
    /// The request could not be read.
    MalformedRequest,
    /// The server does not know this kind of request.
    UnknownRequest,
    /// The request had a critical extension that the server does not know.
    UnknownCriticalExtension,
    /// The version is not supported. Only in the first response.
    UnsupportedVersion,
    /// None of the key types offered is supported.
    NoSupportedKeyTypes,
    /// None of the encryption algorithms offered is supported.
    NoSupportedEncryptionAlgorithms,
    /// None of the MAC algorithms offered is supported.
    NoSupportedMACAlgorithms,
    /// The key could not be made, for instance as R_C did not decrypt.
    InitializationFailed,
}

impl Status {
    /// The status this word names, spelled and cased exactly so (R018).
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A response that ends the run: a status and nothing to go on with (R037, R039).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The version, absent only in the deployed dialect.
    pub version: Option<Version>,
    /// Why; neither Continue nor Success.
    pub status: Status,
    /// The session, which only a `ServerFinished` may name.
    pub session_id: Option<SessionId>,
}

impl Refusal {
    /// A refusal with a status alone.
    #[must_use]
    pub const fn new(status: Status) -> Self {
        Self { version: Some(Version::V1_0), status, session_id: None }
    }
}
