//! `ClientHello` and `ServerHello` (RFC 4758 sections 3.8.3 and 3.8.4).

use super::{Extension, Mac, Refusal, Version};
use crate::SessionId;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// The first request: who the client is, and what it can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// The highest version the client speaks. Absent only in the deployed dialect.
    pub version: Option<Version>,
    /// The token, if a trigger named it or a key is shared (R135).
    pub token_id: Option<Vec<u8>>,
    /// The key to be replaced (R137).
    pub key_id: Option<Vec<u8>>,
    /// R, the client's nonce for MAC 1: at least 16 octets.
    pub client_nonce: Option<Vec<u8>>,
    /// The nonce of the trigger that started this run (R142).
    pub trigger_nonce: Option<Vec<u8>>,
    /// Key types, as URIs.
    pub key_types: Vec<String>,
    /// Algorithms to encrypt R_C with, as URIs.
    pub encryption_algorithms: Vec<String>,
    /// MAC algorithms, as URIs.
    pub mac_algorithms: Vec<String>,
    /// Extensions.
    pub extensions: Vec<Extension>,
}

/// The answer to `ClientHello`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerHello {
    /// Status Continue: what the server chose.
    Continue(Box<ServerOffer>),
    /// Any other status: the run is over.
    Refused(Refusal),
}

/// What a server chose, and R_S.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOffer {
    /// The version of this run.
    pub version: Option<Version>,
    /// The session that `ClientNonce` has to name.
    pub session_id: SessionId,
    /// The key type chosen; absent (deployed only) means the one offered.
    pub key_type: Option<String>,
    /// The encryption algorithm chosen; absent (deployed only) means the one offered.
    pub encryption_algorithm: Option<String>,
    /// The MAC algorithm chosen; absent (deployed only) means the one offered.
    pub mac_algorithm: Option<String>,
    /// The key to encrypt R_C with.
    pub encryption_key: EncryptionKey,
    /// R_S, the server's nonce: at least 16 octets.
    pub server_nonce: Vec<u8>,
    /// Extensions.
    pub extensions: Vec<Extension>,
    /// MAC 1, which a server needs to replace a key.
    pub mac: Option<Mac>,
}

/// The key that encrypts R_C, as it stands in a message. Whether it is a usable one is checked when
/// it is used ([`crate::crypto::RsaPublicKey::new`]).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptionKey {
    /// `ds:RSAKeyValue`: modulus and exponent, big-endian.
    Rsa {
        /// `ds:Modulus`.
        modulus: Vec<u8>,
        /// `ds:Exponent`.
        exponent: Vec<u8>,
    },
    /// `ds:KeyName`: a key both sides hold.
    Named(String),
}
