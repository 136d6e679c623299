//! A message in a SOAP 1.1 envelope, beside an activation code (`docs/spec/deployed-profile.md`
//! sections 3 and 4).
//!
//! RSA's programs compare text rather than parse it, so what is written here is written octet for
//! octet as recorded, indentation and the blank in `<AuthData >` included.

mod fault;
mod read;

use super::{Step, WireRequest, WireResponse, plain};
use crate::xml::base64;
use crate::{ActivationCode, PinSettings};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

pub(crate) use fault::{Fault, INVALID_CODE, NOT_PROCESSED};
pub use read::message;
pub(crate) use read::{SoapAnswer, SoapRequest, pin_settings};

/// Namespace of the envelope.
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Namespace of what the envelope holds.
const SERVICE: &str = "http://ctkipservice.rsasecurity.com";

/// Media type of every answer.
const MEDIA_TYPE: &str = "text/xml; charset=utf-8";

/// The ProvisioningData of deployed clients.
const PROVISIONING_DATA: &str = "<?xml version=\"1.0\"?><ProvisioningData><Version>5.0.2.440</Version><Manufacturer>RSA Security Inc.</Manufacturer><FormFactor/></ProvisioningData>";

/// The paths on which servers of this dialect answer.
pub const PATHS: [&str; 2] = ["/", "/ctkip/services/CtkipService"];

/// A code that cannot travel: as a header it has to be Latin-1 without control characters, and its
/// ends must not be blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an activation code is Latin-1 text without control characters or blanks at its ends")]
#[non_exhaustive]
pub struct UnusableCode;

/// A client's side of the SOAP binding.
#[derive(Debug)]
pub struct Soap {
    code: ActivationCode,
    provisioning: Vec<u8>,
}

impl Soap {
    /// The binding with an activation code, and the ProvisioningData of deployed clients.
    ///
    /// # Errors
    /// [`UnusableCode`] when the code is empty, holds a control character or one outside Latin-1, or
    /// begins or ends with a blank.
    pub fn new(code: ActivationCode) -> Result<Self, UnusableCode> {
        let text = code.text().ok_or(UnusableCode)?;
        let blank_ends = text.starts_with(' ') || text.ends_with(' ');
        let printable = |c: char| c <= '\u{FF}' && !c.is_control();
        if text.is_empty() || blank_ends || !text.chars().all(printable) {
            return Err(UnusableCode);
        }
        Ok(Self { code, provisioning: PROVISIONING_DATA.into() })
    }

    /// Sends other ProvisioningData: anything, though servers expect an XML document.
    #[must_use]
    pub fn provisioning_data(mut self, octets: Vec<u8>) -> Self {
        self.provisioning = octets;
        self
    }

    fn code(&self) -> &str {
        self.code.text().unwrap_or_default()
    }

    pub(crate) fn request(&self, step: Step, pdu: &str) -> WireRequest {
        // Named for the answer awaited, as deployed clients do.
        let action = match step {
            Step::Hello => "StartService",
            Step::Nonce => "ServerFinished",
        };
        let latin1: Vec<u8> =
            self.code().chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
        let mut headers = plain::owned(&[("user-agent", "HTTPPOST")]);
        headers.push((Cow::Borrowed("Authorization"), latin1));
        headers.extend(plain::owned(&[
            ("SOAPAction", action),
            ("content-type", "application/vnd.otps.ct-kip"),
        ]));
        WireRequest { headers, body: self.envelope(pdu) }
    }

