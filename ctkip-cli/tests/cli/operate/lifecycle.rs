//! From a code to a token that was seen in use, and out of use again.

use ctkip_server::Dialect;
use serde_json::Value;

use super::{count, enrol, run, site, state, text, told};
use crate::program::{Place, Ran};
use crate::secrets::{octets, spellings};

/// The current tokencode of a token's file.
fn tokencode(place: &Place, file: &str, at: &str) -> String {
    place.run(&["tokencode", file, "--at", at, "--force"]).ended(0).stdout.trim().to_owned()
}

fn verify(place: &Place, args: &[&str]) -> Ran {
    run(place, &[&["tokens", "verify", "-v"], args].concat())
}

#[test]
fn a_code_becomes_a_token_that_is_confirmed() {
    let place = Place::new();
    let enrolled = enrol(&place, &["--serial", "123456789", "--service", "VPN"]);
    let (serial, code) = (text(&enrolled, "serial"), text(&enrolled, "code"));
    assert_eq!(serial, "000123456789");
    assert_eq!((code.len(), code.bytes().all(|c| c.is_ascii_digit())), (12, true));
    assert_eq!(state(&place, serial), "open");
    verify(&place, &[serial, "12345678"]).ended(2).told("no token was issued for 000123456789 yet");

    let server = site::serve(&place, Dialect::Securid);
    let pin = text(&enrolled, "key");
    place.run(&["provision", &server.url, code, "--pin-key", pin, "-o", "t"]).ended(0);
    place.run(&["provision", &server.url, code, "-o", "u"]).ended(1);
    assert_eq!(state(&place, serial), "unconfirmed");
    let shown = place.run(&["show", "t", "--seed", "--json"]).ended(0).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((text(&shown, "serial"), text(&shown, "user")), (serial, "alice"));

    let (good, next) = (tokencode(&place, "t", "+0"), tokencode(&place, "t", "+60"));
    let wrong = tokencode(&place, "t", "+360000");
    let mut ran =
        vec![verify(&place, &["123456789", &wrong]).ended(1).told("this is no tokencode")];
    // The app may group the digits.
    let grouped = format!("{} {}", &good[..4], &good[4..]);
    let first = verify(&place, &["123456789", &grouped]).ended(0);
    assert!(first.stdout.contains("good; the token is confirmed"), "{}", first.stdout);
    ran.push(first);
    ran.push(verify(&place, &[serial, &good]).ended(1).told("seen before"));
    ran.push(verify(&place, &[serial, &next]).ended(0));
    assert_eq!(state(&place, serial), "confirmed");

    ran.push(run(&place, &["reissue", "-v", serial]).ended(2).told("revoke it, and enrol anew"));
    ran.push(run(&place, &["revoke", "-v", serial]).ended(0));
    assert_eq!(state(&place, serial), "revoked");
    ran.push(verify(&place, &[serial, &next]).ended(1).told("revoked"));
    ran.push(run(&place, &["revoke", "-v", serial]).ended(0).told("revoked before"));
    ran.push(run(&place, &["reissue", "-v", serial]).ended(2).told("Enrol anew"));
    ran.push(run(&place, &["enrolments", "-v"]).ended(0));
    let audit = run(&place, &["audit", "-v"]).ended(0);
    for event in ["enrolled", "issued", "refused", "confirmed", "tokencode repeated", "revoked"] {
        assert!(audit.stdout.contains(event), "no {event} in {}", audit.stdout);
    }
    ran.push(audit);

    for secret in [code.as_bytes().to_vec(), octets(text(&shown, "seed"))] {
        for spelling in spellings(&secret) {
            let found = |octets: &[u8]| octets.windows(spelling.len()).any(|w| w == spelling);
            assert!(!ran.iter().any(|ran| found((ran.stdout.clone() + &ran.stderr).as_bytes())));
            for name in place.names().iter().filter(|name| name.starts_with("a.db")) {
                assert!(!found(&std::fs::read(place.path(name)).unwrap()), "in {name}");
            }
        }
    }
}

#[test]
fn a_new_code_takes_the_place_of_the_old() {
    let place = Place::new();
    let before = enrol(&place, &[]);
    let serial = text(&before, "serial");
    let args = ["reissue", serial, "--code-length", "20", "--code-lifetime", "2h"];
    let after = told(&place, &args);
    assert_eq!(text(&after, "serial"), serial);
    let (old, new) = (text(&before, "code"), text(&after, "code"));
    assert_eq!(new.len(), 20);
    let server = site::serve(&place, Dialect::Securid);
    place.run(&["provision", &server.url, old, "-o", "old"]).ended(1);
    place.run(&["provision", &server.url, new, "-o", "new"]).ended(0);

    let good = tokencode(&place, "new", "+0");
    run(&place, &["reissue", serial])
        .ended(0)
        .told("the token that came of the code before is revoked");
    assert_eq!(state(&place, serial), "open");
    verify(&place, &[serial, &good]).ended(2).told("no token was issued");
    assert_eq!(count(&place), 1);
}

#[test]
fn a_link_is_made_for_the_public_address() {
    let place = Place::new();
    let url = "https://am.example.com:7004";
    let enrolled = enrol(&place, &["--public-url", url, "--qr", "q.png"]);
    let (code, link) = (text(&enrolled, "code"), text(&enrolled, "link"));
    let place_of = "scheme=https&url=am.example.com:7004/ctkip/services/CtkipService";
    assert_eq!(link, format!("com.rsa.securid://ctkip?{place_of}&activationCode={code}"));
    super::is_private(&place.path("q.png"));
    // The picture says so too: nobody answers there, but that is where it is asked.
    place.run(&["provision", "q.png", "--timeout", "1"]).ended(3).told("am.example.com");
    let again = ["enrol", "--user", "bob", "--public-url", url, "--qr", "q.png"];
    run(&place, &again).ended(2).told("q.png exists already").told("Nobody was enrolled");
    assert_eq!(count(&place), 1);
    let human = run(&place, &["enrol", "--user", "bob", "--public-url", url]).ended(0).stdout;
    assert!(human.contains("\nCode  ") && human.contains("activationCode="), "{human}");
}

#[test]
fn enrolments_are_found_by_what_they_are() {
    let place = Place::new();
    enrol(&place, &["--serial", "1"]);
    for serial in ["2", "3"] {
        run(&place, &["enrol", "--user", "b\u{202E}ob", "--serial", serial]).ended(0);
    }
    run(&place, &["revoke", "2"]).ended(0);
    let serials = |args: &[&str]| {
        let ran = run(&place, &[&["enrolments", "--json"], args].concat()).ended(0);
        let serial = |line| text(&serde_json::from_str(line).unwrap(), "serial")[11..].to_owned();
        ran.stdout.lines().map(serial).collect::<String>()
    };
    assert_eq!(serials(&[]), "123");
    assert_eq!(serials(&["--user", "b\u{202E}ob"]), "23");
    assert_eq!(serials(&["--state", "open"]), "13");
    assert_eq!(serials(&["--state", "revoked", "--user", "alice"]), "");
    assert_eq!(serials(&["--serial", "3"]), "3");
    let table = run(&place, &["enrolments"]).ended(0).stdout;
    assert_eq!(table.lines().count(), 4);
    assert!(table.contains("b\u{FFFD}ob"), "{table}");
    run(&place, &["revoke", "1", "4"]).ended(2).told("no enrolment of serial number 000000000004");
    assert_eq!(state(&place, "1"), "open");
}
