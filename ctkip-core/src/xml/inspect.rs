//! A linter's reader: lets everything pass that can be understood, and tells every departure from
//! RFC 4758 with its requirement or defect.

use super::read;
use crate::crypto::{RsaPublicKey, Scheme};
use crate::message::{
    ClientHello, EncryptionKey, Extension, ExtensionKind, Message, ServerFinished, ServerHello,
    ServerOffer, TokenRecord, Version,
};
use crate::wire::soap;
use crate::{
    Departure, EncryptionAlgorithm, MessageError, MessageErrorKind, Namespace, Prf, Profile,
    Reading, UntypedExtension,
};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Of all dialects what can be read at all. Used here and nowhere else.
const INSPECTED: Profile = Profile {
    echo_server_nonce: true,
    untyped_extension: UntypedExtension::OtpConfiguration,
    reading: INSPECT,
    ..Profile::RFC4758
};

/// Lets everything pass that can be understood: for a linter, which tells it, and for nobody else.
const INSPECT: Reading = Reading {
    name: "inspect",
    namespaces: &[Namespace::Rfc4758, Namespace::Draft2005_11],
    tolerates: &Departure::ALL,
    max_nonce: 8 * 1024,
    max_identifier: 8 * 1024,
    max_identifier_characters: 8 * 1024,
    max_key_id: 8 * 1024,
    max_message: 1024 * 1024,
    url_schemes: &["https", "http"],
};

/// A message taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspected {
    /// It came in a SOAP envelope.
    pub in_envelope: bool,
    /// The message.
    pub message: Message,
    /// In what it departs from RFC 4758.
    pub findings: Vec<Finding>,
}

/// A departure from RFC 4758.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Where: an element or attribute.
    pub place: String,
    /// What, in words.
    pub what: String,
    /// The requirements and defects of `docs/spec/rfc4758-requirements.md`.
    pub reference: &'static str,
}

/// Takes apart any message of CT-KIP, alone or in a SOAP envelope, from whichever side.
///
/// # Errors
/// [`MessageError`] for what cannot be understood as one.
///
/// ```
/// use ctkip_core::{Profile, xml};
/// use ctkip_core::message::{Message, Refusal, ServerHello, Status};
///
/// let refusal = Message::ServerHello(ServerHello::Refused(Refusal::new(Status::Abort)));
/// let text = xml::write(&refusal, &Profile::RFC4758).replace("Version=\"1.0\"", "");
/// let inspected = xml::inspect(text.as_bytes())?;
/// assert_eq!(inspected.message.fields(), [("Status".into(), "Abort".into())]);
/// assert_eq!(inspected.findings[0].reference, "R001, R002");
/// # Ok::<(), ctkip_core::MessageError>(())
/// ```
pub fn inspect(octets: &[u8]) -> Result<Inspected, MessageError> {
    match read(octets, &INSPECTED) {
        Ok(read) => {
            let departures = read.departures.iter().map(|(departure, place)| Finding {
                place: String::from(*place),
                what: String::from(departure.describe()),
                reference: departure.reference(),
            });
            let mut findings: Vec<Finding> = departures.collect();
            findings.extend(lint(&read.message));
            Ok(Inspected { in_envelope: false, message: read.message, findings })
        }
        Err(error) if error.kind == MessageErrorKind::UnexpectedMessage => {
            if let Some(unfolded) = unfold(octets) {
                let mut inspected = inspect(unfolded.as_bytes())?;
                let what = "white space in the namespace's name makes it another";
                inspected.findings.insert(0, finding("root", what, "R074, E06"));
                return Ok(inspected);
            }
            // It was no envelope either: then what the message is said to be counts.
            let pdu = soap::message(octets).map_err(|_| error)?;
            Ok(Inspected { in_envelope: true, ..inspect(&pdu)? })
        }
        Err(error) => Err(error),
    }
}

/// The document with the names of CT-KIP's namespaces in one piece, if they were not.
fn unfold(octets: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(octets).ok()?;
    let mut changed = false;
    let pieces = text.split('"').map(|piece| {
        let compact: String = piece.split_ascii_whitespace().collect();
        if compact != piece && Namespace::from_uri(&compact).is_some() {
            changed = true;
            return compact;
        }
        String::from(piece)
    });
    let unfolded = pieces.collect::<Vec<_>>().join("\"");
    changed.then_some(unfolded)
}

fn finding(place: &str, what: impl Into<String>, reference: &'static str) -> Finding {
    Finding { place: String::from(place), what: what.into(), reference }
}

