//! The ways to misbehave.

use std::io::Write;

use ctkip_core::SessionId;
use ctkip_core::message::{
    Confirmation, EncryptionKey, Message, ServerFinished, ServerHello, ServerOffer,
};
use ctkip_core::wire::WireResponse;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::Which::{Both, First, Second};
use super::way::Way;
use super::{Deed, Fault, Which};

/// How large an answer is that is too large, in octets.
const HUGE: usize = 64 << 20;

const fn fault(
    name: &'static str,
    answer: Which,
    deed: Deed,
    does: &'static str,
    client: &'static str,
) -> Fault {
    Fault { name, does, client, answer, deed }
}

pub(super) const FAULTS: &[Fault] = &[
    // What a man in the middle, or a broken server, does to the messages.
    fault(
        "wrong-mac",
        Second,
        Deed::Message(|m| mac(m, |mac| mac[0] ^= 1)),
        "one bit of the MAC is another",
        "saves nothing, and says that the MAC is wrong",
    ),
    fault(
        "short-mac",
        Second,
        Deed::Message(|m| mac(m, |mac| mac.truncate(8))),
        "only the first 8 octets of the MAC come",
        "saves nothing, and says that the MAC is wrong",
    ),
    fault(
        "no-mac",
        Second,
        Deed::Message(|m| confirmation(m, |c| c.mac = None)),
        "the second answer has no MAC",
        "saves nothing, and says that the MAC is missing",
    ),
    fault(
        "other-key",
        Both,
        Deed::Man { makes_mac: false },
        "a man in the middle swaps the RSA key for his own, and forwards the MAC",
        "saves nothing, and says that the MAC is wrong",
    ),
    fault(
        "other-key-and-mac",
        Both,
        Deed::Man { makes_mac: true },
        "the same man makes the MAC himself",
        "notices nothing, unless it was told the server's key beforehand",
    ),
    fault(
        "small-key",
        First,
        Deed::Message(|m| offer(m, small_key)),
        "the RSA key has 512 bits",
        "goes no further, and says that the key is too small",
    ),
    fault(
        "exponent-1",
        First,
        Deed::Message(|m| offer(m, exponent_one)),
        "the RSA key's exponent is 1, so that nothing is encrypted",
        "goes no further",
    ),
    fault(
        "empty-nonce",
        First,
        Deed::Message(|m| offer(m, |offer| offer.server_nonce.clear())),
        "the server's nonce is empty",
        "goes no further",
    ),
    fault(
        "wrong-session",
        Second,
        Deed::Message(|m| confirmation(m, other_session)),
        "the second answer names another SessionID",
        "saves nothing",
    ),
    fault(
        "first-answer-again",
        Second,
        Deed::Message(hello_again),
        "the second answer is a ServerHello",
        "saves nothing",
    ),
    // What is said of the token, which no MAC covers.
    fault(
        "expired-token",
        Second,
        Deed::Message(|m| expiry(m, Some("2001-01-01T00:00:00+00:00"))),
        "the token expired long ago",
        "saves it, and says so when a tokencode is wanted",
    ),
    fault(
        "no-expiry",
        Second,
        Deed::Message(|m| expiry(m, None)),
        "the token has no expiry date",
        "saves it",
    ),
    fault(
        "no-settings",
        Second,
        Deed::Message(|m| confirmation(m, |c| c.record.extensions.clear())),
        "nothing is said of digits and interval",
        "saves it, with 8 digits and 60 seconds",
    ),
    // What stands around the messages.
    fault(
        "expired-code",
        First,
        Deed::Refuse,
        "the code is refused, as one that is wrong, used or expired",
        "says that the code was refused",
    ),
    fault(
        "late-refusal",
        Second,
        Deed::Refuse,
        "the code is refused with the second request",
        "says that the code was refused",
    ),
    fault(
        "wrong-authdata",
        Both,
        Deed::Response(other_code),
        "the answers repeat another code than was sent",
        "goes no further",
    ),
    fault(
        "not-soap",
        Both,
        Deed::Response(|r| page(r, 200)),
        "a page of HTML, with status 200",
        "goes no further, and hints at the URL",
    ),
    fault(
        "broken-xml",
        Both,
        Deed::Response(|r| r.body.truncate(r.body.len() / 2)),
        "the answers end in the middle of their XML",
        "goes no further",
    ),
    fault(
        "doctype",
        Both,
        Deed::Response(doctype),
        "the answers define an entity that expands into many",
        "goes no further, at once",
    ),
    // HTTP.
    fault(
        "http-500",
        Both,
        Deed::Response(|r| page(r, 500)),
        "status 500, and a page of HTML",
        "says so",
    ),
    fault(
        "http-401",
        Both,
        Deed::Response(|r| page(r, 401)),
        "status 401, as a proxy says that wants a password",
        "says so, and sends the code nowhere else",
    ),
    fault(
        "busy",
        Second,
        Deed::Response(|r| page(r, 503)),
        "status 503 to the second request",
        "sends the same request again, and gives up in the end",
    ),
    fault(
        "redirect",
        Both,
        Deed::Response(redirect),
        "status 307, to another address",
        "does not take the code there",
    ),
    fault(
        "deflate",
        Both,
        Deed::Response(|r| compress(r, "deflate")),
        "compressed answers, as RSA's server is known to send",
        "reads them",
    ),
    fault(
        "gzip",
        Both,
        Deed::Response(|r| compress(r, "gzip")),
        "compressed answers",
        "reads them",
    ),
    fault(
        "chunked",
        Both,
        Deed::OnTheWay(Way::Chunked),
        "the answers come in chunks of 100 octets, without their length",
        "reads them",
    ),
    fault(
        "huge",
        Both,
        Deed::Response(|r| r.body.resize(HUGE, b' ')),
        "answers of 64 MiB",
        "stops reading early",
    ),
    fault(
        "bomb",
        Both,
        Deed::Response(bomb),
        "answers of 64 MiB that compression makes small",
        "stops reading early",
    ),
    fault(
        "late",
        Both,
        Deed::OnTheWay(Way::Late),
        "each answer comes after 3 seconds",
        "waits, as long as it was told to",
    ),
    fault(
        "no-hello",
        First,
        Deed::OnTheWay(Way::Lost),
        "the connection ends in the place of the first answer",
        "says that nothing was committed",
    ),
    fault(
        "no-answer",
        Second,
        Deed::OnTheWay(Way::Lost),
        "the connection ends in the place of the second answer",
        "sends the very same request again, and in the end says that the outcome is unknown",
    ),
    fault(
        "cut",
        Second,
        Deed::OnTheWay(Way::Cut),
        "the second answer breaks off in the middle",
        "sends the very same request again, and in the end says that the outcome is unknown",
    ),
    fault(
        "silence",
        Second,
        Deed::OnTheWay(Way::Silence),
        "the second answer never comes, and the connection stays open",
        "does not wait for ever, and says that the outcome is unknown",
    ),
];

