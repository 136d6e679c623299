//! Enrolments for RFC 4758: a trigger instead of a code.

use ctkip_server::Dialect;

use super::{is_private, run, site, state, text, told};
use crate::program::Place;

const ENROL: [&str; 5] = ["enrol", "--user", "alice", "--profile", "rfc4758"];

#[test]
fn a_trigger_starts_one_run() {
    let place = Place::new();
    let more =
        ["--device", "D-1", "--trigger-file", "t.xml", "--public-url", "https://h.example/x"];
    let enrolled = told(&place, &[&ENROL[..], &more].concat());
    assert!(enrolled.get("trigger_nonce").is_none() && enrolled.get("link").is_none());
    is_private(&place.path("t.xml"));
    assert!(place.read("t.xml").contains("<CT-KIPURL>https://h.example/x</CT-KIPURL>"));
    let serial = text(&enrolled, "serial");

    let server = site::serve(&place, Dialect::Rfc4758);
    let provision = ["provision", &server.url, "--trigger", "t.xml"];
    let wrong = [&provision[..], &["--profile", "securid"]].concat();
    place.run(&wrong).ended(2).told("a trigger starts a run of RFC 4758");
    place.run(&[&provision[..], &["-o", "t"]].concat()).ended(0);
    assert_eq!(state(&place, serial), "unconfirmed");
    place.run(&[&provision[..], &["-o", "u"]].concat()).ended(1);
    let code = place.run(&["tokencode", "t"]).ended(0).stdout;
    run(&place, &["tokens", "verify", serial, code.trim()]).ended(0);
    assert_eq!(state(&place, serial), "confirmed");
}

#[test]
fn without_a_file_its_nonce_is_shown() {
    let place = Place::new();
    let ran = run(&place, &ENROL).ended(0);
    let line = ran.stdout.lines().find(|line| line.starts_with("Trigger nonce")).unwrap();
    // 16 octets in base64.
    assert_eq!(line.rsplit_once(' ').unwrap().1.len(), 24, "{line}");
    assert!(!ran.stdout.contains("\nCode "), "{}", ran.stdout);

    run(&place, &["keys", "rotate", "--bits", "1024"]).ended(0);
    run(&place, &ENROL).ended(0).told("clients want 2048");
}

#[test]
fn what_is_no_trigger_is_refused() {
    let place = Place::new();
    place.write("t.xml", "<CT-KIPTrigger/>");
    let args = ["provision", "http://127.0.0.1:9/", "--trigger", "t.xml"];
    place.run(&args).ended(2).told("t.xml holds no trigger");
    let args = ["enrol", "--user", "a", "--trigger-file", "t"];
    run(&place, &args).ended(2).told("--trigger-file is for RFC 4758");
    let args = ["--public-url", "https://a.example", "--qr", "q.png"];
    run(&place, &[&ENROL[..], &args].concat()).ended(2).told("--qr is for activation links");
    assert_eq!(place.names(), ["t.xml"]);
}
