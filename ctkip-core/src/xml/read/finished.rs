//! `ServerFinished`.

use super::Element;
use super::decoder::Decoder;
use super::extensions::In;
use super::fault;
use super::value::content;
use super::xsd::is_date_time;
use crate::message::{Confirmation, Logo, Refusal, ServerFinished, Status, TokenRecord};
use crate::{Departure, MessageError, MessageErrorKind, SessionId};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

type Part<'d, 'a> = Option<Element<'d, 'a>>;

impl Decoder<'_> {
    pub(super) fn server_finished(
        &mut self,
        root: Element<'_, '_>,
    ) -> Result<ServerFinished, MessageError> {
        let names = ["Version", "SessionID", "Status"];
        let [version, session_id, status] = self.attributes(root, "ServerFinished", names)?;
        let version = self.version(version)?;
        let session_id = session_id.map(|id| self.identifier(id, "SessionID")).transpose()?;
        let session_id = session_id.map(SessionId::new);
        match Self::status(status)? {
            Status::Success => {}
            // R024: never in the final message.
            Status::Continue => return Err(fault(MessageErrorKind::Status, "Status")),
            status => {
                let refusal = Refusal { version, status, session_id };
                let refusal = self.refusal(root, "ServerFinished", refusal)?;
                return Ok(ServerFinished::Refused(refusal));
            }
        }
        let [token_id, key_id, expiry, service_id, logo, user_id, extensions, mac] = self
            .children(
                root,
                "ServerFinished",
                [
                    "TokenID",
                    "KeyID",
                    "KeyExpiryDate",
                    "ServiceID",
                    "ServiceLogo",
                    "UserID",
                    "Extensions",
                    "Mac",
                ],
            )?;
        let record = TokenRecord {
            token_id: self.given_id(token_id, "TokenID")?,
            key_id: self.given_id(key_id, "KeyID")?,
            key_expiry: expiry.map(|expiry| self.expiry(expiry)).transpose()?,
            service_id: service_id.map(|id| self.printable(id, "ServiceID")).transpose()?,
            service_logo: logo.map(|logo| self.logo(logo)).transpose()?.flatten(),
            user_id: user_id.map(|id| self.printable(id, "UserID")).transpose()?,
            extensions: self.extensions(extensions, In::ServerFinished)?,
        };
        if mac.is_none() {
            self.depart(Departure::MissingMac, "Mac")?;
        }
        let mac = mac.map(|mac| self.mac(mac)).transpose()?.flatten();
        Ok(ServerFinished::Success(Box::new(Confirmation { version, session_id, record, mac })))
    }

    fn given_id(&mut self, id: Part<'_, '_>, place: &'static str) -> Result<Vec<u8>, MessageError> {
        let Some(id) = id else {
            self.depart(Departure::MissingTokenId, place)?;
            return Ok(Vec::new());
        };
        self.key_id(id, place)
    }

    fn expiry(&mut self, expiry: Element<'_, '_>) -> Result<String, MessageError> {
        let text = self.text(expiry, "KeyExpiryDate")?;
        if !is_date_time(text) {
            self.depart(Departure::OddValue, "KeyExpiryDate")?;
        }
        Ok(String::from(text))
    }

    fn printable(
        &mut self,
        id: Element<'_, '_>,
        place: &'static str,
    ) -> Result<String, MessageError> {
        let text = self.text(id, place)?;
        if text.chars().any(char::is_control) {
            self.depart(Departure::UnprintableText, place)?;
        }
        self.identifier(text, place)
    }

    fn logo(&mut self, logo: Element<'_, '_>) -> Result<Option<Logo>, MessageError> {
        let [mime_type] = self.attributes(logo, "ServiceLogo", ["MimeType"])?;
        let Some(mime_type @ ("image/jpeg" | "image/gif")) = mime_type else {
            self.depart(Departure::OddValue, "ServiceLogo")?;
            return Ok(None);
        };
        let octets = self.base64(content(logo, "ServiceLogo")?, "ServiceLogo")?;
        Ok(Some(Logo { mime_type: String::from(mime_type), octets }))
    }
}
