//! A message in a SOAP 1.1 envelope, beside an activation code (`docs/spec/deployed-profile.md`
//! sections 3 and 4).
//!
//! RSA's programs compare text rather than parse it, so what is written here is written octet for
//! octet as recorded, indentation and the blank in `<AuthData >` included.

mod fault;
mod read;

use super::{Step, WireRequest, WireResponse, plain};
use crate::{ActivationCode, PinSettings};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use base64::prelude::{BASE64_STANDARD, Engine};
use core::fmt::Write;
use zeroize::Zeroizing;

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
        WireRequest { headers, body: self.envelope(pdu).into_bytes() }
    }

    fn envelope(&self, pdu: &str) -> String {
        let mut out = String::with_capacity(pdu.len().saturating_mul(2).saturating_add(1024));
        out.push_str(concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
            "      <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n",
            "        <soapenv:Body>\n",
            "          <ClientRequest xmlns=\"http://ctkipservice.rsasecurity.com\">\n",
            "            <AuthData >",
        ));
        push_text(&mut out, self.code());
        out.push_str("</AuthData>\n            <ProvisioningData>");
        BASE64_STANDARD.encode_string(&self.provisioning, &mut out);
        out.push_str("\n</ProvisioningData>\n            <Request>");
        BASE64_STANDARD.encode_string(pdu, &mut out);
        out.push_str(concat!(
            "\n</Request>\n",
            "          </ClientRequest>\n",
            "        </soapenv:Body>\n",
            "      </soapenv:Envelope>",
        ));
        out
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
pub(crate) fn envelope(code: &str, provisioning: &[u8], pdu: &str) -> String {
    let mut out = String::with_capacity(pdu.len().saturating_mul(2).saturating_add(1024));
    out.push_str(HEAD);
    out.push_str(
        "    <ServerResponse xmlns=\"http://ctkipservice.rsasecurity.com\">\n      <AuthData>",
    );
    push_text(&mut out, code);
    out.push_str("</AuthData>\n      <ProvisioningData>");
    BASE64_STANDARD.encode_string(provisioning, &mut out);
    out.push_str("\n</ProvisioningData>\n      <Response>");
    BASE64_STANDARD.encode_string(pdu, &mut out);
    out.push_str("\n</Response>\n    </ServerResponse>\n");
    out.push_str(TAIL);
    out
}

/// The response that carries a good answer.
pub(crate) fn response(envelope: String) -> WireResponse {
    let headers =
        plain::owned(&[("Content-Type", MEDIA_TYPE), ("X-Powered-By", "Servlet/3.0 JSP/2.2")]);
    WireResponse { status: 200, headers, body: envelope.into_bytes() }
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

/// Text with the three characters escaped that the peers escape.
fn push_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}

/// Base64 as receivers take it here: XML white space anywhere, padding or none.
pub(crate) fn decode_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let is_space = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let compact: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.bytes().filter(|octet| !is_space(octet)).collect());
    LENIENT.decode(compact.as_slice()).ok().map(Zeroizing::new)
}
