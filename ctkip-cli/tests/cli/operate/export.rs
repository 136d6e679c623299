//! Tokens for another server.

use ctkip_server::Dialect;
use serde_json::Value;

use super::{enrol, is_private, run, site, text};
use crate::program::Place;

/// A store with a token, whose seed is this.
fn with_token(place: &Place) -> (String, String) {
    let enrolled = enrol(place, &["--device", "D-1"]);
    let server = site::serve(place, Dialect::Securid);
    place.run(&["provision", &server.url, text(&enrolled, "code"), "-o", "t"]).ended(0);
    let shown = place.run(&["show", "t", "--seed", "--json"]).ended(0).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    (text(&enrolled, "serial").to_owned(), text(&shown, "seed").to_owned())
}

#[test]
fn json_has_the_seeds() {
    let place = Place::new();
    let (serial, seed) = with_token(&place);
    let export = ["tokens", "export", "--to", "json"];
    let ran = run(&place, &export).ended(0);
    let tokens: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((text(&tokens[0], "serial"), text(&tokens[0], "seed")), (&*serial, &*seed));
    assert_eq!((text(&tokens[0], "device"), tokens.as_array().unwrap().len()), ("D-1", 1));
    let ran = run(&place, &[&export[..], &["--out", "e.json"]].concat()).ended(0);
    assert!(ran.stdout.is_empty() && !ran.stderr.contains(&seed), "{ran:?}");
    is_private(&place.path("e.json"));
    let again = [&export[..], &["--out", "e.json"]].concat();
    run(&place, &again).ended(2).told("e.json exists already");
    let audit = run(&place, &["audit", "--last", "1"]).ended(0).stdout;
    assert!(audit.contains("1 tokens, json"), "{audit}");

    run(&place, &["revoke", &serial]).ended(0);
    assert_eq!(run(&place, &export).ended(0).stdout, "[]\n");
}

#[test]
fn pskc_is_encrypted() {
    let place = Place::new();
    let (serial, seed) = with_token(&place);
    place.write("password", "correct horse\n");
    place.write("key", "000102030405060708090a0b0c0d0e0f\n");
    place.write("raw", (0..32).collect::<Vec<u8>>());
    place.write("short", "0001");
    let export =
        |args: &[&str]| run(&place, &[&["tokens", "export", "--to", "pskc"], args].concat());
    for (args, has) in [
        (&["--password-file", "password"][..], "pbkdf2"),
        (&["--key-file", "key", "--key-name", "ours"], "<ds:KeyName>ours</ds:KeyName>"),
        (&["--key-file", "raw", "--key-name", "ours"], "aes256-cbc"),
    ] {
        let ran = export(args).ended(0);
        for text in [has, "<pskc:Manufacturer>ctkip</pskc:Manufacturer>", &*serial, "CN=alice"] {
            assert!(ran.stdout.contains(text), "no {text} in {}", ran.stdout);
        }
        assert!(!ran.stdout.contains(&seed) && ran.stderr.is_empty(), "{ran:?}");
    }
    export(&["--key-file", "short", "--key-name", "ours"])
        .ended(2)
        .told("no key of 16 or 32 octets");
    export(&["--key-file", "key"]).ended(2).told("--key-name");
    export(&[]).ended(2).told("a new password is wanted");
    run(&place, &["revoke", &serial]).ended(0);
    export(&["--password-file", "password"]).ended(2).told("there is no token to export");
}

/// The rest is exported, and nobody overlooks it.
#[test]
fn a_token_that_was_tampered_with_is_left_out() {
    let place = Place::new();
    let (serial, _) = with_token(&place);
    let url = format!("sqlite://{}", place.path("a.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let update = "UPDATE token SET seed = zeroblob(length(seed))";
        assert_eq!(sqlx::query(update).execute(&pool).await.unwrap().rows_affected(), 1);
        pool.close().await;
    });
    let ran = run(&place, &["tokens", "export", "--to", "json"]).ended(4);
    assert_eq!(ran.stdout, "[]\n");
    ran.told(&format!("warning: {serial} is left out"));
    run(&place, &["tokens", "verify", &serial, "12345678"]).ended(4).told("another hand");
    run(&place, &["enrolments"]).ended(0);
}
