//! A server that remembers: what it gives to whom, and what it tells those who run it.

mod config;
mod deploy;
mod node;
mod proxies;
mod reload;

use ctkip_server::store::State;
use serde_json::Value;

use super::{refused, shown};
use crate::program::Place;
use node::{Node, STORE};

#[test]
fn a_code_is_good_for_one_token_even_after_a_crash() {
    let place = Place::new();
    let (alice, bob) = {
        let registry = node::registry(&place);
        (node::enrol(&registry, "alice"), node::enrol(&registry, "bob"))
    };
    let server = Node::start(&place, &[]);
    let pin = server.announced["pin"].as_str().expect("a pin").to_owned();
    let args = ["provision", &server.url, &alice.1, "--pin-key", &pin, "-o", "a.sdtid"];
    place.run(&args).ended(0);
    let token = shown(&place, "a.sdtid");
    assert_eq!((&token["serial"], &token["user"]), (&alice.0.as_str().into(), &"alice".into()));
    let again = |url: &str, code: &str| place.run(&["provision", url, code, "-o", "b.sdtid"]);
    again(&server.url, &alice.1).ended(1).told("Invalid authorization code.");
    server.signal("KILL");
    server.wait();

    let server = Node::start(&place, &[]);
    assert_eq!(server.announced["pin"], pin);
    again(&server.url, &alice.1).ended(1);
    again(&server.url, &bob.1).ended(0);
    let registry = node::registry(&place);
    let state = |serial: &str| registry.standing(serial).expect("enrolled").state(node::now());
    assert_eq!(state(&alice.0), State::Unconfirmed);
    // Whoever is enrolled while it runs is served.
    let (_, carol) = node::enrol(&registry, "carol");
    place.run(&["provision", &server.url, &carol, "-o", "c.sdtid"]).ended(0);
}

#[test]
fn an_interrupt_ends_it() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        let server = Node::in_memory(&place, &["--admin-listen", "127.0.0.1:0"]);
        server.signal(signal);
        assert_eq!(server.wait(), Some(0), "{signal}");
    }
}

#[test]
fn users_of_a_store_in_memory_are_enrolled_at_the_start() {
    let place = Place::new();
    let server = Node::in_memory(&place, &["--user", "alice", "--user", "bob"]);
    let link = server.announced["codes"][1]["link"].as_str().expect("a link");
    place.run(&["provision", link, "-o", "b.sdtid"]).ended(0);
    assert_eq!(shown(&place, "b.sdtid")["user"], "bob");
    place.run(&["provision", &server.url, &server.code(0), "-o", "a.sdtid"]).ended(0);
    assert_eq!(shown(&place, "a.sdtid")["user"], "alice");
    refused(&["--store", STORE, "--user", "alice"], "--user enrols into a store in memory");
}

#[test]
fn options_of_the_other_server_are_told() {
    for (test, site) in [
        (&["--code", "1"][..], &["--store", "memory"][..]),
        (&["--once"], &["--behind-proxy"]),
        (&["--misbehave", "wrong-mac"], &["--workers", "4"]),
        (&["--digits", "6"], &["--guesses-total", "1"]),
        (&["--print-seeds"], &["--master-key-file", "a"]),
    ] {
        refused(&[test, site].concat(), test[0])
            .told(site[0])
            .told("is for the server for testing");
    }
    refused(&["--workers", "4"], "no store was named");
    refused(&["--store", "mysql://a"], "sqlite:FILE");
    refused(&["--code", "1", "--user", "a", "--user", "b"], "--user names several");
    let place = Place::new();
    let with_store = |args: &[&str]| {
        let mut command = place.command(&[&["serve", "--listen", "nowhere"], args].concat());
        crate::program::ran(command.env("CTKIP_STORE", STORE)).ended(2)
    };
    // What the environment says is for whoever asks for no test.
    with_store(&["--code", "1"]).told("cannot listen on nowhere");
    with_store(&["--sessions", "sealed"]).told("no activation code was given");
    with_store(&[]).told("cannot listen on nowhere");
}

