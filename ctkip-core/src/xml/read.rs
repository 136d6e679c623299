//! From octets to messages. One decoder for all dialects: what a reading policy tolerates, and one
//! knob for extensions without a type, is all they differ in.

mod decoder;
mod extensions;
mod finished;
mod hello;
mod nonce;
#[cfg(test)]
mod tests;
mod trigger;
mod value;
mod xsd;

use self::decoder::Decoder;
use super::tree::{Document, Element, Limits, XmlError, decode};
use crate::message::{
    ClientHello, ClientNonce, Message, Refusal, ServerFinished, ServerHello, Status, Version,
};
use crate::{Departure, MessageError, MessageErrorKind, Namespace, Profile, Reading, SessionId};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<M = Message> {
    /// The message.
    pub message: M,
    /// Each way in which it departs from RFC 4758, and the element or attribute that does.
    pub departures: Vec<(Departure, &'static str)>,
}

/// Reads any message.
///
/// # Errors
/// [`MessageError`] for what is no XML (or beyond [`Reading::max_message`], or with a document type
/// declaration), no message of CT-KIP, or departs from RFC 4758 in a way that `profile.reading` does
/// not let pass.
///
/// ```
/// use ctkip_core::{Profile, xml};
/// use ctkip_core::message::{Message, Refusal, ServerHello, Status};
///
/// let refusal = ServerHello::Refused(Refusal::new(Status::AccessDenied));
/// let text = xml::write(&Message::ServerHello(refusal.clone()), &Profile::RFC4758);
/// let read = xml::read(text.as_bytes(), &Profile::RFC4758)?;
/// assert_eq!(read.message, Message::ServerHello(refusal));
/// assert!(read.departures.is_empty());
/// # Ok::<(), ctkip_core::MessageError>(())
/// ```
pub fn read(octets: &[u8], profile: &Profile) -> Result<Read, MessageError> {
    message(octets, profile, &mut Root::NotXml)
}

/// A message that a server may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `ClientHello`.
    ClientHello(ClientHello),
    /// `ClientNonce`.
    ClientNonce(ClientNonce),
}

/// Reads a request.
///
/// # Errors
/// [`BadRequest`] for what [`read`] does not take, and for what is no request. It tells which answer
/// is owed.
pub fn read_request(octets: &[u8], profile: &Profile) -> Result<Read<Request>, BadRequest> {
    let mut root = Root::NotXml;
    let request = match message(octets, profile, &mut root) {
        Ok(Read { message: Message::ClientHello(hello), departures }) => {
            Ok(Read { message: Request::ClientHello(hello), departures })
        }
        Ok(Read { message: Message::ClientNonce(nonce), departures }) => {
            Ok(Read { message: Request::ClientNonce(nonce), departures })
        }
        Ok(other) => Err(unexpected_message(other.message.name())),
        Err(error) => Err(error),
    };
    request.map_err(|error| BadRequest { error, root })
}

/// A request that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BadRequest {
    /// Why.
    #[source]
    pub error: MessageError,
    /// What it was meant to be, so far as its root tells.
    pub root: Root,
}

impl BadRequest {
    /// The answer owed, as far as CT-KIP has one; without, it is for the transport to refuse.
    /// Version comes before schema, so that a message of a later version is answered as such
    /// (`docs/spec/rfc4758-requirements.md` section 3).
    #[must_use]
    pub fn reply(&self) -> Option<Message> {
        match &self.root {
            Root::ClientHello(version) => {
                let other = version.as_ref().is_some_and(|version| *version != Version::V1_0);
                let status =
                    if other { Status::UnsupportedVersion } else { Status::MalformedRequest };
                Some(Message::ServerHello(ServerHello::Refused(Refusal::new(status))))
            }
            Root::ClientNonce(_) => {
                let refusal = Refusal::new(Status::MalformedRequest);
                Some(Message::ServerFinished(ServerFinished::Refused(refusal)))
            }
            Root::NotXml | Root::Foreign | Root::NoRequest => None,
        }
    }
}

/// What the root of a document says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Root {
    /// There is none: not well-formed, beyond the limits, or with a document type declaration.
    NotXml,
    /// It is in no namespace that this reader takes for CT-KIP's.
    Foreign,
    /// It is in such a namespace but no request: unknown, a response or a trigger.
    NoRequest,
    /// `ClientHello`, with its Version if that is one.
    ClientHello(Option<Version>),
    /// `ClientNonce`, with its SessionID if it has one of a length that is read: the session that
    /// an error answer ends.
    ClientNonce(Option<SessionId>),
}

impl Root {
    fn of(root: Element<'_, '_>, reading: &Reading) -> Self {
        match (ct_kip_namespace(root, reading), root.local()) {
            (None, _) => Self::Foreign,
            (Some(_), "ClientHello") => {
                Self::ClientHello(root.attribute(None, "Version").and_then(Version::new))
            }
            (Some(_), "ClientNonce") => {
                let id = root.attribute(None, "SessionID");
                let id = id.filter(|id| (1..=reading.max_identifier).contains(&id.len()));
                Self::ClientNonce(id.map(|id| SessionId::new(String::from(id))))
            }
            (Some(_), _) => Self::NoRequest,
        }
    }
}

/// Reads a message, and notes in `seen` as soon as it is known what the root says it is.
fn message(octets: &[u8], profile: &Profile, seen: &mut Root) -> Result<Read, MessageError> {
    let limits = Limits { octets: profile.reading.max_message, ..Limits::DEFAULT };
    let text = decode(octets, &limits).map_err(not_xml)?;
    let document = Document::parse(&text, &limits).map_err(not_xml)?;
    let root = document.root();
    *seen = Root::of(root, &profile.reading);

    let mut decoder = Decoder::new(profile);
    match ct_kip_namespace(root, &profile.reading) {
        Some(Namespace::Rfc4758) => {}
        Some(Namespace::Draft2005_11) => decoder.depart(Departure::DraftNamespace, "root")?,
        None => return Err(unexpected_message(root.local())),
    }
    let message = match root.local() {
        "CT-KIPTrigger" => Message::Trigger(decoder.trigger(root)?),
        "ClientHello" => Message::ClientHello(decoder.client_hello(root)?),
        "ServerHello" => Message::ServerHello(decoder.server_hello(root)?),
        "ClientNonce" => Message::ClientNonce(decoder.client_nonce(root)?),
        "ServerFinished" => Message::ServerFinished(decoder.server_finished(root)?),
        other => return Err(unexpected_message(other)),
    };
    Ok(Read { message, departures: decoder.departures })
}

/// Which of CT-KIP's namespaces an element is in, if the policy knows it.
fn ct_kip_namespace(element: Element<'_, '_>, reading: &Reading) -> Option<Namespace> {
    let namespace = Namespace::from_uri(element.namespace()?)?;
    reading.namespaces.contains(&namespace).then_some(namespace)
}

fn not_xml(error: XmlError) -> MessageError {
    MessageError {
        kind: MessageErrorKind::Xml(error.kind.to_string()),
        place: format!("octet {}", error.offset),
    }
}

fn unexpected_message(root: &str) -> MessageError {
    fault(MessageErrorKind::UnexpectedMessage, root)
}

/// An error at a place, whose name may be the sender's and then is cut.
fn fault(kind: MessageErrorKind, place: &str) -> MessageError {
    MessageError { kind, place: place.chars().take(64).collect::<String>() }
}
