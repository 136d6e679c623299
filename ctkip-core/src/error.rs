//! What can go wrong, and whose doing it was.

use crate::Departure;
use crate::crypto::{Fingerprint, UnusableKey};
use crate::message::Status;
use alloc::string::String;
use core::fmt;

/// The random source failed, so nothing secret could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random source failed")]
pub struct RandomnessFailed;

/// A message that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} ({place})")]
pub struct MessageError {
    /// What is wrong.
    pub kind: MessageErrorKind,
    /// Where: the element or attribute, or the octet for what is not XML.
    pub place: String,
}

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageErrorKind {
    /// Not well-formed XML, a document type declaration, or beyond the limits of size and depth.
    #[error("not acceptable as XML: {0}")]
    Xml(String),
    /// The root is no message of CT-KIP that may stand here.
    #[error("not the message expected")]
    UnexpectedMessage,
    /// A required element or attribute is absent.
    #[error("a required part is missing")]
    Missing,
    /// An element or attribute that the schema does not have here, or has once only.
    #[error("a part that does not belong here")]
    Unexpected,
    /// Characters that are not base64, or an impossible number of them.
    #[error("not base64")]
    Base64,
    /// A value that is not of its type.
    #[error("a value that is none of its type")]
    Value,
    /// A Status that is absent or unknown.
    #[error("no known Status")]
    Status,
    /// A Version that is not one, or in a trigger another than 1.0.
    #[error("no Version that this reader knows")]
    Version,
    /// A nonce shorter than 16 octets, or longer than the reader's limit.
    #[error("a nonce of a length that is not allowed")]
    NonceLength,
    /// A value longer than the reader's limit.
    #[error("a value that is too long")]
    TooLong,
    /// A departure from RFC 4758 that this reader does not let pass.
    #[error("{} ({})", .0.describe(), .0.reference())]
    Departure(Departure),
}

/// Why a client's run ended without a token.
///
/// A failed run has wiped its secrets. Whether the server may hold a token all the same is told by
/// where the run ended: after `ClientNonce` was sent it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server answered with another HTTP status than 200.
    #[error("the server answered with HTTP status {0}")]
    Http(u16),
    /// The server answered with a SOAP fault.
    #[error("the server refused: {message}")]
    Fault {
        /// The reason, boiled down to its last part.
        message: String,
        /// The whole text of the fault, cut at 4096 characters.
        detail: String,
    },
    /// The answer cannot be read.
    #[error("the server's answer cannot be used: {0}")]
    Message(#[from] MessageError),
    /// The server ended the run with a status.
    #[error("the server ended the run with status {0}")]
    Refused(Status),
    /// The answer repeats another activation code than the one sent.
    #[error("the server's answer is for another activation code")]
    AuthMismatch,
    /// The server chose another version than 1.0.
    #[error("the server chose version {0:?}; this client speaks 1.0")]
    Version(String),
    /// The server chose an algorithm that was not offered.
    #[error("the server chose {0:?}, which was not offered")]
    Algorithm(String),
    /// The answer belongs to another session.
    #[error("the server's answer belongs to another session")]
    SessionMismatch,
    /// The server's key cannot be used.
    #[error("the server's key cannot be used: {0}")]
    Key(#[from] UnusableKey),
    /// The server's key is smaller than this client accepts.
    #[error("the server's RSA key has {bits} bits; at least {minimum} are wanted")]
    KeyTooSmall {
        /// Its size in bits.
        bits: usize,
        /// What is wanted, in bits.
        minimum: usize,
    },
    /// The server's key is none of the pinned ones.
    #[error("the server's key is none of the pinned ones; it is sha256:{}", Hex(.0))]
    KeyNotPinned(Fingerprint),
    /// The server named a shared key that this client does not have, an algorithm and a key that do
    /// not belong together, or, in a trigger, a key that this client was not told to replace.
    #[error("the server named a key that this client does not have")]
    UnknownKey,
    /// A critical extension that this client does not know.
    #[error("the server demands an extension that this client does not know: {0}")]
    CriticalExtension(String),
    /// R_S and its repetition in the extension differ.
    #[error("the server's nonce and its repetition differ")]
    NonceEcho,
    /// `ClientInfo` came back altered (R107).
    #[error("the server altered the information that it was to repeat")]
    ClientInfoEcho,
    /// The server did not show that it may replace the key (MAC 1), or did not confirm the run with
    /// the right MAC (MAC 2).
    #[error("the server's MAC is missing or wrong")]
    Mac,
    /// The confirmation is for another token or key than was asked for (R059, R060), or would
    /// overwrite a key that this run was not authorised to replace (R187).
    #[error("the server confirmed another token or key than was asked for")]
    WrongToken,
    /// A key given to this client has a length that the PRF does not take.
    #[error("a key of {0} octets is none of the PRF")]
    KeyLength(usize),
    /// The random source failed.
    #[error(transparent)]
    Randomness(#[from] RandomnessFailed),
}

/// The kind of a [`ClientError`], one word each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the words are those of the errors they belong to")]
pub enum ClientErrorKind {
    Http,
    Xml,
    Fault,
    MissingField,
    AuthMismatch,
    Base64,
    UnexpectedMessage,
    Malformed,
    Status,
    Version,
    Algorithm,
    SessionMismatch,
    Key,
    KeyTooSmall,
    KeyNotPinned,
    CriticalExtension,
    NonceEcho,
    ClientInfoEcho,
    NonceLength,
    Mac,
    WrongToken,
    Local,
}

impl ClientErrorKind {
    /// The word, for machine-readable output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Xml => "xml",
            Self::Fault => "fault",
            Self::MissingField => "missing-field",
            Self::AuthMismatch => "auth-mismatch",
            Self::Base64 => "base64",
            Self::UnexpectedMessage => "unexpected-message",
            Self::Malformed => "malformed",
            Self::Status => "status",
            Self::Version => "version",
            Self::Algorithm => "algorithm",
            Self::SessionMismatch => "session-mismatch",
            Self::Key => "key",
            Self::KeyTooSmall => "key-too-small",
            Self::KeyNotPinned => "key-not-pinned",
            Self::CriticalExtension => "critical-extension",
            Self::NonceEcho => "nonce-echo",
            Self::ClientInfoEcho => "client-info-echo",
            Self::NonceLength => "nonce-length",
            Self::Mac => "mac",
            Self::WrongToken => "wrong-token",
            Self::Local => "local",
        }
    }
}

