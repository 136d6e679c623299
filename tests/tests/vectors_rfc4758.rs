//! Single messages by the letter of RFC 4758 (`vectors/rfc4758/README.md`): verdicts of the strict
//! and of the lenient reader, what they read, and what the answer to a bad request is.

use ctkip_core::message::{Message, Refusal, ServerFinished, ServerHello};
use ctkip_core::xml;
use ctkip_tests::messages::{LENIENT, READERS, STRICT, Vector};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn vectors_rfc4758_verdicts_of_both_readers() {
    let Some(vectors) = Vector::all() else { return };
    let mut failures = Vec::new();
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut requirements = BTreeSet::new();
    for vector in &vectors {
        for (reader, profile) in READERS {
            let case = (vector.text("variant"), reader, vector.verdict(reader));
            *counts.entry(case).or_default() += 1;
            failures.extend(vector.check(reader, profile).err());
        }
        requirements.extend(vector.requirements());
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
