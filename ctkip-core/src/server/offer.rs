//! The server between its choice and the second request.

use crate::message::{
    EncryptionKey, Extension, ExtensionKind, Mac, ServerHello, ServerOffer, Version,
};
use crate::{AuthKey, EncryptionAlgorithm, Grant, KeyType, Prf, Profile, SessionId};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// A server that has chosen. [`Self::into_parts`] gives what to keep until the second request, and the
/// answer, to be sent under the identifier it was kept under.
#[derive(Debug)]
pub struct Offer {
    pub(super) profile: Profile,
    pub(super) pending: Pending,
    pub(super) mac: Option<Mac>,
    pub(super) echo: Vec<Extension>,
}

impl Offer {
    /// Ties the session to what the client may have.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.pending.grant = grant;
        self
    }

    /// Sends these octets along as `ServerInfo`. The client has to bring them back as they are: what
    /// comes back is compared with the session's, so it may be believed (R113).
    #[must_use]
    pub fn server_info(mut self, octets: Vec<u8>) -> Self {
        self.pending.server_info = Some(octets);
        self
    }

    /// What to keep until the second request, and the answer that still lacks its SessionID.
    #[must_use]
    pub fn into_parts(self) -> (Pending, UnnamedOffer) {
        let hello = UnnamedOffer { offer: self.pending.offer(&self.profile, self.mac, self.echo) };
        (self.pending, hello)
    }
}

/// A `ServerHello` that lacks its SessionID, which is given last: after the session was stored, or
/// sealed into its identifier.
#[derive(Debug)]
pub struct UnnamedOffer {
    offer: ServerOffer,
}

impl UnnamedOffer {
    /// The answer, under the identifier that the session was kept under.
    #[must_use]
    pub fn into_hello(self, session_id: SessionId) -> ServerHello {
        ServerHello::Continue(Box::new(ServerOffer { session_id, ..self.offer }))
    }
}

/// What a server keeps between the two requests.
#[derive(Debug)]
pub struct Pending {
    pub(super) version: Version,
    pub(super) server_nonce: Vec<u8>,
    pub(super) key_type: KeyType,
    pub(super) encryption: EncryptionAlgorithm,
    pub(super) prf: Prf,
    pub(super) encryption_key: EncryptionKey,
    pub(super) auth_key: Option<AuthKey>,
    pub(super) token_id: Option<Vec<u8>>,
    pub(super) key_id: Option<Vec<u8>>,
    pub(super) server_info: Option<Vec<u8>>,
    pub(super) grant: Grant,
}

impl Pending {
    /// What the client may have.
    #[must_use]
    pub const fn granted(&self) -> &Grant {
        &self.grant
    }

    /// The key the client asked to replace, if it did.
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        self.key_id.as_deref()
    }

    /// The token the client named, if it did.
    #[must_use]
    pub fn token_id(&self) -> Option<&[u8]> {
        self.token_id.as_deref()
    }

    /// The same again. Not for callers: one session is one value.
    #[cfg(feature = "xml")]
    pub(crate) fn copy(&self) -> Self {
        Self {
            version: self.version.clone(),
            server_nonce: self.server_nonce.clone(),
            encryption_key: self.encryption_key.clone(),
            auth_key: self.auth_key.as_ref().map(|key| AuthKey::new(key.expose().to_vec())),
            token_id: self.token_id.clone(),
            key_id: self.key_id.clone(),
            server_info: self.server_info.clone(),
            grant: self.grant.clone(),
            ..*self
        }
    }

    fn offer(&self, profile: &Profile, mac: Option<Mac>, echo: Vec<Extension>) -> ServerOffer {
        let mut extensions = echo;
        extensions.extend(
            self.server_info
                .iter()
                .map(|octets| Extension::new(ExtensionKind::ServerInfo(octets.clone()))),
        );
        if profile.echo_server_nonce {
            let nonce = ExtensionKind::Untyped(Some(self.server_nonce.clone()));
            extensions.push(Extension::new(nonce));
        }
        ServerOffer {
            version: Some(self.version.clone()),
            session_id: SessionId::new(String::new()),
            key_type: Some(self.key_type.uri()),
            encryption_algorithm: Some(self.encryption.uri()),
            mac_algorithm: Some(self.prf.uri(profile.mac_name_selected)),
            encryption_key: self.encryption_key.clone(),
            server_nonce: self.server_nonce.clone(),
            extensions,
            mac,
        }
    }
}
