//! Options in a file.

use super::node::Node;
use crate::program::{Place, Ran};

/// What is said of a file that holds this.
#[track_caller]
fn refused(content: &str, told: &str) -> Ran {
    let place = Place::new();
    place.write("ctkip.toml", content);
    let ran = place.run(&["serve", "--config", "ctkip.toml"]).ended(2).told(told);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    ran
}

#[test]
fn a_file_has_options_and_the_command_line_wins() {
    let place = Place::new();
    let config = r#"
        listen = "127.0.0.1:0"
        store = "memory"
        key-bits = 1024
        json = true
        user = ["alice", "bob"]
        behind-proxy = false
        trusted-proxy = "10.0.0.0/8"
        admin-listen = "127.0.0.1:0"
        workers = 2
    "#;
    place.write("ctkip.toml", config);
    let server = Node::run(&mut place.command(&["serve", "--config", "ctkip.toml"]));
    assert_eq!(server.announced["codes"].as_array().map(Vec::len), Some(2));
    assert_eq!(server.admin("/healthz").0, 200);
    place.run(&["provision", &server.url, &server.code(1), "-o", "a.sdtid"]).ended(0);

    let args = ["serve", "--user", "carol", "--config=ctkip.toml", "--workers", "4"];
    let server = Node::run(&mut place.command(&args));
    assert_eq!(server.announced["codes"].as_array().map(Vec::len), Some(1));
    assert_eq!(server.announced["codes"][0]["user"], "carol");
    // Said twice is said.
    place.write("ctkip.toml", format!("{config}\nverbose = true\n"));
    for args in [["serve", "-v", "--config=ctkip.toml"], ["-v", "serve", "--config=ctkip.toml"]] {
        assert_eq!(Node::run(&mut place.command(&args)).admin("/healthz").0, 200);
    }
    let args = ["serve", "--config", "ctkip.toml", "--store", "mysql:", "--json"];
    place.run(&args).ended(2).told("this is no store that there is");
}

/// The server for testing has them too.
#[test]
fn a_test_can_be_described() {
    let place = Place::new();
    let config = "code = \"1\"\nlisten = \"nowhere\"\nexpires = 2035-12-31\nadd-pin = false\n";
    place.write("ctkip.toml", config);
    place.run(&["serve", "--config", "ctkip.toml"]).ended(2).told("cannot listen on nowhere");
    let mixed = ["serve", "--config", "ctkip.toml", "--store", "memory"];
    place.run(&mixed).ended(2).told("--code is for the server for testing").told("ctkip.toml");
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    refused("stoer = \"memory\"", "there is no option \"stoer\"");
    refused("config = \"other.toml\"", "there is no option \"config\"");
    refused("[store]\nurl = \"memory\"", "store: a text or a number is wanted");
    refused("once = 1", "once: true or false is wanted");
    refused("listen = true", "listen: a text or a number is wanted");
    refused("listen = [\"127.0.0.1:0\"]", "listen: a text or a number is wanted");
    refused("user = [\"a\", [\"b\"]]", "user: a list of texts or numbers is wanted");
    refused("workers = \"many\"", "'--workers <NUMBER>'").told("options come from ctkip.toml too");
    refused("store = \"memory\"\nworkers", "ctkip.toml: line 2 is no TOML");
    let place = Place::new();
    place.run(&["serve", "--config", "absent.toml"]).ended(2).told("cannot read absent.toml");
    place.run(&["serve", "--config"]).ended(2).told("a value is required for '--config <FILE>'");
}

#[cfg(unix)]
#[test]
fn a_password_is_kept_from_others() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    for store in
        ["postgres://ctkip:hidden@127.0.0.1:1/a", "postgres://127.0.0.1:1/a?password=hidden"]
    {
        place.write("ctkip.toml", format!("listen = \"127.0.0.1:0\"\nstore = {store:?}\n"));
        let run = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(place.path("ctkip.toml"), mode).unwrap();
            let ran = place.run(&["serve", "--config", "ctkip.toml"]).ended(2);
            assert!(!ran.stderr.contains("hidden"), "{}", ran.stderr);
            ran
        };
        run(0o644).told("store: there is a password in it, and others can read the file");
        run(0o600).told("needs a master key");
    }
}
