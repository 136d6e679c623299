//! Single messages by the letter of RFC 4758 (`vectors/rfc4758/README.md`), and the verdicts of both
//! readers.

use crate::vectors;
use ctkip_core::crypto::{RsaPublicKey, Scheme};
use ctkip_core::message::{
    EncryptionKey, Extension, Message, ServerFinished, ServerHello, ServerOffer, Version,
};
use ctkip_core::xml::tree::{Document, Limits, decode};
use ctkip_core::{EncryptionAlgorithm, Namespace, Profile, Reading, xml};
use serde_json::Value;

/// By the letter, read strictly.
pub const STRICT: Profile = with(Reading::STRICT);
/// By the letter, read leniently.
pub const LENIENT: Profile = with(Reading::LENIENT);

const fn with(reading: Reading) -> Profile {
    let mut profile = Profile::RFC4758;
    profile.reading = reading;
    profile
}

/// Both readers, by the name that verdicts have for them.
pub const READERS: [(&str, &Profile); 2] = [("strict", &STRICT), ("lenient", &LENIENT)];

/// A message and what `index.json` says of it.
pub struct Vector {
    /// Its entry.
    pub entry: Value,
    /// Its octets.
    pub octets: Vec<u8>,
}

impl Vector {
    /// All that `index.json` lists, or `None` and a SKIP line when it is absent.
    ///
    /// # Panics
    /// When a file is missing or the list is empty.
    #[must_use]
    pub fn all() -> Option<Vec<Self>> {
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

    /// A field that is text.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        text(&self.entry, field)
    }

    /// The name of the file, without its folder.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("file").rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is by the letter, in one of the three forms.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.text("variant").starts_with("valid")
    }

    /// What a reader is to make of it. The strict reader refuses the qualified form for the namespace
    /// of the children; a response without children is in no form, and the very same document as
    /// in `valid-xmlns-reset/`, where its verdict is accept.
    #[must_use]
    pub fn verdict(&self, reader: &str) -> &str {
        let qualified = self.text("variant") == "valid-qualified";
        if qualified && reader == "strict" && self.is_childless() {
            return "accept as childless";
        }
        self.text(reader)
    }

    /// The ids of the requirements that it exercises.
    ///
    /// # Panics
    /// When they are no list of texts.
    pub fn requirements(&self) -> impl Iterator<Item = &str> {
        let ids = self.entry["requirements"].as_array().expect("requirements are a list");
        ids.iter().map(|id| id.as_str().expect("an id is text"))
    }

    /// Takes the message as a reader does, and says what departs from its verdict.
    ///
    /// # Errors
    /// What came of it, and what should have.
    ///
    /// # Panics
    /// When the verdict is none.
    pub fn check(&self, reader: &str, profile: &Profile) -> Result<(), String> {
        let verdict = self.verdict(reader);
        let outcome = receive(&self.octets, profile);
        let as_expected = match (verdict, &outcome) {
            ("accept" | "accept as childless", Ok(message)) => message.name() == self.text("kind"),
            ("reject", Err(_)) => true,
            ("either", _) => true,
            ("accept" | "accept as childless" | "reject", _) => false,
            (other, _) => panic!("{} has the verdict {other:?}", self.text("file")),
        };
        if as_expected {
            return Ok(());
        }
        let outcome = outcome.map(|message| message.name());
        Err(format!("{} {reader}: {outcome:?}, not {verdict}", self.text("file")))
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