fn offer(message: &mut Message, change: fn(&mut ServerOffer)) {
    if let Message::ServerHello(ServerHello::Continue(offer)) = message {
        change(offer);
    }
}

fn confirmation(message: &mut Message, change: fn(&mut Confirmation)) {
    if let Message::ServerFinished(ServerFinished::Success(confirmation)) = message {
        change(confirmation);
    }
}

fn mac(message: &mut Message, change: fn(&mut Vec<u8>)) {
    if let Message::ServerFinished(ServerFinished::Success(confirmation)) = message
        && let Some(mac) = &mut confirmation.mac
    {
        change(&mut mac.value);
    }
}

fn expiry(message: &mut Message, date: Option<&str>) {
    if let Message::ServerFinished(ServerFinished::Success(confirmation)) = message {
        confirmation.record.key_expiry = date.map(Into::into);
    }
}

fn small_key(offer: &mut ServerOffer) {
    if let EncryptionKey::Rsa { modulus, .. } = &mut offer.encryption_key {
        modulus.drain(..modulus.len().saturating_sub(64));
        // Neither a leading zero nor an even number.
        modulus[0] |= 0x80;
    }
}

fn exponent_one(offer: &mut ServerOffer) {
    if let EncryptionKey::Rsa { exponent, .. } = &mut offer.encryption_key {
        *exponent = vec![1];
    }
}

fn other_session(confirmation: &mut Confirmation) {
    if let Some(session) = &mut confirmation.session_id {
        *session = SessionId::new(session.as_str().chars().rev().collect());
    }
}

fn hello_again(message: &mut Message) {
    *message = Message::ServerHello(ServerHello::Continue(Box::new(ServerOffer {
        version: None,
        session_id: SessionId::new("0".repeat(32)),
        key_type: None,
        encryption_algorithm: None,
        mac_algorithm: None,
        encryption_key: EncryptionKey::Rsa { modulus: vec![0xFF; 128], exponent: vec![1, 0, 1] },
        server_nonce: vec![0; 16],
        extensions: Vec::new(),
        mac: None,
    })));
}

fn other_code(response: &mut WireResponse) {
    replace(response, "</AuthData>", "0</AuthData>");
}

fn doctype(response: &mut WireResponse) {
    let declared =
        "<!DOCTYPE e [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n";
    replace(response, "?>\n", &format!("?>\n{declared}"));
    replace(response, "?><Server", &format!("?>{declared}<Server"));
}

/// Replaces text where it occurs first.
fn replace(response: &mut WireResponse, old: &str, new: &str) {
    response.body = String::from_utf8_lossy(&response.body).replacen(old, new, 1).into_bytes();
}

fn page(response: &mut WireResponse, status: u16) {
    response.status = status;
    response.headers = vec![("Content-Type".into(), b"text/html".to_vec())];
    response.body =
        format!("<html><body><h1>{status}</h1><p>Not what you want.</body></html>\n").into();
}

fn redirect(response: &mut WireResponse) {
    page(response, 307);
    response.headers.push(("Location".into(), b"http://127.0.0.1:9/elsewhere".to_vec()));
}

fn bomb(response: &mut WireResponse) {
    response.body.resize(HUGE, b' ');
    compress(response, "gzip");
}

fn compress(response: &mut WireResponse, encoding: &'static str) {
    // Writing to a Vec does not fail.
    let compressed = if encoding == "gzip" {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&response.body).and_then(|()| encoder.finish())
    } else {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&response.body).and_then(|()| encoder.finish())
    };
    response.body = compressed.unwrap_or_default();
    response.headers.push(("Content-Encoding".into(), encoding.into()));
}
