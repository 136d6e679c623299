//! Single messages by the letter of RFC 4758 (`vectors/rfc4758/README.md`): verdicts of the strict
//! and of the lenient reader, what they read, and what the answer to a bad request is.

use ctkip_core::crypto::{RsaPublicKey, Scheme};
use ctkip_core::message::{
    EncryptionKey, Extension, Message, Refusal, ServerFinished, ServerHello, ServerOffer, Version,
};
use ctkip_core::xml::tree::{Document, Limits, decode};
use ctkip_core::{EncryptionAlgorithm, Namespace, Profile, Reading, xml};
use ctkip_tests::vectors;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const STRICT: Profile = with(Reading::STRICT);
const LENIENT: Profile = with(Reading::LENIENT);

const fn with(reading: Reading) -> Profile {
    let mut profile = Profile::RFC4758;
    profile.reading = reading;
    profile
}

/// A message and what `index.json` says of it.
struct Vector {
    entry: Value,
    octets: Vec<u8>,
}

impl Vector {
    fn all() -> Option<Vec<Self>> {
        let index = vectors::load("rfc4758/index.json")?;
        let vectors: Vec<Self> = index["vectors"]
            .as_array()
            .expect("index.json has a list of vectors")
            .iter()
            .map(|entry| {
                let file = vectors::root().join("rfc4758").join(text(entry, "file"));
                let octets = std::fs::read(&file);
                let octets = octets.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                Self { entry: entry.clone(), octets }
            })
            .collect();
        assert!(!vectors.is_empty(), "index.json lists nothing");
        Some(vectors)
    }

    fn text(&self, field: &str) -> &str {
        text(&self.entry, field)
    }

    fn name(&self) -> &str {
        self.text("file").rsplit('/').next().unwrap_or_default()
    }

    fn is_valid(&self) -> bool {
        self.text("variant").starts_with("valid")
    }

    /// What a reader is to make of it. The strict reader refuses the qualified form for the namespace
    /// of the children; a response without children is in no form, and the very same document as
    /// in `valid-xmlns-reset/`, where its verdict is accept.
    fn verdict(&self, reader: &str) -> &str {
        let qualified = self.text("variant") == "valid-qualified";
        if qualified && reader == "strict" && self.is_childless() {
            return "accept as childless";
        }
        self.text(reader)
    }

    fn is_childless(&self) -> bool {
        let text = decode(&self.octets, &Limits::DEFAULT).expect("a valid message is text");
        let document = Document::parse(&text, &Limits::DEFAULT).expect("and XML");
        document.root().children().next().is_none()
    }
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or_else(|| panic!("{field} of {entry} is text"))
}

/// Takes a message as its receiver does, as far as it can without a session.
fn receive(octets: &[u8], profile: &Profile) -> Result<Message, String> {
    let message = xml::read(octets, profile).map_err(|error| error.to_string())?.message;
    if let Some(name) = extensions(&message).iter().find_map(|e| e.unknown_critical(profile)) {
        return Err(format!("critical extension {name}"));
    }
    match &message {
        Message::Trigger(trigger) if trigger.initialization.is_none() => {
            return Err("nothing in the trigger that a client knows".into());
        }
        Message::ServerHello(ServerHello::Continue(offer)) => {
            announced(offer.version.as_ref())?;
            usable_key(offer, profile)?;
        }
        Message::ServerFinished(ServerFinished::Success(success)) => {
            announced(success.version.as_ref())?;
        }
        _ => {}
    }
    Ok(message)
}

/// The version is the one that a client of 1.0 announced.
fn announced(version: Option<&Version>) -> Result<(), String> {
    match version {
        Some(version) if *version != Version::V1_0 => Err(format!("version {version}")),
        _ => Ok(()),
    }
}

fn extensions(message: &Message) -> &[Extension] {
    match message {
        Message::ClientHello(hello) => &hello.extensions,
        Message::ServerHello(ServerHello::Continue(offer)) => &offer.extensions,
        Message::ClientNonce(nonce) => &nonce.extensions,
        Message::ServerFinished(ServerFinished::Success(success)) => &success.record.extensions,
        _ => &[],
    }
}

/// The key is one to encrypt with, by the algorithm named, if that is a known one.
fn usable_key(offer: &ServerOffer, profile: &Profile) -> Result<(), String> {
    let uri = offer.encryption_algorithm.as_deref().unwrap_or_default();
    let scheme = EncryptionAlgorithm::from_uri(uri, &[Namespace::Rfc4758])
        .map(|algorithm| algorithm.scheme(profile));
    match (&offer.encryption_key, scheme) {
        (EncryptionKey::Rsa { .. }, Some(Scheme::SharedKey(_)))
        | (EncryptionKey::Named(_), Some(Scheme::Rsa(_))) => Err("key of another kind".into()),
        (EncryptionKey::Rsa { modulus, exponent }, _) => {
            RsaPublicKey::new(modulus, exponent).map(drop).map_err(|error| error.to_string())
        }
        _ => Ok(()),
    }
}

