//! How messages are carried: requests and responses as values, for whatever transport moves them.
//!
//! A *binding* is the shape in which a message travels: as the body itself ([`plain`], RFC 4758
//! section 4.2) or in a SOAP envelope beside an activation code ([`soap`],
//! `docs/spec/deployed-profile.md` sections 3 and 4). It is independent of the dialect.

pub mod plain;
pub mod soap;

use crate::message::Message;
use crate::{ClientError, Profile, xml};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use zeroize::optimization_barrier;

/// Headers by name, in the order they are to be sent. Names are compared without case; a value is
/// octets, since one of them is an activation code in Latin-1.
pub type Headers = Vec<(Cow<'static, str>, Vec<u8>)>;

/// An HTTP POST to be made. It may hold an activation code, so it is wiped on drop and `Debug` shows
/// sizes only.
pub struct WireRequest {
    /// What is to be sent beside what HTTP itself needs.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_ref()).collect();
        write!(f, "WireRequest({names:?}, {} octets)", self.body.len())
    }
}

impl Drop for WireRequest {
    fn drop(&mut self) {
        wipe(&mut self.headers, &mut self.body);
    }
}

/// An HTTP response. It may repeat an activation code, so it is wiped on drop and `Debug` shows
/// sizes only.
pub struct WireResponse {
    /// The status code.
    pub status: u16,
    /// Headers.
    pub headers: Headers,
    /// The body, after any content encoding was undone.
    pub body: Vec<u8>,
}

impl fmt::Debug for WireResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireResponse({}, {} octets)", self.status, self.body.len())
    }
}

impl Drop for WireResponse {
    fn drop(&mut self) {
        wipe(&mut self.headers, &mut self.body);
    }
}

/// Overwrites whatever may hold an activation code. As `Zeroize` does it, but whole buffers at once:
/// octet by octet, wiping bodies would take longer than reading them.
fn wipe(headers: &mut Headers, body: &mut Vec<u8>) {
    for octets in headers.iter_mut().map(|(_, value)| value).chain([body]) {
        octets.clear();
        octets.resize(octets.capacity(), 0);
        optimization_barrier(octets.as_slice());
    }
}

/// The first value of a header, by name without case.
#[must_use]
pub fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a [u8]> {
    headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
}

/// The binding of a client.
#[derive(Debug)]
#[non_exhaustive]
pub enum Binding {
    /// The message is the body.
    Plain,
    /// The message travels in a SOAP envelope beside an activation code.
    Soap(soap::Soap),
}

/// Which of the two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `ClientHello`. Nothing is committed before it is answered.
    Hello,
    /// `ClientNonce`. Once it was sent, the server may have committed a token.
    Nonce,
}

/// A response taken out of its binding.
pub(crate) struct Unwrapped {
    pub(crate) message: Message,
    pub(crate) provisioning: Option<Vec<u8>>,
}

impl Binding {
    /// The request that carries a message.
    pub(crate) fn request(&self, step: Step, message: &Message, profile: &Profile) -> WireRequest {
        let pdu = xml::write(message, profile);
        match self {
            Self::Plain => plain::request(pdu),
            Self::Soap(soap) => soap.request(step, &pdu),
        }
    }

    /// The message that a response carries.
    pub(crate) fn unwrap(
        &self,
        response: &WireResponse,
        profile: &Profile,
    ) -> Result<Unwrapped, ClientError> {
        let (pdu, provisioning) = match self {
            Self::Plain => {
                plain::check(response)?;
                (Cow::Borrowed(response.body.as_slice()), None)
            }
            Self::Soap(_) if response.status != 200 => {
                return Err(ClientError::Http(response.status));
            }
            Self::Soap(soap) => {
                let answer = soap.answer(&response.body)?;
                (Cow::Owned(answer.pdu), answer.provisioning)
            }
        };
        Ok(Unwrapped { message: xml::read(&pdu, profile)?.message, provisioning })
    }
}