    fn envelope(&self, pdu: &str) -> Vec<u8> {
        let mut out = Envelope::with_room_for(&[&self.provisioning, pdu.as_bytes()]);
        out.verbatim(concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
            "      <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n",
            "        <soapenv:Body>\n",
            "          <ClientRequest xmlns=\"http://ctkipservice.rsasecurity.com\">\n",
            "            <AuthData >",
        ));
        out.text(self.code());
        out.verbatim("</AuthData>\n            <ProvisioningData>");
        out.base64(&self.provisioning);
        out.verbatim("\n</ProvisioningData>\n            <Request>");
        out.base64(pdu.as_bytes());
        out.verbatim(concat!(
            "\n</Request>\n",
            "          </ClientRequest>\n",
            "        </soapenv:Body>\n",
            "      </soapenv:Envelope>",
        ));
        out.octets
    }

    /// Takes an answer apart.
    pub(crate) fn answer(&self, body: &[u8]) -> Result<SoapAnswer, crate::ClientError> {
        let answer = read::answer(body)?;
        if !self.code.matches(answer.auth_data.as_bytes()) {
            return Err(crate::ClientError::AuthMismatch);
        }
        Ok(answer)
    }
}

const HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n",
    "  <soapenv:Body>\n",
);
const TAIL: &str = "  </soapenv:Body>\n</soapenv:Envelope>";

/// A good answer of a server.
pub(crate) fn envelope(code: &str, provisioning: &[u8], pdu: &str) -> Vec<u8> {
    let mut out = Envelope::with_room_for(&[provisioning, pdu.as_bytes()]);
    out.verbatim(HEAD);
    out.verbatim(
        "    <ServerResponse xmlns=\"http://ctkipservice.rsasecurity.com\">\n      <AuthData>",
    );
    out.text(code);
    out.verbatim("</AuthData>\n      <ProvisioningData>");
    out.base64(provisioning);
    out.verbatim("\n</ProvisioningData>\n      <Response>");
    out.base64(pdu.as_bytes());
    out.verbatim("\n</Response>\n    </ServerResponse>\n");
    out.verbatim(TAIL);
    out.octets
}

/// An envelope as it is written. It holds an activation code, so there is room for all of it from
/// the start: no copy is left behind.
struct Envelope {
    octets: Vec<u8>,
}

impl Envelope {
    /// Room for these in base64, and for what is around them.
    fn with_room_for(parts: &[&[u8]]) -> Self {
        let encoded = parts.iter().map(|part| base64::encoded_len(part));
        let room = encoded.fold(1024, usize::saturating_add);
        Self { octets: Vec::with_capacity(room) }
    }

    fn verbatim(&mut self, text: &str) {
        self.octets.extend_from_slice(text.as_bytes());
    }

    /// Text with the three characters escaped that the peers escape.
    fn text(&mut self, text: &str) {
        for octet in text.bytes() {
            match octet {
                b'&' => self.verbatim("&amp;"),
                b'<' => self.verbatim("&lt;"),
                b'>' => self.verbatim("&gt;"),
                other => self.octets.push(other),
            }
        }
    }

    fn base64(&mut self, octets: &[u8]) {
        base64::encode(octets, &mut self.octets);
    }
}

/// The response that carries a good answer.
pub(crate) fn response(envelope: Vec<u8>) -> WireResponse {
    let headers =
        plain::owned(&[("Content-Type", MEDIA_TYPE), ("X-Powered-By", "Servlet/3.0 JSP/2.2")]);
    WireResponse { status: 200, headers, body: envelope }
}

/// The response that carries a fault. Its status is 200, as everywhere in this dialect.
pub(crate) fn fault(fault: Fault) -> WireResponse {
    let headers = plain::owned(&[("Content-Type", MEDIA_TYPE)]);
    WireResponse { status: 200, headers, body: fault.envelope().into_bytes() }
}

/// The ProvisioningData of a server's second answer.
pub(crate) fn provisioning_data(pin: PinSettings) -> String {
    let mut out = String::from("<?xml version=\"1.0\"?>\n<ProvisioningData>\n");
    let add_pin = u8::from(pin.add_pin);
    // Writing to a String does not fail.
    let _ = write!(out, "<PinType>{}</PinType><AddPIN>{add_pin}</AddPIN>", pin.pin_type);
    out.push_str("</ProvisioningData>\n");
    out
}
