//! A message as the body of an HTTP request or response (RFC 4758 section 4.2).

use super::{Headers, WireRequest, WireResponse, header};
use crate::message::{InitializationTrigger, Message, Trigger};
use crate::{ClientError, MessageError, MessageErrorKind, Profile, xml};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// The media type of every message (R245).
pub const MEDIA_TYPE: &str = "application/vnd.otps.ct-kip+xml";

/// A request with the headers that keep caches away (R248, R249).
pub(crate) fn request(pdu: String) -> WireRequest {
    let headers = [
        ("Content-Type", MEDIA_TYPE),
        ("Cache-Control", "no-cache, no-store"),
        ("Pragma", "no-cache"),
    ];
    WireRequest { headers: owned(&headers), body: pdu.into_bytes() }
}

/// A response with a message, error statuses included (R265).
pub(crate) fn response(message: &Message, profile: &Profile) -> WireResponse {
    successful(xml::write(message, profile))
}

/// The response by which a server makes a client start a run, to whatever request its operator
/// likes, such as a GET of a page for users who have logged in (RFC 4758 section 4.2.7). Without a
/// trigger its body is empty, and the run starts without one (R268).
#[must_use]
pub fn trigger_response(trigger: Option<&Trigger>, profile: &Profile) -> WireResponse {
    let write = |trigger: &Trigger| xml::write(&Message::Trigger(trigger.clone()), profile);
    successful(trigger.map(write).unwrap_or_default())
}

/// What a response that is to start a run says of it: a trigger for
/// [`ClientConfig::trigger`](crate::ClientConfig::trigger), or nothing when its body is empty.
///
/// # Errors
/// [`ClientError::Http`] for another HTTP status than 200, [`ClientError::Message`] for another media
/// type than CT-KIP's, another message than a trigger, and a trigger of a kind that this client does
/// not know (R132).
pub fn read_trigger(
    response: &WireResponse,
    profile: &Profile,
) -> Result<Option<InitializationTrigger>, ClientError> {
    let content_type = check(response)?;
    if response.body.is_empty() && content_type.is_some() {
        return Ok(None);
    }
    match xml::read(&response.body, profile)?.message {
        Message::Trigger(Trigger { initialization: Some(trigger), .. }) => Ok(Some(trigger)),
        other => Err(unexpected(other.name())),
    }
}

/// Status 200, and a Content-Type that is one of messages, if there is one at all (R245, R253).
pub(crate) fn check(response: &WireResponse) -> Result<Option<&[u8]>, ClientError> {
    if response.status != 200 {
        return Err(ClientError::Http(response.status));
    }
    match header(&response.headers, "content-type") {
        Some(content_type) if !is_message_type(content_type) => Err(unexpected("Content-Type")),
        content_type => Ok(content_type),
    }
}

fn unexpected(place: &str) -> ClientError {
    let kind = MessageErrorKind::UnexpectedMessage;
    MessageError { kind, place: String::from(place) }.into()
}

/// A response with the headers of the RFC, and `no-store`, which it forgot (R250, R251, E35).
fn successful(body: String) -> WireResponse {
    let headers = owned(&[
        ("Content-Type", MEDIA_TYPE),
        ("Cache-Control", "no-cache, no-store, no-must-revalidate, private"),
        ("Pragma", "no-cache"),
    ]);
    WireResponse { status: 200, headers, body: body.into_bytes() }
}

pub(crate) fn owned(headers: &[(&'static str, &str)]) -> Headers {
    let owned = |(name, value): &(&'static str, &str)| -> (Cow<'static, str>, Vec<u8>) {
        (Cow::Borrowed(*name), value.as_bytes().to_vec())
    };
    headers.iter().map(owned).collect()
}

/// Whether a Content-Type is one that messages come under, compared without case and parameters
/// (R245, R246, and `docs/spec/deployed-profile.md` section 1). An absent one is for the body to
/// decide (R253).
pub(crate) fn is_message_type(content_type: &[u8]) -> bool {
    let accepted = [MEDIA_TYPE, "application/vnd.otps.ct-kip", "text/xml", "application/xml"];
    let essence = content_type.split(|octet| *octet == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii();
    accepted.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(essence))
}

/// Headers of a short text answer.
pub(crate) fn text_headers() -> Headers {
    vec![(Cow::Borrowed("Content-Type"), b"text/plain; charset=utf-8".to_vec())]
}
