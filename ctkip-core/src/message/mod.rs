//! The messages of CT-KIP as values (RFC 4758 section 3.8).
//!
//! What a receiver may meet, these types can hold: identifiers and algorithms are kept as sent, and
//! parts that the deployed dialect leaves out are optional. What a message must have for a run to go
//! on is for the states to say ([`crate::Client`], [`crate::Server`]).

mod describe;
mod extension;
mod finished;
mod hello;
mod nonce;
mod status;
mod trigger;

pub use describe::Field;
pub use extension::{Extension, ExtensionKind, OtpConfiguration, OtpMode};
pub use finished::{Confirmation, Logo, ServerFinished, TokenRecord};
pub use hello::{ClientHello, EncryptionKey, ServerHello, ServerOffer};
pub use nonce::ClientNonce;
pub use status::{Refusal, Status, Version};
pub use trigger::{InitializationTrigger, Platform, Trigger};

use alloc::string::String;
use alloc::vec::Vec;

/// A MAC and, where the sender named it, its algorithm (the `Mac` element).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mac {
    /// The attribute `MacAlgorithm`, a URI.
    pub algorithm: Option<String>,
    /// The MAC's octets.
    pub value: Vec<u8>,
}

/// Any message, as a reader finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// `CT-KIPTrigger`, from server to client.
    Trigger(Trigger),
    /// `ClientHello`, the first request.
    ClientHello(ClientHello),
    /// `ServerHello`, the answer to it.
    ServerHello(ServerHello),
    /// `ClientNonce`, the second request.
    ClientNonce(ClientNonce),
    /// `ServerFinished`, the answer that ends the run.
    ServerFinished(ServerFinished),
}

impl Message {
    /// The name of the message's root element.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Trigger(_) => "CT-KIPTrigger",
            Self::ClientHello(_) => "ClientHello",
            Self::ServerHello(_) => "ServerHello",
            Self::ClientNonce(_) => "ClientNonce",
            Self::ServerFinished(_) => "ServerFinished",
        }
    }
}
