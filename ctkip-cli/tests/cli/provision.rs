//! `ctkip provision` where all goes well.

use std::sync::Arc;

use ctkip_transport_loopback::Enrolment;
use serde_json::Value;

use crate::program::{Place, feed};
use crate::server::{CODE, SERIAL, Server};

#[test]
fn over_http_to_a_file_named_for_its_serial_number() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    let ran = place.run(&["provision", &listening.url, CODE]).ended(0);
    assert_eq!(place.names(), [format!("{SERIAL}.sdtid")]);
    assert!(ran.stdout.contains(SERIAL) && ran.stdout.contains("2035-12-31"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("Seed"), "{}", ran.stdout);
    let file = format!("{SERIAL}.sdtid");
    let shown = place.run(&["show", &file, "--seed"]).ended(0);
    assert!(shown.stdout.contains(&server.seeds()[0]), "{}", shown.stdout);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::metadata(place.path(&file)).unwrap().mode() & 0o777, 0o600);
    }
}

#[test]
fn every_source_of_a_code() {
    let place = Place::new();
    place.write("code", format!("{CODE}\n"));
    let cases: [(&[&str], &str, Option<&str>); 5] = [
        (&[CODE], "", None),
        (&["--code-file", "code"], "", None),
        (&["--code-file", "-"], CODE, None),
        (&[], "", Some(CODE)),
        (&[CODE, "--code-file", "code"], "", Some(CODE)),
    ];
    for (args, stdin, variable) in cases {
        let server = Arc::new(Server::new());
        let listening = server.listen(|_, _, _| None);
        let mut command = place.command(&["provision", &listening.url, "-f", "-o", "t"]);
        command.args(args).envs(variable.map(|code| ("CTKIP_CODE", code)));
        feed(&mut command, stdin).ended(0);
        assert_eq!(server.seeds().len(), 1, "{args:?}");
    }
}

#[test]
fn a_link_names_url_and_code() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let host = listening.url.strip_prefix("http://").unwrap();
    let link = format!("com.rsa.securid://ctkip?scheme=http&url={host}&activationCode={CODE}");
    Place::new().run(&["provision", &link]).ended(0);
    assert_eq!(server.seeds().len(), 1);
}

#[test]
fn machines_read_json() {
    let place = Place::new();
    let ran = place.run(&["provision", "loopback:", "--json", "-o", "t"]).ended(0);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["file"], "t");
    assert_eq!(told["saved_as_asked"], true);
    assert_eq!(told["token"]["serial"], told["server"]["key_id"]);
    assert_eq!(told["token"].get("seed"), None);
    assert_eq!(ran.stderr, "");
    let secret = place.run(&["provision", "loopback:", "--json", "--show-secrets"]).ended(0);
    let told: Value = serde_json::from_str(&secret.stdout).unwrap();
    assert_eq!(told["token"]["seed"].as_str().unwrap().len(), 32);
}

#[test]
fn both_profiles_run_in_memory() {
    for profile in ["securid", "rfc4758"] {
        let place = Place::new();
        place.run(&["provision", "loopback:", "--profile", profile, "-o", "t"]).ended(0);
        let code = place.run(&["tokencode", "t", "--pin", "0000"]).ended(0).stdout;
        assert_eq!(code.len(), 9, "{code:?}");
    }
}

#[test]
fn every_form_gives_the_same_codes() {
    for form in ["sdtid", "ctf", "blocks", "v3", "android", "iphone", "qr", "json", "stokenrc"] {
        let place = Place::new();
        let ran = place.run(&["provision", "loopback:", "--to", form, "--show-secrets"]).ended(0);
        let [file] = &*place.names() else { panic!("{form}: {:?}", place.names()) };
        let shown = place.run(&["show", file, "--seed"]).ended(0);
        let seed =
            |text: &str| text.lines().find(|line| line.starts_with("Seed")).map(str::to_owned);
        assert!(seed(&ran.stdout).is_some());
        assert_eq!(seed(&shown.stdout), seed(&ran.stdout), "{form}");
    }
}

#[test]
fn a_password_locks_what_is_saved() {
    let place = Place::new();
    place.write("p", "correct horse\n");
    place.run(&["provision", "loopback:", "-o", "t", "--password-file", "p"]).ended(0);
    place.run(&["tokencode", "t", "--pin", "0000"]).ended(2).told("locked with a password");
    place.run(&["tokencode", "t", "--pin", "0000", "--password-file", "p"]).ended(0);
}

#[test]
fn odd_values_warn_and_never_lose_the_token() {
    let mut enrolment = Enrolment::new(SERIAL);
    (enrolment.digits, enrolment.interval) = (12, 45);
    enrolment.expiry.year = 1999;
    let server = Arc::new(Server::with(enrolment, 1024));
    let listening = server.listen(|_, _, _| None);
    let place = Place::new();
    place
        .run(&["provision", &listening.url, CODE, "-o", "t"])
        .ended(0)
        .told("tokencode length \"12\" taken as 8")
        .told("tokencode interval \"45\" taken as 60")
        .told("expiry");
    place.run(&["tokencode", "t", "--pin", "0000"]).ended(0);
}
