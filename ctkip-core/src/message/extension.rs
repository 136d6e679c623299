//! Extensions (RFC 4758 sections 3.7.8 and 3.9).

use crate::Profile;
use alloc::string::String;
use alloc::vec::Vec;

/// One `Extension` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The attribute Critical: who does not know the extension must not go on.
    pub critical: bool,
    /// What it holds.
    pub kind: ExtensionKind,
}

impl Extension {
    /// An extension that is not critical.
    #[must_use]
    pub const fn new(kind: ExtensionKind) -> Self {
        Self { critical: false, kind }
    }

    /// The name of this extension if its receiver has to know it and does not.
    #[must_use]
    pub fn unknown_critical(&self, profile: &Profile) -> Option<&str> {
        match &self.kind {
            _ if !self.critical => None,
            ExtensionKind::Unknown(name) => Some(name),
            // Where R_S travels in an untyped extension, untyped ones are known.
            ExtensionKind::Untyped(_) if !profile.echo_server_nonce => Some("without a type"),
            _ => None,
        }
    }
}

/// What an extension holds, by its `xsi:type`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionKind {
    /// `ClientInfoType`: octets of the client, which the server repeats in its next answer.
    ClientInfo(Vec<u8>),
    /// `ServerInfoType`: octets of the server, which the client repeats in `ClientNonce`.
    ServerInfo(Vec<u8>),
    /// `OTPKeyConfigurationDataType`: what the new token is to compute. Only in `ServerFinished`.
    OtpConfiguration(OtpConfiguration),
    /// No type at all; with the octets of its child `Data`, if it has one and the dialect carries
    /// R_S this way ([`Profile::echo_server_nonce`]).
    Untyped(Option<Vec<u8>>),
    /// Another type, or a known one in a message it does not belong in (R100): its name, with
    /// namespace where it has one, as `{namespace}name`.
    Unknown(String),
}

/// `OTPKeyConfigurationDataType` (RFC 4758 section 3.9.3). Values are kept as the server wrote them;
/// [`crate::TokenSettings`] reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OtpConfiguration {
    /// `OTPFormat`: Decimal, Hexadecimal, Alphanumeric or Binary.
    pub format: Option<String>,
    /// `OTPLength`: digits or characters of a one-time password.
    pub length: Option<String>,
    /// `OTPMode`: what a one-time password depends on.
    pub modes: Vec<OtpMode>,
}

/// One entry of `OTPMode`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtpMode {
    /// Time; with `TimeInterval`, taken as seconds (E40).
    Time(Option<String>),
    /// A counter.
    Counter,
    /// A challenge.
    Challenge,
    /// An element of another namespace, as `{namespace}name`.
    Foreign(String),
}
