//! A message as the body of an HTTP request or response (RFC 4758 section 4.2).

use super::{Headers, WireRequest, WireResponse};
use crate::message::Message;
use crate::{Profile, xml};
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

/// A response with a message, error statuses included (R265). Its headers are those of the RFC, and
/// `no-store`, which it forgot (R250, R251, E35).
pub(crate) fn response(message: &Message, profile: &Profile) -> WireResponse {
    let headers = owned(&[
        ("Content-Type", MEDIA_TYPE),
        ("Cache-Control", "no-cache, no-store, no-must-revalidate, private"),
        ("Pragma", "no-cache"),
    ]);
    WireResponse { status: 200, headers, body: xml::write(message, profile).into_bytes() }
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
