//! Secrets stay secret: a copy of a database without its master key holds none, in any usual spelling,
//! nor does anything that is formatted or logged.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine};
use getrandom::SysRng;
use memchr::memmem;
use std::fmt::{self, Write};
use std::process::Command;
use std::sync::{Mutex, Once};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::registry::keys_hex as hex;
use crate::store::{AuditEntry, StoreUrl};
use crate::testing::{House, NOW, Node, Place, Run, at_once};
use crate::{Dialect, NewCode, RegistryError};

/// A secret and what it is.
type Secret = (&'static str, Vec<u8>);

/// Everything a secret could be spelled as.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let (lower, upper) = (hex(secret), hex(secret).to_uppercase());
    let list = format!("{secret:?}");
    let list = list.trim_matches(['[', ']']).as_bytes().to_vec();
    let mut all = vec![secret.to_vec(), lower.into(), upper.into(), list];
    // In a longer text base64 looks different at each of three alignments; the characters that depend
    // on the neighbours are left out.
    for shift in 0..3 {
        for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
            let octets = [vec![0; shift], secret.to_vec()].concat();
            let whole = octets.len() * 8 / 6;
            all.push(engine.encode(&octets).as_bytes()[(shift * 8).div_ceil(6)..whole].to_vec());
        }
    }
    all
}

/// The secrets that octets hold.
fn leaks(octets: &[u8], secrets: &[Secret]) -> Vec<&'static str> {
    let held = |secret: &&Secret| {
        spellings(&secret.1).iter().any(|spelling| memmem::find(octets, spelling).is_some())
    };
    secrets.iter().filter(held).map(|(name, _)| *name).collect()
}

/// All that is written of a database.
fn written(place: &Place) -> Vec<u8> {
    match &place.url {
        StoreUrl::Sqlite(_) => {
            let folder = place.folder.as_ref().unwrap().path();
            let files = std::fs::read_dir(folder).unwrap();
            let files: Vec<_> =
                files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
            assert!(files.len() >= 3, "the database, its log, and the log's index");
            files.concat()
        }
        StoreUrl::Postgres(url) => {
            let dump = Command::new("pg_dump").arg(url).output().expect("pg_dump is there");
            assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
            dump.stdout
        }
        StoreUrl::Memory => Vec::new(),
    }
}

/// The secrets of the register itself.
fn kept(house: &House, node: &Node) -> Vec<Secret> {
    let master = house.master();
    let mut secrets: Vec<Secret> = vec![("the master key", master.octets().to_vec())];
    for (name, purpose) in
        [("the session key", "session"), ("the code key", "code"), ("the sealing key", "seal")]
    {
        secrets.push((name, master.subkey::<32>(purpose).to_vec()));
    }
    for key in node.registry.store().keys().unwrap() {
        let opened = node.registry.open_key(&key).unwrap();
        let primes = opened.with(|p, q, _| Ok::<_, ()>([p.to_vec(), q.to_vec()]));
        secrets.extend(primes.unwrap().unwrap().map(|prime| ("a prime", prime)));
    }
    secrets
}

/// Provisions many, some of which fail; returns their secrets, and all that can be formatted.
fn load(node: &Node, formatted: &mut String) -> Vec<Secret> {
    let done = at_once(6, |number| {
        let (mut secrets, mut text) = (Vec::new(), String::new());
        for round in 0..5 {
            let shown = node.enrol(Dialect::ALL[(number + round) % 2]);
            let serial = shown.enrolled.enrolment.serial.clone();
            let code = shown.code.expose().to_vec();
            write!(text, "{shown:?}{:?}", shown.trigger(None).is_some()).unwrap();
            secrets.push(("a code", code));
            let token = node.provision(&shown);
            write!(text, "{token:?}{:?}", node.registry.standing(&serial)).unwrap();
            secrets.push(("a seed", token.key().expose().to_vec()));
            // Refused: used, and wrong.
            let refused = Run::of(&shown).post(node);
            write!(text, "{refused:?}").unwrap();
            match round {
                0 => {
                    let again =
                        node.registry.reissue(&serial, NewCode::default(), NOW, &mut SysRng);
                    let again = again.unwrap();
                    write!(text, "{again:?}").unwrap();
                    secrets.push(("a code", again.code.expose().to_vec()));
                }
                1 => node.registry.revoke(&serial, NOW).unwrap(),
                2 => {
                    let wrong = node.registry.verify(&serial, "1", None, 1, NOW);
                    write!(text, "{wrong:?}").unwrap();
                }
                _ => {}
            }
        }
        (secrets, text)
    });
    done.into_iter()
        .flat_map(|(secrets, text)| {
            formatted.push_str(&text);
            secrets
        })
        .collect()
}