impl ClientError {
    /// What kind of error this is.
    #[must_use]
    pub const fn kind(&self) -> ClientErrorKind {
        match self {
            Self::Http(_) => ClientErrorKind::Http,
            Self::Fault { .. } => ClientErrorKind::Fault,
            Self::Message(error) => match error.kind {
                MessageErrorKind::Xml(_) => ClientErrorKind::Xml,
                MessageErrorKind::UnexpectedMessage => ClientErrorKind::UnexpectedMessage,
                MessageErrorKind::Missing => ClientErrorKind::MissingField,
                MessageErrorKind::Base64 => ClientErrorKind::Base64,
                MessageErrorKind::Status => ClientErrorKind::Status,
                MessageErrorKind::Version => ClientErrorKind::Version,
                MessageErrorKind::NonceLength => ClientErrorKind::NonceLength,
                MessageErrorKind::Departure(Departure::SuccessInHello) => ClientErrorKind::Status,
                MessageErrorKind::Departure(Departure::UnpaddedBase64) => ClientErrorKind::Base64,
                MessageErrorKind::Unexpected
                | MessageErrorKind::Value
                | MessageErrorKind::TooLong
                | MessageErrorKind::Departure(_) => ClientErrorKind::Malformed,
            },
            Self::Refused(_) => ClientErrorKind::Status,
            Self::AuthMismatch => ClientErrorKind::AuthMismatch,
            Self::Version(_) => ClientErrorKind::Version,
            Self::Algorithm(_) => ClientErrorKind::Algorithm,
            Self::SessionMismatch => ClientErrorKind::SessionMismatch,
            Self::Key(_) | Self::UnknownKey => ClientErrorKind::Key,
            Self::KeyTooSmall { .. } => ClientErrorKind::KeyTooSmall,
            Self::KeyNotPinned(_) => ClientErrorKind::KeyNotPinned,
            Self::CriticalExtension(_) => ClientErrorKind::CriticalExtension,
            Self::NonceEcho => ClientErrorKind::NonceEcho,
            Self::ClientInfoEcho => ClientErrorKind::ClientInfoEcho,
            Self::Mac => ClientErrorKind::Mac,
            Self::WrongToken => ClientErrorKind::WrongToken,
            Self::KeyLength(_) | Self::Randomness(_) => ClientErrorKind::Local,
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}