/// What no reader minds, as it is for the states to decide.
fn lint(message: &Message) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (version, extensions): (Option<&Version>, &[Extension]) = match message {
        Message::Trigger(_) => (None, &[]),
        Message::ClientHello(hello) => {
            client_hello(hello, &mut findings);
            (hello.version.as_ref(), &hello.extensions)
        }
        Message::ServerHello(ServerHello::Continue(offer)) => {
            server_offer(offer, &mut findings);
            (offer.version.as_ref(), &offer.extensions)
        }
        Message::ClientNonce(nonce) => {
            if (17..64).contains(&nonce.encrypted_nonce.len()) {
                let what =
                    format!("R_C of {} octets is no key of the PRF", nonce.encrypted_nonce.len());
                findings.push(finding("EncryptedNonce", what, "R171, R201, E08"));
            }
            (nonce.version.as_ref(), &nonce.extensions)
        }
        Message::ServerFinished(ServerFinished::Success(success)) => {
            token_record(&success.record, &mut findings);
            let mac = success.mac.as_ref();
            algorithms("Mac", mac.and_then(|mac| mac.algorithm.as_ref()), &mut findings);
            (success.version.as_ref(), &success.record.extensions)
        }
        Message::ServerHello(ServerHello::Refused(refusal))
        | Message::ServerFinished(ServerFinished::Refused(refusal)) => {
            (refusal.version.as_ref(), &[])
        }
    };
    if version.is_some_and(|version| *version != Version::V1_0) {
        findings.push(finding("Version", "a version other than 1.0", "R003, R006"));
    }
    for name in extensions.iter().filter_map(|e| e.unknown_critical(&Profile::RFC4758)) {
        let what = format!("a critical extension that RFC 4758 does not define here: {name}");
        findings.push(finding("Extension", what, "R096, R097, R100"));
    }
    if let [_, .., _] = &client_infos(extensions)[..] {
        findings.push(finding("Extension", "more than one ClientInfo", "R103"));
    }
    findings
}

fn client_infos(extensions: &[Extension]) -> Vec<&Extension> {
    let is_info = |extension: &&Extension| matches!(extension.kind, ExtensionKind::ClientInfo(_));
    extensions.iter().filter(is_info).collect()
}

fn client_hello(hello: &ClientHello, findings: &mut Vec<Finding>) {
    if hello.key_id.is_some() && hello.client_nonce.is_none() {
        let what = "without R an old ServerHello would do for replacing the key";
        findings.push(finding("ClientNonce", what, "R140, E28"));
    }
    algorithms("SupportedKeyTypes", &hello.key_types, findings);
    algorithms("SupportedEncryptionAlgorithms", &hello.encryption_algorithms, findings);
    algorithms("SupportedMACAlgorithms", &hello.mac_algorithms, findings);
}

fn server_offer(offer: &ServerOffer, findings: &mut Vec<Finding>) {
    algorithms("KeyType", &offer.key_type, findings);
    algorithms("EncryptionAlgorithm", &offer.encryption_algorithm, findings);
    algorithms("MacAlgorithm", &offer.mac_algorithm, findings);
    algorithms("Mac", offer.mac.as_ref().and_then(|mac| mac.algorithm.as_ref()), findings);
    let uri = offer.encryption_algorithm.as_deref().unwrap_or_default();
    let named = EncryptionAlgorithm::from_uri(uri, INSPECTED.reading.namespaces);
    let scheme = named.map(|algorithm| algorithm.scheme(&INSPECTED));
    match (&offer.encryption_key, scheme) {
        (EncryptionKey::Rsa { .. }, Some(Scheme::SharedKey(_)))
        | (EncryptionKey::Named(_), Some(Scheme::Rsa(_))) => {
            let what = "the key is of another kind than the algorithm";
            findings.push(finding("EncryptionKey", what, "R157"));
        }
        (EncryptionKey::Rsa { modulus, exponent }, _) => {
            if let Err(error) = RsaPublicKey::new(modulus, exponent) {
                findings.push(finding("EncryptionKey", error.to_string(), "R165"));
            }
        }
        (EncryptionKey::Named(_), _) => {}
    }
}

fn token_record(record: &TokenRecord, findings: &mut Vec<Finding>) {
    if record.key_id.len() > 64 {
        findings.push(finding("KeyID", "a key identifier of more than 64 octets", "R057"));
    }
    let expiry = record.key_expiry.as_deref().unwrap_or_default().trim();
    let time = expiry.split_once('T').map(|(_, time)| time);
    if time.is_some_and(|time| !time.contains(['Z', '+', '-'])) {
        findings.push(finding("KeyExpiryDate", "a date without zone; taken as UTC", "R189, E41"));
    }
}

/// URIs that no receiver knows, or knows from the draft only.
fn algorithms<'a>(
    place: &str,
    uris: impl IntoIterator<Item = &'a String>,
    findings: &mut Vec<Finding>,
) {
    for uri in uris {
        if uri.contains(char::is_whitespace) {
            let what = "white space in a URI makes it another, unknown algorithm";
            findings.push(finding(place, what, "R083, E07"));
        } else if Prf::from_uri(uri, &[Namespace::Draft2005_11]).is_some() {
            let what = "an algorithm under the name it had in the 2005/11 draft";
            findings.push(finding(place, what, "R210, R217"));
        }
    }
}
