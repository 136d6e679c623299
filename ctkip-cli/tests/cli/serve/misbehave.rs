//! Every way to misbehave, and what our own client makes of it.

use serde_json::Value;

use super::serving::{CODE, Serving};
use crate::program::Place;

/// A way, further arguments of the client, its exit status, and the kind of its error.
type Case = (&'static str, &'static [&'static str], i32, &'static str);

const CASES: &[Case] = &[
    ("wrong-mac", &[], 4, "mac"),
    ("short-mac", &[], 4, "mac"),
    ("no-mac", &[], 4, "mac"),
    ("other-key", &[], 4, "mac"),
    ("other-key-and-mac", &[], 0, ""),
    ("small-key", &[], 4, "key-too-small"),
    ("exponent-1", &[], 4, "key"),
    ("empty-nonce", &[], 4, "nonce-length"),
    ("wrong-session", &[], 4, "session-mismatch"),
    ("first-answer-again", &[], 4, "unexpected-message"),
    ("expired-token", &[], 0, ""),
    ("no-expiry", &[], 0, ""),
    ("no-settings", &[], 0, ""),
    ("expired-code", &[], 1, "fault"),
    ("late-refusal", &[], 1, "fault"),
    ("wrong-authdata", &[], 4, "auth-mismatch"),
    ("not-soap", &[], 4, "xml"),
    ("broken-xml", &[], 4, "xml"),
    ("doctype", &[], 4, "xml"),
    ("http-500", &[], 3, "http"),
    ("http-401", &[], 3, "http"),
    ("busy", &[], 6, "outcome-unknown"),
    ("busy:1", &[], 0, ""),
    ("redirect", &[], 3, "http"),
    ("deflate", &[], 0, ""),
    ("gzip", &[], 0, ""),
    ("chunked", &[], 0, ""),
    ("huge", &[], 3, "too-large"),
    ("bomb", &[], 3, "too-large"),
    ("late", &[], 0, ""),
    ("late", &["--timeout", "1"], 3, "timeout"),
    ("no-hello", &[], 3, "interrupted"),
    ("no-answer", &[], 6, "outcome-unknown"),
    ("no-answer:1", &[], 0, ""),
    ("cut", &[], 6, "outcome-unknown"),
    ("cut:2", &[], 0, ""),
    ("silence", &["--timeout", "2"], 6, "outcome-unknown"),
];

#[test]
fn our_client_ends_as_a_good_one_does() {
    let mut failures = Vec::new();
    for (way, more, status, kind) in CASES {
        let place = Place::new();
        let server = Serving::start(&place, &["--misbehave", way]);
        let args = ["provision", &server.url, CODE, "--json", "-o", "a.sdtid"];
        let ran = place.run(&[&args[..], more].concat());
        let error: Value = ran
            .stderr
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str(line).ok())
            .unwrap_or_default();
        let told = error["error"]["kind"].as_str().unwrap_or_default();
        if ran.status != Some(*status) || told != *kind {
            failures.push(format!("{way}: {:?}, {told:?}: {}", ran.status, ran.stderr));
        }
        let saved = place.names().iter().any(|name| name.ends_with(".sdtid"));
        assert_eq!(saved, *status == 0, "{way}: what is saved");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Every way that `help` lists is tried above, and is described.
#[test]
fn every_way_is_tried() {
    let ran = Place::new().run(&["serve", "--misbehave", "help", "--json"]).ended(0);
    let listed: Vec<Value> = serde_json::from_str(&ran.stdout).expect("a list");
    let text = Place::new().run(&["serve", "--misbehave", "help"]).ended(0).stdout;
    assert_eq!(text.lines().count(), listed.len());
    for way in &listed {
        let name = way["name"].as_str().expect("a name");
        assert!(CASES.iter().any(|(tried, ..)| tried == &name), "{name} is not tried");
        assert!(text.contains(name) && way["does"].is_string() && way["client"].is_string());
    }
}

/// A man in the middle who makes the MAC himself is found out by whoever pinned the server's key.
#[test]
fn a_pinned_key_finds_out_what_the_mac_does_not() {
    let place = Place::new();
    let server = Serving::start(&place, &["--misbehave", "other-key-and-mac"]);
    let args = ["provision", &server.url, CODE, "--pin-key", &server.pin, "-o", "a.sdtid"];
    place.run(&args).ended(4).told("pin");
}

/// The other dialect is misbehaved in too.
#[test]
fn plain_http_is_no_exception() {
    for (way, status) in [("wrong-mac", 4), ("other-key", 4), ("deflate", 0), ("cut:1", 0)] {
        let place = Place::new();
        let server = Serving::start(&place, &["--misbehave", way]);
        let args = ["provision", &server.url, "--profile", "rfc4758", "--min-key-bits", "1024"];
        place.run(&[&args[..], &["-o", "a.sdtid"]].concat()).ended(status);
    }
}

#[test]
fn several_ways_go_together() {
    let place = Place::new();
    let server = Serving::start(&place, &["--misbehave", "gzip", "--misbehave", "wrong-mac:1"]);
    place.run(&["provision", &server.url, CODE, "-o", "a.sdtid"]).ended(4);
    place.run(&["provision", &server.url, CODE, "-o", "a.sdtid"]).ended(0);
}
