//! The server from the second request to the answer: what it needs, and what it derived.

use super::{NONCE, Pending, Rejection, ServerError};
use crate::crypto::{DecryptFailed, Scheme};
use crate::derive;
use crate::message::{
    ClientNonce, Confirmation, EncryptionKey, Extension, Mac, ServerFinished, Status, TokenRecord,
};
use crate::{AuthKey, Grant, Profile, SecretNonce, SessionId, SharedKey, TokenKey};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A server that needs R_C. The private operation is a pause: it may happen in this process
/// ([`crate::crypto::NonceKey`]), in an HSM or in another process, and take its time.
#[derive(Debug)]
pub struct Opening {
    pub(super) profile: Profile,
    pub(super) pending: Pending,
    pub(super) nonce: ClientNonce,
    pub(super) echo: Vec<Extension>,
}

impl Opening {
    /// How R_C was encrypted.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.pending.encryption.scheme(&self.profile)
    }

    /// `EncryptedNonce`.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.nonce.encrypted_nonce
    }

    /// R_S, which the shared-key scheme needs.
    #[must_use]
    pub fn server_nonce(&self) -> &[u8] {
        &self.pending.server_nonce
    }

    /// The key that R_C was encrypted under.
    #[must_use]
    pub const fn encryption_key(&self) -> &EncryptionKey {
        &self.pending.encryption_key
    }

    /// What the client may have.
    #[must_use]
    pub const fn granted(&self) -> &Grant {
        &self.pending.grant
    }

    /// Goes on with the result of the private operation under the server's RSA key: derives K_TOKEN
    /// and MAC 2. For a run under a shared key see [`Self::complete_shared`].
    ///
    /// # Errors
    /// A [`Rejection`], the same for every cause: R_C did not decrypt, or is not 16 octets long
    /// (R069, R225).
    pub fn complete(
        self,
        r_c: Result<SecretNonce, DecryptFailed>,
    ) -> Result<Derived, Rejection<ServerFinished>> {
        let k = match &self.pending.encryption_key {
            EncryptionKey::Rsa { modulus, .. } => modulus.clone(),
            EncryptionKey::Named(_) => return Err(self.failed()),
        };
        self.derive(r_c, &k)
    }

    /// Goes on in the shared-secret variant: K_SHARED decrypts R_C and enters the derivation.
    ///
    /// # Errors
    /// As [`Self::complete`].
    pub fn complete_shared(
        self,
        k_shared: &SharedKey,
    ) -> Result<Derived, Rejection<ServerFinished>> {
        let Scheme::SharedKey(prf) = self.scheme() else { return Err(self.failed()) };
        let profile = &self.profile;
        let key = k_shared.expose();
        let r_c = derive::mask_nonce(profile, prf, key, self.server_nonce(), self.ciphertext())
            .map(|octets| SecretNonce::new(octets.to_vec()))
            .map_err(|_| DecryptFailed);
        self.derive(r_c, key)
    }

    fn derive(
        self,
        r_c: Result<SecretNonce, DecryptFailed>,
        k: &[u8],
    ) -> Result<Derived, Rejection<ServerFinished>> {
        let profile = &self.profile;
        let Pending { prf, server_nonce, key_type, auth_key, .. } = &self.pending;
        let octets = key_type.octets();
        let keys = r_c.ok().filter(|r_c| r_c.expose().len() == NONCE).and_then(|r_c| {
            let key = derive::token_key(profile, *prf, &r_c, k, server_nonce, octets).ok()?;
            let k_auth = auth_key.as_ref().map_or_else(|| key.expose(), AuthKey::expose);
            let mac = derive::mac2(profile, *prf, k_auth, &r_c).ok()?;
            Some((key, mac))
        });
        match keys {
            Some((key, mac)) => {
                let Self { profile, pending, nonce, echo } = self;
                Ok(Derived { profile, pending, session_id: nonce.session_id, echo, key, mac })
            }
            None => Err(self.failed()),
        }
    }

    fn failed(self) -> Rejection<ServerFinished> {
        ServerError::Decrypt(DecryptFailed).finished(Some(self.nonce.session_id))
    }
}

/// A server that has K_TOKEN. Make it durable, then [`Self::finish`] with what was made durable.
#[derive(Debug)]
pub struct Derived {
    profile: Profile,
    pending: Pending,
    session_id: SessionId,
    echo: Vec<Extension>,
    key: TokenKey,
    mac: Vec<u8>,
}

impl Derived {
    /// K_TOKEN, to be stored before anything is answered.
    #[must_use]
    pub const fn key(&self) -> &TokenKey {
        &self.key
    }

    /// What the client may have.
    #[must_use]
    pub const fn granted(&self) -> &Grant {
        &self.pending.grant
    }

    /// MAC 2. Public once it is sent, and the same for a repeated request.
    #[must_use]
    pub fn mac(&self) -> &[u8] {
        &self.mac
    }

    /// The token that the client named, if it did: the one the key is for (R060).
    #[must_use]
    pub fn token_id(&self) -> Option<&[u8]> {
        self.pending.token_id()
    }

    /// The key that this one replaces, if it does: the new key keeps its name (R059).
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        self.pending.key_id()
    }

    /// The answer, from the record that the commit returned. Identifiers that the client named stand
    /// in it as the client named them, whatever the record has (R059, R060).
    #[must_use]
    pub fn finish(self, record: TokenRecord) -> ServerFinished {
        let profile = &self.profile;
        let mut record = record;
        if let Some(token_id) = self.pending.token_id {
            record.token_id = token_id;
        }
        if let Some(key_id) = self.pending.key_id {
            record.key_id = key_id;
        }
        record.extensions.extend(self.echo);
        ServerFinished::Success(Box::new(Confirmation {
            version: profile.finished_has_version.then(|| self.pending.version.clone()),
            session_id: Some(self.session_id),
            record,
            mac: Some(Mac {
                algorithm: Some(self.pending.prf.uri(profile.mac_name_in_mac)),
                value: self.mac,
            }),
        }))
    }

    /// The answer when the token could not be committed.
    #[must_use]
    pub fn refuse(self, status: Status) -> Rejection<ServerFinished> {
        ServerError::Refused(status).finished(Some(self.session_id))
    }
}
