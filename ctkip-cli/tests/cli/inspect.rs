//! `inspect`: the examples of RFC 4758, a SOAP envelope, and what is none.

use serde_json::Value;

use crate::program::Place;

fn vectors(name: &str) -> String {
    format!("{}/../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What each example of Appendix B does wrong is told with its number.
#[test]
fn the_examples_of_the_rfc_are_not_by_the_letter() {
    for (name, ids) in [
        ("b2-trigger", &["R075, E02"][..]),
        ("b3-clienthello", &["R075, E02"]),
        ("b3-clienthello-as-printed", &["R075, E02", "R083, E07"]),
        ("b4-serverhello", &["R075, E02", "R025, E04"]),
        ("b4-serverhello-as-printed", &["R075, E02", "R025, E04", "R083, E07"]),
        ("b5-clientnonce", &["R075, E02", "R171, R201, E08"]),
        ("b5-clientnonce-as-printed", &["R074, E06", "R075, E02"]),
        ("b6-serverfinished", &["R075, E02", "R076"]),
        ("b6-serverfinished-as-printed", &["R074, E06", "R076"]),
    ] {
        let file = vectors(&format!("rfc4758/rfc-examples/{name}.xml"));
        let told = Place::new().run(&["inspect", &file]).ended(0).stdout;
        for id in ids {
            assert!(told.contains(id), "{name}: no {id} in\n{told}");
        }
    }
}

#[test]
fn a_good_message_is_by_the_letter_field_by_field() {
    let file = vectors("rfc4758/valid/serverhello-mac-with-r.xml");
    let told = Place::new().run(&["inspect", &file]).ended(0).stdout;
    for text in ["ServerHello\n", "By the letter of RFC 4758.", "SessionID", "KeyName", "Mac "] {
        assert!(told.contains(text), "no {text} in\n{told}");
    }
}

/// A recorded exchange: both envelopes of its first pass, from a file and from standard input.
#[test]
fn envelopes_are_opened() {
    let folder = std::fs::read_dir(vectors("exchanges")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut opened = 0;
    for file in files {
        let recording: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let bodies = recording["soap"].as_object().into_iter().flatten();
        for (_, body) in bodies.filter(|(_, body)| body.as_str().is_some()).take(4) {
            let place = Place::new();
            let ran = place.run_with_stdin(&["inspect", "-", "--json"], body.as_str().unwrap());
            if ran.status != Some(0) {
                continue;
            }
            let told: Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(told["in_envelope"], true);
            assert!(!told["departures"].as_array().unwrap().is_empty(), "a dialect of its own");
            opened += 1;
        }
        if opened > 8 {
            return;
        }
    }
    panic!("only {opened} envelopes could be opened");
}

#[test]
fn what_is_no_message_is_said_to_be_none() {
    let place = Place::new();
    place.write("page", "<html/>");
    place.run(&["inspect", "page"]).ended(4).told("no CT-KIP message");
    place.write("bomb", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>");
    place.run(&["inspect", "bomb"]).ended(4);
    place.run(&["inspect", "missing"]).ended(2);
}