#[test]
fn a_copy_of_the_database_holds_no_secret() {
    for place in Place::durable() {
        let house = House::new(place);
        let node = house.node();
        let mut secrets = load(&node, &mut String::new());
        secrets.extend(kept(&house, &node));
        let copy = written(&house.place);
        assert!(memmem::find(&copy, b"example.com").is_some(), "it is the database");
        assert_eq!(leaks(&copy, &secrets), Vec::<&str>::new());

        // The control: whatever is put there on purpose is found.
        let secret: Secret = ("a seed", secrets[1].1.clone());
        let spelled = [
            "raw".to_owned(),
            format!("UPDATE audit SET detail = '{}'", hex(&secret.1)),
            format!("UPDATE audit SET detail = '{}'", hex(&secret.1).to_uppercase()),
            format!("UPDATE audit SET detail = '{}'", BASE64_STANDARD.encode(&secret.1)),
            format!(
                "UPDATE audit SET detail = '{}'",
                BASE64_STANDARD.encode([b"x", &*secret.1].concat())
            ),
            format!(
                "UPDATE audit SET detail = '{}'",
                BASE64_URL_SAFE.encode([b"xy", &*secret.1].concat())
            ),
        ];
        for (number, statement) in spelled.iter().enumerate() {
            let scratch = match &house.place.url {
                StoreUrl::Sqlite(_) => Place::sqlite(),
                _ => Place::postgres().unwrap(),
            };
            let store = scratch.open();
            let (at, empty) = (NOW, String::new());
            let (event, serial, source) = (empty.clone(), empty.clone(), empty.clone());
            store.audit(&[AuditEntry { at, event, serial, source, detail: empty }]).unwrap();
            match number {
                0 => drop(store.setting("seed", &secret.1).unwrap()),
                _ => assert_eq!(scratch.tamper(statement), 1),
            }
            let found = leaks(&written(&scratch), std::slice::from_ref(&secret));
            assert_eq!(found, ["a seed"], "{statement}");
        }
    }
}

/// What was logged since [`log`] was called first, by whomever.
static LOGGED: Mutex<String> = Mutex::new(String::new());

struct Log;

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        writeln!(LOGGED.lock().unwrap(), "  {field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Self);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Self);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        writeln!(LOGGED.lock().unwrap(), "{} {}", metadata.level(), metadata.target()).unwrap();
        event.record(&mut Self);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
}

#[test]
fn nothing_that_is_formatted_or_logged_holds_a_secret() {
    log();
    for place in Place::all() {
        let house = House::new(place);
        let node = house.node();
        let mut text = String::new();
        let mut secrets = load(&node, &mut text);
        let store = node.registry.store();
        write!(text, "{:?}{:?}", house.master(), node.registry).unwrap();
        write!(text, "{:?}{:?}", node.registry.sealer(), node.registry.sealing_key()).unwrap();
        write!(text, "{:?}", store.audit_log(999)).unwrap();
        for key in store.keys().unwrap() {
            write!(text, "{key:?}{:?}", node.registry.open_key(&key)).unwrap();
        }
        write!(text, "{:?}{:?}", node.registry.keys(NOW), node.registry.export("a test", NOW))
            .unwrap();
        if house.place.url == StoreUrl::Memory {
            write!(text, "{:?}", house.place.memory_store()).unwrap();
        } else {
            write!(text, "{:?}", house.place.sql()).unwrap();
            // What is odd is told, and not shown.
            house.place.tamper("UPDATE enrolment SET digits = -1");
            house.place.tamper("UPDATE token SET digest = seed");
            let tag = house.place.literal(&[0; 14]);
            let shown = node.enrol(Dialect::Securid);
            house.place.tamper(&format!("UPDATE code SET length = -1 WHERE tag <> {tag}"));
            write!(text, "{:?}", Run::of(&shown).post(&node)).unwrap();
            secrets.push(("a code", shown.code.expose().to_vec()));
            house.place.tamper("DROP TABLE token");
            write!(text, "{:?}", Run::of(&shown).post(&node)).unwrap();
        }
        write!(text, "{:?}", RegistryError::WrongMasterKey).unwrap();
        secrets.extend(kept(&house, &node));
        assert_eq!(leaks(text.as_bytes(), &secrets), Vec::<&str>::new());

        let logged = LOGGED.lock().unwrap().clone();
        assert!(logged.contains("INFO audit"), "it was listened");
        assert_eq!(leaks(logged.as_bytes(), &secrets), Vec::<&str>::new());
        // The control.
        tracing::trace!(seed = ?secrets[1].1);
        let logged = LOGGED.lock().unwrap().clone();
        assert_eq!(leaks(logged.as_bytes(), &secrets), ["a seed"]);
        LOGGED.lock().unwrap().clear();
    }
}
