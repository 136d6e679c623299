//! `ctkip serve`: what it gives out, what it says, how it ends, and how it misbehaves.

mod misbehave;
mod serving;
mod site;

use std::net::TcpListener;

use base64::prelude::{BASE64_STANDARD, Engine};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use serde_json::Value;

use crate::program::{Place, Ran, ran};
use serving::{CODE, Serving};

/// What `ctkip show` says of a token, the seed with it.
fn shown(place: &Place, file: &str) -> Value {
    let ran = place.run(&["show", file, "--seed", "--json"]).ended(0);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[track_caller]
fn refused(args: &[&str], kind: &str) -> Ran {
    let ran = Place::new().run(&[&["serve"], args].concat()).ended(2);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    ran.told(kind)
}

/// The code is good any number of times, for a new token each time, which is the server's.
#[test]
fn every_run_gets_a_token_of_its_own() {
    for sessions in ["stored", "sealed"] {
        let place = Place::new();
        let mut server = Serving::start(&place, &["--print-seeds", "--sessions", sessions]);
        let mut serials = Vec::new();
        for file in ["a.sdtid", "b.sdtid", "c.sdtid"] {
            place.run(&["provision", &server.url, CODE, "-o", file]).ended(0);
            let (serial, seed) = server.seed();
            let shown = shown(&place, file);
            assert_eq!(shown["serial"], serial, "{shown}");
            assert_eq!(shown["seed"], seed, "{shown}");
            serials.push(serial);
        }
        serials.dedup();
        assert_eq!(serials.len(), 3);
    }
}

#[test]
fn what_it_announces_can_be_used() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    assert!(server.link.starts_with("com.rsa.securid://ctkip?scheme=http&url=127.0.0.1:"));
    assert!(server.link.ends_with("/ctkip/services/CtkipService&activationCode=314159265358"));
    place.run(&["provision", &server.link, "--pin-key", &server.pin, "-o", "a.sdtid"]).ended(0);
    let other = format!("sha256:{}", "0".repeat(64));
    place.run(&["provision", &server.link, "--pin-key", &other, "-o", "b.sdtid"]).ended(4);
}

#[test]
fn rfc_4758_is_spoken_beside_it() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let site = server.url.strip_suffix("/ctkip/services/CtkipService").expect("the usual path");
    for path in ["/", "/ctkip/services/CtkipService", "/rfc4758"] {
        let url = format!("{site}{path}");
        let args = ["provision", &url, "--profile", "rfc4758", "--min-key-bits", "1024"];
        place.run(&[&args[..], &["-o", "a.sdtid", "--force"]].concat()).ended(0);
    }
}

#[test]
fn other_codes_get_nothing() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let args = ["provision", &server.url, "000000000000", "-o", "a.sdtid"];
    place.run(&args).ended(1).told("Invalid authorization code.");
}

#[test]
fn tokens_are_as_asked() {
    let place = Place::new();
    let server = Serving::start(
        &place,
        &[
            "--token-id",
            "41",
            "--user",
            "Jane <Doe> & Söhne",
            "--digits",
            "6",
            "--interval",
            "30",
            "--expires",
            "2031-05-06",
            "--pin-type",
            "2",
            "--add-pin",
            "0",
        ],
    );
    for (file, serial) in [("a.sdtid", "000000000041"), ("b.sdtid", "000000000042")] {
        place.run(&["provision", &server.url, CODE, "-o", file, "--to", "sdtid"]).ended(0);
        let shown = shown(&place, file);
        assert_eq!(shown["serial"], serial, "{shown}");
        assert_eq!(shown["digits"], 6, "{shown}");
        assert_eq!(shown["interval"], 30, "{shown}");
        assert_eq!(shown["expires"], "2031-05-06", "{shown}");
        assert_eq!(shown["user"], "Jane <Doe> & Söhne", "{shown}");
    }
}

#[test]
fn once_is_once() {
    let place = Place::new();
    let server = Serving::start(&place, &["--once"]);
    place.run(&["provision", &server.url, CODE, "-o", "a.sdtid"]).ended(0);
    assert_eq!(server.wait().0, Some(0));
    place.run(&["provision", "http://127.0.0.1:1/", CODE, "-o", "b.sdtid"]).ended(3);
}

#[test]
fn an_interrupt_ends_it() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        let server = Serving::start(&place, &[]);
        server.signal(signal);
        assert_eq!(server.wait().0, Some(0), "{signal}");
    }
}

