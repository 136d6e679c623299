//! No seed and no code in what is said, raw, in hexadecimal digits or in base64.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::program::{Place, Ran};
use crate::server::{Answer, CODE, Server};

/// Every way in which these octets may stand in a text: as they are, in hexadecimal digits, and in
/// base64 at all three alignments.
pub(crate) fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    let mut spellings = vec![secret.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    for shift in 0..3 {
        let shifted = [vec![0; shift], secret.to_vec()].concat();
        let text = BASE64_STANDARD.encode(&shifted[..shifted.len() / 3 * 3]);
        // The first characters hold what stands before, too.
        spellings.push(text.as_bytes()[[0, 2, 3][shift]..].to_vec());
    }
    spellings
}

fn holds(text: &str, secret: &[u8]) -> bool {
    let found = |spelling: &Vec<u8>| text.as_bytes().windows(spelling.len()).any(|w| w == spelling);
    spellings(secret).iter().any(found)
}

pub(crate) fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[track_caller]
fn keeps_quiet(ran: &Ran, seed: &str) {
    for said in [&ran.stdout, &ran.stderr] {
        assert!(!holds(said, CODE.as_bytes()), "the code: {said}");
        assert!(!holds(said, &octets(seed)), "the seed: {said}");
    }
}

#[test]
fn a_whole_run_keeps_quiet() {
    let place = Place::new();
    for flags in [&["-v"][..], &["--json"], &["-v", "--json"], &[]] {
        let server = Arc::new(Server::new());
        let listening = server.listen(|_, _, _| None);
        let line = [&["provision", &listening.url, CODE, "-o", "t", "-f"], flags].concat();
        let ran = place.run(&line).ended(0);
        let seed = server.seeds().remove(0);
        keeps_quiet(&ran, &seed);
        keeps_quiet(&place.run(&[&["show", "t"], flags].concat()).ended(0), &seed);
        let line = [&["tokencode", "t", "--pin", "0000"], flags].concat();
        keeps_quiet(&place.run(&line).ended(0), &seed);
        let line = [&["import", "t", "-f"], flags].concat();
        keeps_quiet(&place.run(&line).ended(0), &seed);
    }
}

#[test]
fn a_failed_run_keeps_quiet() {
    let place = Place::new();
    for (status, answer) in [(4, "<html/>"), (1, ""), (6, "")] {
        let server = Arc::new(Server::new());
        let listening = server.listen(move |number, request, by_the_rules| {
            let answered = by_the_rules(request);
            match (number, status) {
                (0, _) => Some(answered),
                (_, 4) => Some(Answer::text(200, answer)),
                (_, 6) => Some(Answer::Hangup),
                _ => None,
            }
        });
        let mut line = vec!["provision", &listening.url, CODE, "-v", "-o", "t"];
        if status == 1 {
            // Its one token is given out, so the second run is refused.
            place.run(&["provision", &listening.url, CODE, "-o", "first"]).ended(0);
            line.push("-f");
        }
        let ran = place.run(&line).ended(status);
        for seed in server.seeds() {
            keeps_quiet(&ran, &seed);
        }
    }
}

/// What would be found if it were there.
#[test]
fn a_seed_on_purpose_is_found() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    let ran = place.run(&["provision", &listening.url, CODE, "-o", "t", "--show-secrets"]).ended(0);
    let seed = octets(&server.seeds()[0]);
    assert!(holds(&ran.stdout, &seed));
    for prefix in ["", "x", "xy"] {
        let text = BASE64_STANDARD.encode([prefix.as_bytes(), &seed, b"tail"].concat());
        assert!(holds(&text, &seed), "after {} octets", prefix.len());
    }
}
