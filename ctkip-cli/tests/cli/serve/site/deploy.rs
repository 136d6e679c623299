//! The examples of how to deploy a server, as far as they are this program's to understand.

use std::path::{Path, PathBuf};

use super::node::{self, Node};
use crate::program::Place;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(example(name)).unwrap()
}

/// The unit's own command line, with the sample of a configuration; but for where things are, which is
/// said after it.
#[test]
fn the_unit_serves_as_configured() {
    let place = Place::new();
    drop(node::registry(&place));
    let unit = read("ctkip.service");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let (config, key) = (example("ctkip.toml"), place.path("store.db.key"));
    let args: Vec<String> = command
        .split(' ')
        .skip(1)
        .map(|word| match word {
            "/etc/ctkip/ctkip.toml" => config.to_str().unwrap().to_owned(),
            "%d/master.key" => key.to_str().unwrap().to_owned(),
            word => word.to_owned(),
        })
        .collect();
    assert!(args.contains(&config.to_str().unwrap().to_owned()), "{args:?}");
    assert!(args.contains(&key.to_str().unwrap().to_owned()), "{args:?}");
    let here = ["--json", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let here = here.into_iter().chain(["--store", node::STORE]).map(str::to_owned);
    let args = Vec::from_iter(args.into_iter().chain(here));
    let server = Node::run(&mut place.command(&args));
    assert_eq!(server.admin("/readyz").0, 200);
}

/// As it stands, up to the ports, which may be in use here.
#[test]
fn the_container_serves_in_its_folder() {
    let file = read("Containerfile");
    let command = file.lines().find_map(|line| line.strip_prefix("CMD ")).unwrap();
    let args: Vec<String> = serde_json::from_str(command).unwrap();
    let ports = |arg: &String| match arg.split_once('=') {
        Some((name, address)) if address.starts_with("0.0.0.0:") => format!("{name}=0.0.0.0:0"),
        // It is built with OpenSSL.
        Some(("--rsa", _)) => "--rsa=rustcrypto".to_owned(),
        _ => arg.clone(),
    };
    let mut args = Vec::from_iter(args.iter().map(ports));
    assert_eq!(args.iter().filter(|arg| arg.ends_with("=0.0.0.0:0")).count(), 2, "{args:?}");
    args.push("--json".into());
    args.push("--key-bits=1024".into());
    let place = Place::new();
    let server = Node::run(place.command(&args).env("CTKIP_STORE", node::STORE));
    assert_eq!(place.names(), ["store.db", "store.db-shm", "store.db-wal", "store.db.key"]);
    drop(server);
}
