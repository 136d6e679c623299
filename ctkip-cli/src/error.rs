//! Failures as their reader needs them: what happened, what to do now, and an exit status.

use std::path::Path;

use ctkip_core::{ClientError, ClientErrorKind};
use ctkip_token::link::LinkError;
use ctkip_transport::{Outcome, RunError, TransportErrorKind};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// The server refused.
    Refused = 1,
    /// Usage, or a local file or terminal.
    Usage = 2,
    /// Transport; nothing was committed.
    Transport = 3,
    /// Protocol, pinned key or MAC.
    Protocol = 4,
    /// There is a token, but not where it was asked for.
    NotSaved = 5,
    /// There may be a token.
    Unknown = 6,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    /// One word, for programs.
    pub(crate) kind: &'static str,
    /// What happened, and to which thing.
    pub(crate) what: String,
    /// What to do now.
    pub(crate) next: String,
    /// The rest, for whoever asks with `--verbose`.
    pub(crate) detail: Option<String>,
}

impl Failure {
    pub(crate) fn new(
        status: Status,
        kind: &'static str,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { status, kind, what: what.into(), next: next.into(), detail: None }
    }

    /// Something the user gave.
    pub(crate) fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Status::Usage, "usage", what, next)
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(verb: &str, path: &Path, error: &std::io::Error) -> Self {
        let what = format!("cannot {verb} {}: {error}", path.display());
        Self::new(Status::Usage, "file", what, "Check the path, and who may use it.")
    }

    fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

const NEW_CODE: &str =
    "Nothing was saved. The server may hold a token for this code, so ask for a new one.";

impl From<ctkip_token::Error> for Failure {
    fn from(error: ctkip_token::Error) -> Self {
        use ctkip_token::ErrorKind as Kind;
        let next = match error.kind() {
            Kind::PasswordMissing => "Give it with --password-file, or run this in a terminal.",
            Kind::PasswordWrong => "Give the right one, with --password-file or when asked.",
            Kind::DeviceIdMissing | Kind::DeviceIdWrong => {
                "Give it with --devid; the app shows it on its About screen."
            }
            Kind::Multiple => "Choose one with --serial; `ctkip show FILE` lists them.",
            Kind::InvalidValue => "Give another value.",
            Kind::PinLocked => {
                "Give the PIN with --pin-file, or store it anew with `ctkip setpin`."
            }
            Kind::Random => "Try again.",
            _ => "Check that it is the right file, or get the token again.",
        };
        Self::new(Status::Usage, error.kind().as_str(), error.to_string(), next)
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        let next = match error {
            LinkError::ActivationCode => "Check the code, or give it when asked.",
            LinkError::Scheme => "Ask for a link that uses https.",
            _ => "Check the link, or give the URL of the service: https://HOST:PORT/…",
        };
        Self::new(Status::Usage, error.kind(), error.to_string(), next)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let outcome = error.outcome();
        let failure = match &error {
            RunError::Client { error, .. } => client(error, outcome),
            RunError::Transport { error, .. } => {
                let failure = Self::new(
                    Status::Transport,
                    error.kind.as_str(),
                    error.to_string(),
                    transport_advice(error.kind),
                );
                let causes = causes(error);
                if causes.is_empty() { failure } else { failure.with_detail(causes) }
            }
            other => Self::new(Status::Protocol, "run", other.to_string(), NEW_CODE),
        };
        if outcome != Outcome::Unknown {
            return failure;
        }
        let what = format!("whether there is a token is not known: {}", failure.what);
        let next = "The last request was sent, and again, and no answer arrived. Nothing was saved. \
                    Ask the administrator whether the code was used, and for a new one if it was.";
        Self {
            status: Status::Unknown,
            kind: "outcome-unknown",
            what,
            next: next.into(),
            ..failure
        }
    }
}

/// The causes below an error, which its own text leaves out.
fn causes(error: &dyn std::error::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    causes.join(": ")
}

fn transport_advice(kind: TransportErrorKind) -> &'static str {
    use TransportErrorKind as Kind;
    match kind {
        Kind::Url => "Check the URL; it reads https://HOST:PORT/ctkip/services/CtkipService.",
        Kind::UnknownHost => "Check the host's name, and whether you need a VPN or --proxy.",
        Kind::Connect => "Check host and port, and whether you need a VPN or --proxy.",
        Kind::Tls => {
            "Nothing was sent. If the server's authority is your company's own, name its \
             certificate with --ca-cert."
        }
        Kind::Timeout => "Nothing was committed. Try again, with a larger --timeout if need be.",
        _ => "Nothing was committed. Try again; if it stays so, ask the administrator.",
    }
}

/// A run that the client ended.
fn client(error: &ClientError, outcome: Outcome) -> Failure {
    use ClientErrorKind as Kind;
    let kind = error.kind();
    let failure = |status, next: &str| Failure::new(status, kind.as_str(), error.to_string(), next);
    match error {
        ClientError::Fault { message, detail } => Failure::new(
            Status::Refused,
            kind.as_str(),
            format!("the server refused: {message}"),
            "Check the code, or ask the administrator for a new one: each is good for one token, \
             and for a while.",
        )
        .with_detail(detail),
        ClientError::Refused(_) => {
            failure(Status::Refused, "Ask the administrator why, and for a new code.")
        }
        ClientError::Http(status) => {
            let next = match status {
                401 | 403 => "Check the URL, the code and any proxy on the way.",
                404 | 405 => "Check the URL; it usually ends in /ctkip/services/CtkipService.",
                407 => {
                    "The proxy wants a login: give it as --proxy http://USER:PASSWORD@HOST:PORT."
                }
                300..=399 => {
                    "Redirections are not followed: give the URL it leads to, if you trust it."
                }
                500.. => "Nothing was committed. Try again later, or ask the administrator.",
                _ => "Check the URL.",
            };
            failure(Status::Transport, next)
        }
        _ if kind == Kind::Local => failure(Status::Usage, "Try again."),
        _ if kind == Kind::Mac => Failure::new(
            Status::Protocol,
            kind.as_str(),
            "the server's MAC is missing or wrong: someone changed the exchange, or the server \
             speaks another profile",
            NEW_CODE,
        ),
        _ if kind == Kind::KeyNotPinned => failure(
            Status::Protocol,
            "Nothing was sent that opens the token. If the administrator confirms the new key, pin \
             it; if not, someone is in between.",
        ),
        _ if kind == Kind::KeyTooSmall => failure(
            Status::Protocol,
            "Nothing was committed. Ask the administrator for a larger key, or lower \
             --min-key-bits if you must.",
        ),
        _ if outcome == Outcome::MayBeCommitted => failure(Status::Protocol, NEW_CODE),
        _ if kind == Kind::Xml => failure(
            Status::Protocol,
            "Nothing was committed. Check the URL: this may be no CT-KIP service, or a page of \
             something in between.",
        ),
        _ => failure(
            Status::Protocol,
            "Nothing was committed. Check the URL and --profile; something in between may have \
             changed the answer.",
        ),
    }
}
