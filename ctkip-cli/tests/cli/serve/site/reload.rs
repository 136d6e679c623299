//! Certificates that change while the server runs.

use std::fs;

use super::node::{Node, until};
use crate::program::Place;

/// Whether the server's certificate is of this authority: a wrong code is refused only if it is.
fn is_trusted(place: &Place, server: &Node, authority: &str) -> bool {
    let args = ["provision", &server.url, "0000", "--ca-cert", authority, "-o", "a.sdtid"];
    match place.run(&args).status {
        Some(1) => true,
        Some(3) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
    let (place, other) = (Place::new(), Place::new());
    super::super::serving::certificates(&place);
    super::super::serving::certificates(&other);
    fs::copy(other.path("ca.pem"), place.path("ca2.pem")).unwrap();
    let tls = ["--tls-cert", "leaf.pem", "--tls-key", "leaf.key", "--guesses-per-source", "1000"];
    let server = Node::in_memory(&place, &tls);
    assert!(is_trusted(&place, &server, "ca.pem"));

    // One after the other, as people do: for a moment they may not fit.
    fs::copy(other.path("leaf.pem"), place.path("leaf.pem")).unwrap();
    server.tells("the one before stays in use");
    assert!(is_trusted(&place, &server, "ca.pem"));
    fs::copy(other.path("leaf.key"), place.path("leaf.key")).unwrap();
    server.tells("the new certificate is in use");
    assert!(is_trusted(&place, &server, "ca2.pem"));
    assert!(!is_trusted(&place, &server, "ca.pem"));

    let told = || server.stderr().matches("the one before stays in use").count();
    let before = told();
    place.write("leaf.pem", "broken");
    until(|| told() > before, || "a broken certificate".into());
    fs::remove_file(place.path("leaf.key")).unwrap();
    until(|| told() > before + 1, || "a key that is not there".into());
    assert!(is_trusted(&place, &server, "ca2.pem"));
}
