//! Why a server does not go on, and what it still owes the client.

use crate::crypto::DecryptFailed;
use crate::message::{Refusal, ServerFinished, ServerHello, Status};
use crate::{RandomnessFailed, SessionId};
use alloc::string::String;

/// Why a server does not go on. Nothing of it but the status reaches the client, and in the deployed
/// dialect not even that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The client's version is below 1.0.
    #[error("the client speaks version {0:?}, which is below 1.0")]
    UnsupportedVersion(String),
    /// The second request names another version than the session's.
    #[error("the second request names another version than the first")]
    VersionChanged,
    /// A critical extension that this server does not know.
    #[error("the client demands an extension that this server does not know: {0}")]
    CriticalExtension(String),
    /// No key type in common.
    #[error("none of the key types offered is supported")]
    NoKeyType,
    /// No encryption algorithm in common.
    #[error("none of the encryption algorithms offered is supported")]
    NoEncryptionAlgorithm,
    /// No MAC algorithm in common.
    #[error("none of the MAC algorithms offered is supported")]
    NoMacAlgorithm,
    /// The client may not have what it asks for.
    #[error("the client may not have what it asks for")]
    AccessDenied,
    /// The session is unknown, expired, failed or finished.
    #[error("there is no such session")]
    UnknownSession,
    /// The client does not repeat R_S as the dialect demands.
    #[error("the client does not repeat the server's nonce")]
    NonceEcho,
    /// The client does not bring `ServerInfo` back as it was sent (R111).
    #[error("the client does not bring the server's information back as it was sent")]
    ServerInfo,
    /// R_C does not decrypt, or not to 16 octets.
    #[error(transparent)]
    Decrypt(#[from] DecryptFailed),
    /// Whoever decides who gets a token said no.
    #[error("refused by policy")]
    Refused(Status),
    /// The random source failed.
    #[error(transparent)]
    Internal(#[from] RandomnessFailed),
}

impl ServerError {
    /// The status that tells the client (`docs/spec/rfc4758-requirements.md` section 3).
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::UnsupportedVersion(_) => Status::UnsupportedVersion,
            Self::VersionChanged | Self::NonceEcho | Self::ServerInfo => Status::MalformedRequest,
            Self::CriticalExtension(_) => Status::UnknownCriticalExtension,
            Self::NoKeyType => Status::NoSupportedKeyTypes,
            Self::NoEncryptionAlgorithm => Status::NoSupportedEncryptionAlgorithms,
            Self::NoMacAlgorithm => Status::NoSupportedMACAlgorithms,
            Self::AccessDenied => Status::AccessDenied,
            Self::UnknownSession | Self::Internal(_) => Status::Abort,
            Self::Decrypt(_) => Status::InitializationFailed,
            Self::Refused(status) => *status,
        }
    }

    pub(super) fn hello(self) -> Rejection<ServerHello> {
        let reply = ServerHello::Refused(Refusal::new(self.status()));
        Rejection { error: self, reply }
    }

    pub(super) fn finished(self, session: Option<SessionId>) -> Rejection<ServerFinished> {
        let refusal = Refusal { session_id: session, ..Refusal::new(self.status()) };
        Rejection { error: self, reply: ServerFinished::Refused(refusal) }
    }
}

/// An error together with the answer that the client is still owed.
#[derive(Debug)]
pub struct Rejection<M> {
    /// Why, for the server's log.
    pub error: ServerError,
    /// What to send.
    pub reply: M,
}
