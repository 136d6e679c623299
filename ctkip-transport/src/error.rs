//! Why a run ended without a token, and whether the server may hold one.

use ctkip_core::ClientError;
use std::error::Error;
use std::fmt;

/// A response that did not come, or not whole.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct TransportError {
    /// What kind of failure.
    pub kind: TransportErrorKind,
    /// What exactly, for people; holds no secret.
    pub detail: String,
    /// What caused it.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl TransportError {
    /// A failure of this kind.
    #[must_use]
    pub fn new(kind: TransportErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }
}

/// A kind of transport failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The URL is none that this transport can post to.
    Url,
    /// The host's name is unknown.
    UnknownHost,
    /// Nothing listens there, or it cannot be reached.
    Connect,
    /// TLS failed: certificate, name, version.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection ended before the answer was whole.
    Interrupted,
    /// The answer is larger than is taken.
    TooLarge,
    /// The answer's content encoding is broken.
    Encoding,
    /// Something else.
    Other,
}

impl TransportErrorKind {
    /// One word, for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::UnknownHost => "unknown-host",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::TooLarge => "too-large",
            Self::Encoding => "encoding",
            Self::Other => "transport",
        }
    }

    /// Whether the request certainly did not reach a server that understood it.
    #[must_use]
    pub const fn was_not_sent(self) -> bool {
        matches!(self, Self::Url | Self::UnknownHost | Self::Connect | Self::Tls)
    }

    /// Whether the same request, sent again, may fare better.
    #[must_use]
    pub const fn is_worth_resending(self) -> bool {
        !matches!(self, Self::Url | Self::Tls | Self::TooLarge)
    }
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "the URL cannot be used",
            Self::UnknownHost => "the host is unknown",
            Self::Connect => "no connection",
            Self::Tls => "TLS failed",
            Self::Timeout => "no answer in time",
            Self::Interrupted => "the connection was cut",
            Self::TooLarge => "the answer is too large",
            Self::Encoding => "the answer's content encoding is broken",
            Self::Other => "the transport failed",
        })
    }
}

/// What a failed run leaves behind at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing: no token, and the code is as good as it was.
    NothingCommitted,
    /// The server refused; there is no token.
    Refused,
    /// The server answered, but its answer makes no token here; it may hold one all the same.
    MayBeCommitted,
    /// The last request was sent and never answered: whether there is a token is not known.
    Unknown,
}

/// Why a run ended without a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The client ended it.
    #[error("{error}")]
    Client {
        /// Why.
        #[source]
        error: ClientError,
        /// What it leaves behind.
        outcome: Outcome,
    },
    /// The transport failed, every time it was tried.
    #[error("{error}")]
    Transport {
        /// The last failure.
        #[source]
        error: TransportError,
        /// What it leaves behind.
        outcome: Outcome,
    },
}

impl RunError {
    /// What the run leaves behind at the server.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Client { outcome, .. } | Self::Transport { outcome, .. } => *outcome,
        }
    }
}
