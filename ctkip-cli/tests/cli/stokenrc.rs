//! `ctkip import`, `setpin`, `setpass`, and the file they share with stoken.

use crate::program::Place;

const TOKEN: &str =
    "246755005150541133354165002752513227270340207255211507544172154352743132716767577";
const TIME: &str = "1709251199";

fn code(place: &Place, args: &[&str]) -> String {
    place.run(&[&["tokencode", "--at", TIME], args].concat()).ended(0).stdout
}

#[test]
fn a_token_is_kept_and_used() {
    let place = Place::new();
    place.run(&["import", TOKEN]).ended(0);
    assert_eq!(place.read(".stokenrc"), format!("version 1\ntoken {TOKEN}\n"));
    assert_eq!(code(&place, &["--pin", "1234"]), "75784571\n");
    assert!(place.run(&["show"]).ended(0).stdout.contains("467550051505"));
    place.run(&["setpin", "--new-pin", "1234"]).ended(0);
    assert_eq!(code(&place, &[]), "75784571\n");
    assert_eq!(code(&place, &["--pin", "0000"]), "75783347\n");
    place.run(&["setpin", "--new-pin", ""]).ended(0);
    assert_eq!(code(&place, &[]), "75783347\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::metadata(place.path(".stokenrc")).unwrap().mode() & 0o777, 0o600);
    }
    assert_eq!(place.names(), [".stokenrc"]);
}

#[test]
fn a_password_locks_token_and_pin() {
    let place = Place::new();
    place.write("p", "correct horse\n");
    place.run(&["import", TOKEN]).ended(0);
    place.run(&["setpin", "--new-pin", "1234"]).ended(0);
    place.run(&["setpass", "--new-password-file", "p"]).ended(0);
    let kept = place.read(".stokenrc");
    assert!(!kept.contains(TOKEN) && !kept.contains("1234\n"), "{kept}");
    place.run(&["tokencode"]).ended(2).told("locked with a password");
    assert_eq!(code(&place, &["--password-file", "p"]), "75784571\n");
    place.run(&["setpass", "--password-file", "p", "--new-password", ""]).ended(0);
    assert_eq!(code(&place, &[]), "75784571\n");
}

#[test]
fn a_locked_token_stays_locked_when_it_is_imported() {
    let place = Place::new();
    let line = ["export", TOKEN, "--to", "sdtid", "-o", "t", "--new-password", "secret"];
    place.run(&line).ended(0);
    place.run(&["import", "t", "--password", "secret", "--keep-password"]).ended(0);
    place.run(&["tokencode"]).ended(2);
    assert_eq!(code(&place, &["--password", "secret", "--pin", "1234"]), "75784571\n");
}

#[test]
fn what_is_not_ours_survives() {
    let place = Place::new();
    place.write(".stokenrc", format!("# mine\nversion 1\ncolour blue\ntoken {TOKEN}\n"));
    place.run(&["import", TOKEN]).ended(2).told("--force");
    let ran = place.run(&["setpin", "--new-pin", "4321"]).ended(0).told("colour");
    assert!(ran.stderr.contains(".stokenrc:3"), "{}", ran.stderr);
    let text = place.read(".stokenrc");
    assert_eq!(text, format!("# mine\nversion 1\ncolour blue\ntoken {TOKEN}\npin 4321\n"));
    place.run(&["import", TOKEN, "--force"]).ended(0).told(".stokenrc.bak");
    assert_eq!(place.read(".stokenrc.bak"), text);
    assert!(place.read(".stokenrc").starts_with("# mine\nversion 1\ncolour blue\n"));
}

#[cfg(unix)]
#[test]
fn a_link_stays_one_and_others_are_warned_of() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    let real = place.write("dotfiles/rc", format!("version 1\ntoken {TOKEN}\n"));
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o644)).unwrap();
    symlink("dotfiles/rc", place.path(".stokenrc")).unwrap();
    place.run(&["setpin", "--new-pin", "4321"]).ended(0).told("others can read");
    assert!(place.path(".stokenrc").is_symlink());
    assert!(place.read("dotfiles/rc").contains("pin 4321"));
}

#[test]
fn a_file_that_is_no_stokenrc_is_left_alone() {
    for text in ["version 2\n", "token\n", "hello\n"] {
        let place = Place::new();
        place.write(".stokenrc", text);
        place.run(&["import", TOKEN, "--force"]).ended(2).told(".stokenrc");
        assert_eq!(place.read(".stokenrc"), text);
        assert_eq!(place.names(), [".stokenrc"]);
    }
}

#[test]
fn another_file_can_be_named() {
    let place = Place::new();
    place.run(&["import", TOKEN, "--rcfile", "rc"]).ended(0);
    assert_eq!(code(&place, &["-r", "rc", "-n", "1234"]), "75784571\n");
    assert_eq!(place.names(), ["rc"]);
}

#[test]
fn a_new_pin_that_is_none() {
    let place = Place::new();
    place.run(&["import", TOKEN]).ended(0);
    let before = place.read(".stokenrc");
    let ran = place.run(&["setpin", "--new-pin", "12"]).ended(2);
    assert!(ran.stderr.contains("4 to 8"), "{}", ran.stderr);
    place.run(&["setpin"]).ended(2).told("no terminal");
    assert_eq!(place.read(".stokenrc"), before);
}