#[test]
fn vectors_rfc4758_verdicts_of_both_readers() {
    let Some(vectors) = Vector::all() else { return };
    let mut failures = Vec::new();
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut requirements = BTreeSet::new();
    for vector in &vectors {
        for (reader, profile) in [("strict", &STRICT), ("lenient", &LENIENT)] {
            let verdict = vector.verdict(reader);
            let outcome = receive(&vector.octets, profile);
            *counts.entry((vector.text("variant"), reader, verdict)).or_default() += 1;
            let as_expected = match (verdict, &outcome) {
                ("accept" | "accept as childless", Ok(message)) => {
                    message.name() == vector.text("kind")
                }
                ("reject", Err(_)) => true,
                ("either", _) => true,
                ("accept" | "accept as childless" | "reject", _) => false,
                (other, _) => panic!("{} has the verdict {other:?}", vector.text("file")),
            };
            if !as_expected {
                let outcome = outcome.map(|message| message.name());
                failures
                    .push(format!("{} {reader}: {outcome:?}, not {verdict}", vector.text("file")));
            }
        }
        let ids = vector.entry["requirements"].as_array().expect("requirements are a list");
        requirements.extend(ids.iter().map(|id| id.as_str().expect("an id is text")));
    }
    for ((variant, reader, verdict), count) in counts {
        println!("rfc4758/{variant}: {count} times {reader} {verdict}");
    }
    println!("rfc4758: {} requirements ran: {requirements:?}", requirements.len());
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

/// What our writer makes of a message reads as the same message, and a valid one by the letter.
#[test]
fn vectors_rfc4758_round_trips() {
    let Some(vectors) = Vector::all() else { return };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for vector in vectors.iter().filter(|vector| vector.text("lenient") == "accept") {
        let name = vector.text("file");
        let message = xml::read(&vector.octets, &LENIENT).expect("it is accepted").message;
        let written = xml::write(&message, &LENIENT);
        let again =
            xml::read(written.as_bytes(), if vector.is_valid() { &STRICT } else { &LENIENT });
        let again = again.unwrap_or_else(|error| panic!("{name}: {error}\n{written}"));
        assert_eq!(again.message, message, "{name}\n{written}");
        if vector.is_valid() {
            assert_eq!(again.departures, [], "{name}\n{written}");
        }
        *counts.entry(vector.text("variant")).or_default() += 1;
    }
    counts.iter().for_each(|(variant, count)| println!("rfc4758/{variant}: {count} round trips"));
    assert!(!counts.is_empty(), "nothing ran");
}

/// The three ways to place children in namespaces are three spellings of one message.
#[test]
fn vectors_rfc4758_forms_read_alike() {
    let Some(vectors) = Vector::all() else { return };
    let mut forms: BTreeMap<&str, Vec<(&str, Message)>> = BTreeMap::new();
    for vector in vectors.iter().filter(|vector| vector.is_valid()) {
        let message = xml::read(&vector.octets, &LENIENT).expect("it is valid").message;
        forms.entry(vector.name()).or_default().push((vector.text("file"), message));
    }
    let mut compared = 0;
    for spellings in forms.values() {
        for pair in spellings.windows(2) {
            assert_eq!(pair[0].1, pair[1].1, "{} and {}", pair[0].0, pair[1].0);
            compared += 1;
        }
    }
    println!("rfc4758: {} messages, {compared} pairs of spellings alike", forms.len());
    assert!(!forms.is_empty(), "nothing ran");
}

/// What cannot be read still tells the answer that is owed.
#[test]
fn vectors_rfc4758_answers_to_bad_requests() {
    let Some(vectors) = Vector::all() else { return };
    let mut failures = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for vector in vectors.iter().filter(|vector| vector.entry["server_http"].is_array()) {
        let Err(bad) = xml::read_request(&vector.octets, &LENIENT) else { continue };
        let (http, status) = match (bad.reply(), &bad.root) {
            (Some(Message::ServerHello(ServerHello::Refused(refusal))), _)
            | (Some(Message::ServerFinished(ServerFinished::Refused(refusal))), _) => {
                let Refusal { status, .. } = refusal;
                (200, Some(status.as_str()))
            }
            (Some(other), _) => panic!("{} is no refusal", other.name()),
            (None, xml::Root::Foreign) => (500, None),
            (None, _) => (400, None),
        };
        let right = vector.entry["server_http"].as_array().expect("it is one");
        let expected = vector.entry["server_status"].as_str();
        // What a reader may refuse as well as take, a server may refuse cleanly.
        let clean =
            right.contains(&http.into()) || vector.text("lenient") == "either" && http == 400;
        if !clean || (http == 200 && expected.is_some() && status != expected) {
            let file = vector.text("file");
            failures.push(format!("{file}: {http} {status:?}, not {right:?} {expected:?}; {bad}"));
        }
        *counts.entry(format!("{http} {}", status.unwrap_or("without message"))).or_default() += 1;
    }
    counts.iter().for_each(|(answer, count)| println!("rfc4758: {count} requests get {answer}"));
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    assert!(!counts.is_empty(), "nothing ran");
}

/// No beginning of a message is a message.
#[test]
fn vectors_rfc4758_cut_short_are_refused() {
    let Some(vectors) = Vector::all() else { return };
    let mut cut = 0;
    for vector in vectors.iter().filter(|vector| vector.is_valid()) {
        let whole = vector.octets.trim_ascii_end();
        for end in (0..whole.len()).step_by(53).chain([whole.len() - 1]) {
            let read = xml::read(&whole[..end], &LENIENT);
            assert!(read.is_err(), "{} cut at {end}", vector.text("file"));
            cut += 1;
        }
    }
    println!("rfc4758: {cut} beginnings of messages refused");
    assert!(cut > 0, "nothing ran");
}
