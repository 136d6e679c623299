//! `ClientNonce` (RFC 4758 section 3.8.5).

use super::{Extension, Version};
use crate::SessionId;
use alloc::vec::Vec;

/// The second request: R_C, encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientNonce {
    /// The version that `ServerHello` named.
    pub version: Option<Version>,
    /// The session that `ServerHello` named; absent only in the deployed dialect, where it is then
    /// an unknown one.
    pub session_id: SessionId,
    /// R_C as the chosen algorithm encrypts it: the modulus' length for RSA, R_C's for a shared key.
    pub encrypted_nonce: Vec<u8>,
    /// Extensions.
    pub extensions: Vec<Extension>,
}
