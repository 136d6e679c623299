//! The operator's commands, on stores in SQLite, and what clients get of what they do.

mod csv;
mod export;
mod keys;
mod lifecycle;
mod site;
mod triggers;
mod trouble;

use serde_json::Value;

use crate::program::{Place, Ran};

/// The store that all of these work on.
const STORE: [&str; 2] = ["--store", "sqlite:a.db"];

/// Runs the program on the store.
fn run(place: &Place, args: &[&str]) -> Ran {
    place.run(&[args, &STORE].concat())
}

/// What it says, as JSON.
#[track_caller]
fn told(place: &Place, args: &[&str]) -> Value {
    let ran = run(place, &[args, &["--json"]].concat()).ended(0);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

/// Enrols alice, with a key that is quickly made.
fn enrol(place: &Place, args: &[&str]) -> Value {
    let line = [&["enrol", "--user", "alice", "--key-bits", "1024", "--json", "-v"], args].concat();
    let ran = run(place, &line).ended(0);
    let enrolled: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(!ran.stderr.contains(text(&enrolled, "code")), "{}", ran.stderr);
    enrolled
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}

/// How an enrolment stands.
fn state(place: &Place, serial: &str) -> String {
    text(&told(place, &["enrolments", "--serial", serial]), "state").to_owned()
}

/// How many enrolments there are.
fn count(place: &Place) -> usize {
    run(place, &["enrolments", "--json"]).ended(0).stdout.lines().count()
}

#[cfg(unix)]
#[track_caller]
fn is_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
}

#[cfg(not(unix))]
fn is_private(_: &std::path::Path) {}
