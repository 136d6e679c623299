//! RSA keys and the master key.

use super::{enrol, is_private, run, text, told};
use crate::program::Place;

#[test]
fn keys_are_made_rotated_and_retired() {
    let place = Place::new();
    let first = enrol(&place, &["--code-lifetime", "1h"]);
    let first = text(&first, "key");
    let args = ["enrol", "--user", "bob", "--key-bits", "2048"];
    run(&place, &args).ended(0).told("`ctkip keys rotate --bits 2048` makes another");
    run(&place, &["keys", "retire", first]).ended(2).told("it is the current one");

    let second = told(&place, &["keys", "rotate", "--bits", "1024"]);
    let second = text(&second, "key");
    let keys = told(&place, &["keys"]);
    for (key, pin, state, open) in [(&keys[0], second, "current", 0), (&keys[1], first, "old", 2)] {
        assert_eq!((text(key, "key"), text(key, "state")), (pin, state));
        assert_eq!((&key["bits"], &key["open_codes"]), (&1024.into(), &open.into()));
    }
    run(&place, &["keys", "retire", &first[..20]]).ended(2).told("2 open codes offer it");
    run(&place, &["keys", "retire", &first[..20], "--force"]).ended(0).told(first);
    let table = run(&place, &["keys"]).ended(0).stdout;
    assert!(table.contains("current") && table.contains("retired"), "{table}");
    run(&place, &["keys", "retire", "sha256:00000"]).ended(2).told("there is no RSA key 00000");
    assert_eq!(text(&enrol(&place, &[]), "key"), second);
}

#[test]
fn a_master_key_is_made_once() {
    let place = Place::new();
    place.run(&["keys", "make-master", "m"]).ended(0);
    is_private(&place.path("m"));
    let key = std::fs::read(place.path("m")).unwrap();
    assert_eq!(key.len(), 32);
    place.run(&["keys", "make-master", "m"]).ended(2).told("m exists already");
    assert_eq!(std::fs::read(place.path("m")).unwrap(), key);
    let with_it = ["--master-key-file", "m"];
    enrol(&place, &with_it);
    run(&place, &[&["enrolments"][..], &with_it].concat()).ended(0);
    assert_eq!(place.names(), ["a.db", "m"]);
}

#[test]
fn the_wrong_master_key_opens_nothing() {
    let place = Place::new();
    enrol(&place, &[]);
    place.run(&["keys", "make-master", "other"]).ended(0);
    let other = ["enrolments", "--master-key-file", "other"];
    run(&place, &other).ended(2).told("this is not the master key that the store was made with");

    std::fs::remove_file(place.path("a.db.key")).unwrap();
    for args in [&["enrolments"][..], &["enrol", "--user", "bob"]] {
        run(&place, args).ended(2).told("a.db.key cannot be read").told("--master-key-file");
        assert!(!place.path("a.db.key").exists());
    }
}