/// One JSON object a line, and no secret in any, however much is told.
#[test]
fn logs_hold_no_secrets() {
    let place = Place::new();
    let mut server = Serving::start(&place, &["--log", "json", "--verbose", "--print-seeds"]);
    place.run(&["provision", &server.url, CODE, "-o", "a.sdtid"]).ended(0);
    place.run(&["provision", &server.url, "271828182845", "-o", "b.sdtid"]).ended(1);
    let with_code = format!("{}?activationCode=161803398874", server.url);
    place.run(&["provision", &with_code, "-o", "c.sdtid"]).ended(1);
    let (serial, seed) = server.seed();
    server.signal("TERM");
    let (_, stderr) = server.wait();
    let lines: Vec<Value> = stderr
        .lines()
        .filter(|line| !line.starts_with("warning: a test server"))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(lines.iter().any(|line| line["serial"] == serial), "{stderr}");
    assert!(lines.iter().any(|line| line["message"] == "activation code refused"), "{stderr}");
    for secret in [CODE, "271828182845", "161803398874", &seed] {
        assert!(!stderr.to_lowercase().contains(secret), "{secret} in {stderr}");
    }
}

#[test]
fn json_is_for_programs() {
    let place = Place::new();
    let mut server = Serving::start(&place, &["--json", "--print-seeds"]);
    place.run(&["provision", &server.url, CODE, "-o", "a.sdtid"]).ended(0);
    let line: Value = serde_json::from_str(&server.line()).expect("a JSON object a line");
    assert_eq!(shown(&place, "a.sdtid")["seed"], line["seed"]);
}

#[test]
fn a_key_can_be_given() {
    let place = Place::new();
    let key = rsa::PrivateKey::new(&mut getrandom::SysRng, 2048).expect("a key");
    let pem = |label: &str, der: &[u8]| {
        let text = BASE64_STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    place.write("8.pem", pem("PRIVATE KEY", key.to_pkcs8_der().unwrap().as_bytes()));
    place.write("1.pem", pem("RSA PRIVATE KEY", key.to_pkcs1_der().unwrap().as_bytes()));
    let servers = ["8.pem", "1.pem"].map(|key| Serving::with_key(&place, key, &[]));
    assert_eq!(servers[0].pin, servers[1].pin);
    for (server, file) in servers.iter().zip(["a.sdtid", "b.sdtid"]) {
        let args = ["provision", &server.url, CODE, "--min-key-bits", "2048", "-o", file];
        place.run(&args).ended(0);
    }
}

#[test]
fn tls_is_spoken_with_a_certificate() {
    let place = Place::new();
    serving::certificates(&place);
    let server = Serving::start(&place, &["--tls-cert", "leaf.pem", "--tls-key", "leaf.key"]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let args = ["provision", &server.link, "-o", "a.sdtid"];
    place.run(&args).ended(3);
    place.run(&[&args[..], &["--ca-cert", "ca.pem"]].concat()).ended(0);
}

#[test]
fn what_it_cannot_do_is_told() {
    refused(&[], "no activation code was given").told("--code 123456789012");
    refused(&["--code", " 1"], "without control characters");
    refused(&["--code", "1", "--listen", "0.0.0.0:0"], "--i-know-this-is-a-test");
    refused(&["--code", "1", "--listen", "nowhere"], "cannot listen on nowhere");
    refused(&["--code", "1", "--key", "absent.pem"], "cannot read absent.pem");
    refused(&["--code", "1", "--key-bits", "512"], "1024, 2048 or 3072");
    refused(&["--code", "1", "--tls-cert", "a.pem"], "--tls-key");
    refused(&["--code", "1", "--misbehave", "badly"], "--misbehave help");
    refused(&["--code", "1", "--misbehave", "late:often"], "--misbehave help");
    refused(&["--code", "1", "--interval", "45"], "30 or 60");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&["--code", "1", "--key-bits", "1024", "--listen", &address], "choose another port");
}

#[test]
fn keys_and_certificates_that_are_none_are_told() {
    let place = Place::new();
    place.write("empty.pem", "");
    place.write("no.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    serving::certificates(&place);
    for (args, told) in [
        (&["--key", "empty.pem"][..], "no private key in it"),
        (&["--key", "no.pem"], "the key is no RSA key"),
        (&["--key", "leaf.key"], "the key is no RSA key"),
        (&["--tls-cert", "empty.pem", "--tls-key", "leaf.key"], "no certificate in it"),
        (&["--tls-cert", "leaf.pem", "--tls-key", "empty.pem"], "no private key in it"),
        (&["--tls-cert", "leaf.pem", "--tls-key", "ca.key"], "cannot be used"),
    ] {
        let ran = place.run(&[&["serve", "--code", CODE], args].concat()).ended(2).told(told);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    }
}

/// The code can come from where `provision` takes it too.
#[test]
fn the_code_can_be_kept_off_the_command_line() {
    let place = Place::new();
    place.write("code", format!("{CODE}\n"));
    let server = Serving::spawn(&place, &["--code-file", "code", "--key-bits", "1024"]);
    place.run(&["provision", &server.url, "--code-file", "code", "-o", "a.sdtid"]).ended(0);
    let mut both = place.command(&["serve", "--code", "1", "--code-file", "code"]);
    ran(&mut both).ended(2).told("different activation codes");
}