#[test]
fn codes_do_not_travel_in_clear() {
    let open = ["--store", "memory", "--listen", "0.0.0.0:0"];
    refused(&open, "without TLS codes travel in clear").told("--behind-proxy");
    let place = Place::new();
    let args = ["--behind-proxy", "--listen", "0.0.0.0:0"];
    assert!(Node::in_memory(&place, &args).url.starts_with("http://0.0.0.0:"));
    super::serving::certificates(&place);
    let tls = ["--tls-cert", "leaf.pem", "--tls-key", "leaf.key", "--listen", "0.0.0.0:0"];
    assert!(Node::in_memory(&place, &tls).url.starts_with("https://0.0.0.0:"));
}

#[test]
fn how_it_is_is_told_on_another_port() {
    let place = Place::new();
    let args = ["--admin-listen", "127.0.0.1:0", "--user", "alice"];
    let server = Node::in_memory(&place, &args);
    place.run(&["provision", &server.url, &server.code(0), "-o", "a.sdtid"]).ended(0);
    place.run(&["provision", &server.url, "0000", "-o", "b.sdtid"]).ended(1);
    assert_eq!(server.admin("/healthz"), (200, "alive\n".into()));
    assert_eq!(server.admin("/readyz"), (200, "ready\n".into()));
    let (status, metrics) = server.admin("/metrics");
    assert_eq!(status, 200);
    for line in
        ["ctkip_requests_total{outcome=\"committed\"} 1", "ctkip_refusals_total{cause=\"wrong\"} 1"]
    {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.get(path).0, 404, "{path}");
    }
    assert_eq!(server.admin("/ctkip/services/CtkipService").0, 404);
    let exposed = ["--store", "memory", "--admin-listen", "0.0.0.0:0"];
    refused(&exposed, "--admin-exposed");
}

#[test]
fn codes_that_can_be_guessed_are_warned_of() {
    let place = Place::new();
    let server = Node::in_memory(&place, &["--user", "alice", "--guesses-total", "1000000"]);
    server.tells("warning: codes can be guessed: 1 are open and 24000000 wrong ones a day");
    server.tells("--code-length 16");
    let server = Node::in_memory(&place, &["--user", "alice"]);
    place.run(&["provision", &server.url, &server.code(0), "-o", "a.sdtid"]).ended(0);
    assert!(!server.stderr().contains("guessed"), "{}", server.stderr());
}

/// One JSON object a line, the audit log's among them, and no secret in any.
#[test]
fn logs_hold_no_secrets() {
    let place = Place::new();
    let args = ["--log", "json", "--verbose", "--user", "alice"];
    let server = Node::in_memory(&place, &args);
    let code = server.code(0);
    place.run(&["provision", &server.url, &code, "-o", "a.sdtid"]).ended(0);
    place.run(&["provision", &server.url, &code, "-o", "b.sdtid"]).ended(1);
    place.run(&["provision", &server.url, "271828182845", "-o", "b.sdtid"]).ended(1);
    server.tells("\"cause\":\"wrong\"");
    let stderr = server.stderr();
    let lines: Vec<Value> = stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let audit = |event: &str, detail: (&str, &str)| {
        lines.iter().any(|line| {
            line["target"] == "audit" && line["event"] == event && line[detail.0] == detail.1
        })
    };
    let serial = server.announced["codes"][0]["serial"].as_str().expect("a serial number");
    assert!(audit("issued", ("serial", serial)), "{stderr}");
    assert!(audit("issued", ("source", "127.0.0.1")), "{stderr}");
    assert!(audit("refused", ("cause", "used")), "{stderr}");
    let seed = shown(&place, "a.sdtid")["seed"].as_str().expect("a seed").to_owned();
    for secret in [&code, "271828182845", &seed] {
        assert!(!stderr.to_lowercase().contains(secret), "{secret} in {stderr}");
    }
}

#[test]
fn a_store_that_cannot_be_used_is_told() {
    let place = Place::new();
    drop(node::registry(&place));
    let ran =
        |args: &[&str]| place.run(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()).ended(2);
    place.write("other.key", [7; 32]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(place.path("other.key"), private).unwrap();
    }
    ran(&["--store", STORE, "--master-key-file", "other.key"]).told("not the master key");
    ran(&["--store", STORE, "--master-key-file", "absent.key"]).told("absent.key cannot be read");
    ran(&["--store", "sqlite:no/such/folder/store.db"]).told("cannot be made");
    ran(&["--store", "postgres://localhost/a"]).told("needs a master key");
}
