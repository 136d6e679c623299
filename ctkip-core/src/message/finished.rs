//! `ServerFinished` (RFC 4758 section 3.8.6).

use super::{Extension, ExtensionKind, Mac, OtpConfiguration, Refusal, Version};
use crate::{RandomnessFailed, SessionId};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;

/// The answer to `ClientNonce`, which ends the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFinished {
    /// Status Success: the token is the client's, once the MAC holds.
    Success(Box<Confirmation>),
    /// Any other status: there is no token.
    Refused(Refusal),
}

/// A successful `ServerFinished`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The version of this run; absent in the deployed dialect.
    pub version: Option<Version>,
    /// The session this belongs to.
    pub session_id: Option<SessionId>,
    /// What the server says of the token. No MAC covers it (R194).
    pub record: TokenRecord,
    /// MAC 2; a client refuses a confirmation without it.
    pub mac: Option<Mac>,
}

/// What a server says of a new token beside its key, as it wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenRecord {
    /// `TokenID`. The deployed dialect has the ASCII serial number here.
    pub token_id: Vec<u8>,
    /// `KeyID`. The deployed dialect has the ASCII serial number here too.
    pub key_id: Vec<u8>,
    /// `KeyExpiryDate`, an `xs:dateTime` as text.
    pub key_expiry: Option<String>,
    /// `ServiceID`: the service the token is for.
    pub service_id: Option<String>,
    /// `ServiceLogo`: a picture, untrusted and unchecked (R192).
    pub service_logo: Option<Logo>,
    /// `UserID`: whose token it is; may be empty.
    pub user_id: Option<String>,
    /// Extensions, the OTP configuration among them ([`Self::otp`]).
    pub extensions: Vec<Extension>,
}

impl TokenRecord {
    /// A record with nothing but a new TokenID and a new KeyID, each of 16 random octets, so that
    /// they are unique everywhere (R057, R058, R061).
    ///
    /// # Errors
    /// [`RandomnessFailed`] when `rng` does.
    pub fn with_random_ids<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
    ) -> Result<Self, RandomnessFailed> {
        let mut ids = [[0; 16]; 2];
        for id in &mut ids {
            rng.try_fill_bytes(id).map_err(|_| RandomnessFailed)?;
        }
        let [token_id, key_id] = ids.map(Vec::from);
        Ok(Self { token_id, key_id, ..Self::default() })
    }

    /// The OTP configuration: the first there is.
    #[must_use]
    pub fn otp(&self) -> Option<&OtpConfiguration> {
        self.extensions.iter().find_map(|extension| match &extension.kind {
            ExtensionKind::OtpConfiguration(otp) => Some(otp),
            _ => None,
        })
    }
}

/// A picture of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// `image/jpeg` or `image/gif`.
    pub mime_type: String,
    /// The picture's octets.
    pub octets: Vec<u8>,
}
