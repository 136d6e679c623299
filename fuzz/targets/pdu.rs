//! Messages: what is read can be written, and then reads as the same message. But for what a
//! reader keeps nothing of or not enough, and for line ends in attributes, which the recorded
//! layout does not escape.
#![no_main]
#![forbid(unsafe_code)]

use ctkip_core::message::{Message, Trigger};
use ctkip_core::xml::{self, Read};
use ctkip_core::{Departure, Layout, Profile, Reading};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let mut strict = Profile::RFC4758;
    strict.reading = Reading::STRICT;
    for profile in [strict, Profile::RFC4758, Profile::SECURID] {
        let Ok(read) = xml::read(octets, &profile) else { continue };
        if is_opaque(&read) {
            continue;
        }
        let message = match profile.layout {
            Layout::Recorded => again(&read.message, &profile),
            _ => read.message,
        };
        assert_eq!(again(&message, &profile), message, "{}", profile.name);
    }
    // A server has to know what it owes for each request that it cannot read.
    if let Err(bad) = xml::read_request(octets, &Profile::RFC4758) {
        let _ = bad.reply().map(|reply| xml::write(&reply, &Profile::RFC4758));
    }
});

/// Written and read.
fn again(message: &Message, profile: &Profile) -> Message {
    let text = xml::write(message, profile);
    match xml::read(text.as_bytes(), profile) {
        Ok(read) => read.message,
        Err(error) => panic!("{}: {error}: {text}", profile.name),
    }
}

/// A trigger of a kind that is not CT-KIP's, or an extension without a type that could be written.
fn is_opaque(read: &Read) -> bool {
    matches!(&read.message, Message::Trigger(Trigger { initialization: None, .. }))
        || read.departures.iter().any(|(departure, _)| *departure == Departure::OpaqueExtension)
}
