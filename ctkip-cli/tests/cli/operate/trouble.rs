//! Codes that could not be shown are not lost.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::process::Stdio;

use super::{STORE, count, enrol, is_private};
use crate::program::{Place, Ran, names, ran};

/// Runs with a standard output that takes nothing.
fn run_onto_full(place: &Place, args: &[&str]) -> Ran {
    let mut command = place.command(&[args, &STORE].concat());
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    Ran {
        status: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_code_that_cannot_be_printed_is_kept() {
    let place = Place::new();
    enrol(&place, &[]);
    let failed = run_onto_full(&place, &["enrol", "--user", "bob"]).ended(5).told("state/ctkip/");
    let folder = place.path("state/ctkip");
    let kept = names(&folder);
    let [name] = &kept[..] else { panic!("{kept:?}: {}", failed.stderr) };
    is_private(&folder.join(name));
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(text.contains("bob") && text.contains("\nCode  "), "{text}");
    assert_eq!(count(&place), 2);
}

#[test]
fn nobody_is_enrolled_whose_code_could_not_be_printed() {
    let place = Place::new();
    enrol(&place, &[]);
    place.write("u.csv", "user\nann\n");
    run_onto_full(&place, &["enrol", "--csv", "u.csv"]).ended(2).told("Nobody was enrolled");
    for args in [["--out", "no/codes"], ["--trigger-file", "no/t"]] {
        let (profile, from) = match args[0] {
            "--out" => ("securid", ["--csv", "u.csv"]),
            _ => ("rfc4758", ["--user", "ann"]),
        };
        let line = [&["enrol", "--profile", profile], &from[..], &args, &STORE].concat();
        ran(&mut place.command(&line)).ended(2).told("Nobody was enrolled");
    }
    assert_eq!(count(&place), 1);
}
