//! The client between `ClientNonce` and `ServerFinished`, and what comes of it.

use super::{ClientConfig, check};
use crate::derive;
use crate::message::{Confirmation, ServerFinished, TokenRecord};
use crate::{AuthKey, ClientError, Prf, Profile, SecretNonce, SessionId, TokenKey};
use alloc::vec::Vec;

/// A client that has sent `ClientNonce`. It holds R_C and the key it made of it, and gives neither
/// away before the server has shown that it made the same.
#[derive(Debug)]
pub struct AwaitServerFinished {
    pub(super) config: ClientConfig,
    pub(super) prf: Prf,
    pub(super) session_id: SessionId,
    pub(super) token_id: Option<Vec<u8>>,
    pub(super) key_id: Option<Vec<u8>>,
    pub(super) token_key: TokenKey,
    pub(super) r_c: SecretNonce,
}

impl AwaitServerFinished {
    /// The dialect this client speaks.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.config.profile
    }

    /// Checks `ServerFinished` and its MAC; only then is there a key.
    ///
    /// # Errors
    /// [`ClientError`]: [`Refused`](ClientError::Refused) when the server ended the run;
    /// [`Version`](ClientError::Version), [`SessionMismatch`](ClientError::SessionMismatch),
    /// [`CriticalExtension`](ClientError::CriticalExtension), [`WrongToken`](ClientError::WrongToken)
    /// and [`Mac`](ClientError::Mac) when the confirmation is not one. The key is wiped; the server
    /// may hold a token all the same.
    pub fn receive(self, finished: ServerFinished) -> Result<Provisioned, ClientError> {
        let confirmation = match finished {
            ServerFinished::Success(confirmation) => *confirmation,
            ServerFinished::Refused(refusal) => return Err(ClientError::Refused(refusal.status)),
        };
        let Confirmation { version, session_id, record, mac } = confirmation;
        check::version(version.as_ref())?;
        if session_id.is_some_and(|id| id != self.session_id) {
            return Err(ClientError::SessionMismatch);
        }
        check::extensions(&self.config, &record.extensions)?;
        let new_key = self.token_key.expose();
        let k_auth = self.config.k_auth.as_ref().map_or(new_key, AuthKey::expose);
        let expected = derive::mac2(&self.config.profile, self.prf, k_auth, &self.r_c)
            .map_err(|_| ClientError::KeyLength(k_auth.len()))?;
        check::mac(mac.as_ref(), &expected, self.prf, self.config.namespaces())?;
        let other_token = self.token_id.is_some_and(|id| id != record.token_id);
        let other_key = match &self.key_id {
            Some(replaced) => *replaced != record.key_id,
            None => self.config.existing_keys.contains(&record.key_id),
        };
        if other_key || other_token {
            return Err(ClientError::WrongToken);
        }
        Ok(Provisioned { key: self.token_key, record })
    }
}

/// A new token: its key, and what the server says of it. There is no other way to make one than a
/// good MAC.
#[derive(Debug)]
pub struct Provisioned {
    key: TokenKey,
    record: TokenRecord,
}

impl Provisioned {
    /// K_TOKEN.
    #[must_use]
    pub const fn key(&self) -> &TokenKey {
        &self.key
    }

    /// What the server says of the token. No MAC covers it.
    #[must_use]
    pub const fn record(&self) -> &TokenRecord {
        &self.record
    }

    /// Both, to keep.
    #[must_use]
    pub fn into_parts(self) -> (TokenKey, TokenRecord) {
        (self.key, self.record)
    }
}
