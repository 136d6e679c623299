//! `ClientNonce`.

use super::decoder::{Decoder, required};
use super::extensions::In;
use super::{Element, fault};
use crate::message::ClientNonce;
use crate::{Departure, MessageError, MessageErrorKind, SessionId};

impl Decoder<'_> {
    pub(super) fn client_nonce(
        &mut self,
        root: Element<'_, '_>,
    ) -> Result<ClientNonce, MessageError> {
        let [version, session_id] =
            self.attributes(root, "ClientNonce", ["Version", "SessionID"])?;
        let version = self.version(version)?;
        let session_id = session_id.unwrap_or_default();
        if session_id.is_empty() {
            self.depart(Departure::MissingSessionId, "SessionID")?;
        }
        let session_id = SessionId::new(self.identifier(session_id, "SessionID")?);
        let [nonce, extensions] =
            self.children(root, "ClientNonce", ["EncryptedNonce", "Extensions"])?;
        let encrypted_nonce = self.octets(required(nonce, "EncryptedNonce")?, "EncryptedNonce")?;
        if encrypted_nonce.is_empty() {
            return Err(fault(MessageErrorKind::Missing, "EncryptedNonce"));
        }
        let extensions = self.extensions(extensions, In::ClientNonce)?;
        Ok(ClientNonce { version, session_id, encrypted_nonce, extensions })
    }
}
