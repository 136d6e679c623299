//! Envelopes taken apart. Elements are found by namespace and local name, whatever the prefix.

use super::{ENVELOPE, SERVICE, fault};
use crate::xml::base64::decode_lenient;
use crate::xml::tree::{Document, Element, Limits, XmlError, decode};
use crate::{ClientError, MessageError, MessageErrorKind, PinSettings, Warning, settings};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// What a server's answer holds.
pub(crate) struct SoapAnswer {
    pub(crate) auth_data: Zeroizing<String>,
    pub(crate) provisioning: Option<Vec<u8>>,
    pub(crate) pdu: Vec<u8>,
}

/// What a client's request holds.
pub(crate) struct SoapRequest {
    pub(crate) auth_data: Option<Zeroizing<String>>,
    pub(crate) provisioning: Vec<u8>,
    pub(crate) pdu: Vec<u8>,
}

impl SoapRequest {
    /// Takes a request apart.
    pub(crate) fn read(body: &[u8]) -> Result<Self, MessageError> {
        within_body(body, |content| {
            let request = content
                .filter(|element| is(element, SERVICE, "ClientRequest"))
                .ok_or_else(|| missing("ClientRequest"))?;
            let provisioning = child(&request, "ProvisioningData");
            Ok(Self {
                auth_data: child(&request, "AuthData")
                    .map(|data| Zeroizing::new(data.text().into())),
                provisioning: provisioning.map_or(Ok(Vec::new()), |data| octets(&data))?,
                pdu: octets(&child(&request, "Request").ok_or_else(|| missing("Request"))?)?,
            })
        })
    }
}

/// Takes a server's answer apart.
pub(super) fn answer(body: &[u8]) -> Result<SoapAnswer, ClientError> {
    within_body(body, |content| {
        let content = content.ok_or_else(|| missing("ServerResponse"))?;
        if is(&content, ENVELOPE, "Fault") {
            let part = |name| {
                content
                    .children()
                    .find(|part| part.local() == name)
                    .map(|part| part.text().to_string())
            };
            let (code, text) = (part("faultcode"), part("faultstring"));
            return Err(fault::boil_down(
                code.as_deref().unwrap_or_default(),
                text.as_deref().unwrap_or_default(),
            ));
        }
        if !is(&content, SERVICE, "ServerResponse") {
            return Err(missing("ServerResponse").into());
        }
        let required = |name| child(&content, name).ok_or_else(|| missing(name));
        let provisioning = child(&content, "ProvisioningData");
        Ok(SoapAnswer {
            auth_data: Zeroizing::new(required("AuthData")?.text().into()),
            provisioning: provisioning.map(|data| octets(&data)).transpose()?,
            pdu: octets(&required("Response")?)?,
        })
    })
}

/// The message in an envelope, a client's or a server's, for whoever looks on: no code is checked and
/// nothing else is looked at.
///
/// # Errors
/// [`MessageError`] for what is no SOAP 1.1 envelope, or holds no message in base64.
pub fn message(envelope: &[u8]) -> Result<Vec<u8>, MessageError> {
    within_body(envelope, |content| {
        let content = content.ok_or_else(|| missing("Request"))?;
        let message = ["Request", "Response"].iter().find_map(|name| child(&content, name));
        octets(&message.ok_or_else(|| missing("Request"))?)
    })
}

/// The PIN settings in the ProvisioningData of a server's second answer.
pub(crate) fn pin_settings(data: Option<&[u8]>) -> (PinSettings, Vec<Warning>) {
    let read = data.and_then(|data| {
        let text = decode(data, &Limits::DEFAULT).ok()?;
        let document = Document::parse(&text, &Limits::DEFAULT).ok()?;
        let root = document.root();
        // Deployed clients find these children in no namespace only.
        let value = |name: &str| {
            root.children()
                .find(|child| child.namespace().is_none() && child.local() == name)
                .map(|child| child.text().to_string())
        };
        Some((value("PinType"), value("AddPIN")))
    });
    let mut pin = PinSettings::default();
    let Some((pin_type, add_pin)) = read else {
        return (pin, Vec::from([Warning::ProvisioningData]));
    };
    let mut warnings = Vec::new();
    if let Some(text) = pin_type {
        match settings::number(&text) {
            Some(value) => pin.pin_type = value,
            None => warnings.push(Warning::PinType(text)),
        }
    }
    if let Some(text) = add_pin {
        match settings::number(&text) {
            Some(value) => pin.add_pin = value != 0,
            None => warnings.push(Warning::AddPin(text)),
        }
    }
    (pin, warnings)
}

/// Calls `take` with the one element in the envelope's body, if there is one.
fn within_body<T, E: From<MessageError>>(
    octets: &[u8],
    take: impl FnOnce(Option<Element<'_, '_>>) -> Result<T, E>,
) -> Result<T, E> {
    let text = decode(octets, &Limits::DEFAULT).map_err(xml)?;
    let document = Document::parse(&text, &Limits::DEFAULT).map_err(xml)?;
    let root = document.root();
    if !is(&root, ENVELOPE, "Envelope") {
        return Err(missing("Envelope").into());
    }
    let body = root
        .children()
        .find(|element| is(element, ENVELOPE, "Body"))
        .ok_or_else(|| missing("Body"))?;
    take(body.children().next())
}

fn is(element: &Element<'_, '_>, namespace: &str, local: &str) -> bool {
    element.namespace() == Some(namespace) && element.local() == local
}

fn child<'d, 'a>(parent: &Element<'d, 'a>, name: &str) -> Option<Element<'d, 'a>> {
    parent.children().find(|element| is(element, SERVICE, name))
}

fn octets(element: &Element<'_, '_>) -> Result<Vec<u8>, MessageError> {
    decode_lenient(element.text()).ok_or_else(|| MessageError {
        kind: MessageErrorKind::Base64,
        place: element.local().into(),
    })
}

fn missing(name: &str) -> MessageError {
    MessageError { kind: MessageErrorKind::Missing, place: name.into() }
}

fn xml(error: XmlError) -> MessageError {
    MessageError { kind: MessageErrorKind::Xml(error.to_string()), place: "SOAP envelope".into() }
}
