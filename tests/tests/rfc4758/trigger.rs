//! Triggers: made, carried over, spent.

use crate::hello;
use ctkip_core::message::{ClientHello, InitializationTrigger, Message, Status, Trigger, Version};
use ctkip_core::service::MemoryTriggers;
use ctkip_core::wire::{WireResponse, plain};
use ctkip_core::{Client, ClientError, Grant, Profile, Timestamp, xml};
use ctkip_tests::pair::{
    KEY_ID, LIFETIME, NOW, Office, TOKEN_ID, client_config, k_auth, octets, post_at, run, send,
    site, status, trigger,
};
use getrandom::SysRng;
use std::collections::HashSet;

/// Both, one and none of the identifiers; each octet for octet.
#[test]
fn a_client_carries_over_what_the_trigger_gives() {
    for (token, key) in
        [(None, None), (Some(TOKEN_ID), None), (None, Some(KEY_ID)), (Some(TOKEN_ID), Some(KEY_ID))]
    {
        let site = site(Office::default());
        let given = trigger(&site, token, key);
        let mut config = client_config();
        if key.is_some() {
            config = config.replacing(KEY_ID.to_vec(), k_auth());
        }
        let hello = hello(config.trigger(given.clone()));
        assert_eq!(hello.token_id.as_deref(), token);
        assert_eq!(hello.key_id.as_deref(), key);
        assert_eq!(hello.trigger_nonce, Some(given.trigger_nonce));
        assert_eq!(hello.client_nonce.is_some(), key.is_some());
        assert_eq!(status(&send(&site, Message::ClientHello(hello)).response), Status::Continue);
    }
}

/// What the user told the client does not stand against what the trigger says.
#[test]
fn the_identifiers_of_the_trigger_come_first() {
    let site = site(Office::default());
    let given = trigger(&site, Some(TOKEN_ID), None);
    let hello = hello(client_config().token_id(b"my own".to_vec()).trigger(given));
    assert_eq!(hello.token_id.as_deref(), Some(TOKEN_ID));
}

/// A key whose K_AUTH this client lacks, or that it was not told to replace, is not replaced, and
/// nothing is sent.
#[test]
fn a_trigger_for_a_key_that_may_not_be_replaced_is_refused_at_the_start() {
    let site = site(Office::default());
    let given = || trigger(&site, None, Some(KEY_ID));
    for config in [
        client_config(),
        client_config().auth_key(k_auth()),
        client_config().replacing(b"another".to_vec(), k_auth()),
    ] {
        let error = Client::new(config.trigger(given())).start(&mut SysRng).unwrap_err();
        assert_eq!(error, ClientError::UnknownKey);
    }
}

#[test]
fn a_trigger_nonce_starts_one_run() {
    let site = site(Office::default());
    let hello = hello(client_config().trigger(trigger(&site, None, None)));
    let send = || status(&send(&site, Message::ClientHello(hello.clone())).response);
    assert_eq!(send(), Status::Continue);
    assert_eq!(send(), Status::AccessDenied);
}

/// A trigger that nobody gave out, that has expired, or that stands beside other identifiers than
/// its own: no R_S is handed out.
#[test]
fn a_bad_trigger_nonce_is_denied() {
    type Change = fn(&mut ClientHello);
    let changes: [(&str, Change); 7] = [
        ("another nonce", |hello| hello.trigger_nonce = Some(vec![7; 16])),
        ("a longer nonce", |hello| hello.trigger_nonce.as_mut().expect("a nonce").push(0)),
        ("no token", |hello| hello.token_id = None),
        ("another token", |hello| hello.token_id = Some(b"Token".to_vec())),
        ("no key", |hello| hello.key_id = None),
        ("another key", |hello| hello.key_id = Some(b"another".to_vec())),
        ("no nonce beside a token", |hello| {
            hello.trigger_nonce = None;
            hello.key_id = None;
        }),
    ];
    for (name, change) in changes {
        let site = site(Office { always_authenticates: true, ..Office::default() });
        let given = trigger(&site, Some(TOKEN_ID), Some(KEY_ID));
        let config = client_config().replacing(KEY_ID.to_vec(), k_auth()).trigger(given);
        let mut hello = hello(config);
        change(&mut hello);
        let answer = send(&site, Message::ClientHello(hello));
        assert_eq!(status(&answer.response), Status::AccessDenied, "{name}");
        assert!(site.sessions().is_empty());
    }
    let site = site(Office::default());
    let hello =
        octets(&Message::ClientHello(hello(client_config().trigger(trigger(&site, None, None)))));
    let late = post_at(&site, &hello, Timestamp(NOW.0 + LIFETIME));
    assert_eq!(status(&late.response), Status::AccessDenied);
}

/// A trigger that names nothing vouches for nothing that the client names by itself.
#[test]
fn a_trigger_without_identifiers_vouches_for_none() {
    let site = site(Office::default());
    let config = client_config().token_id(TOKEN_ID.to_vec()).trigger(trigger(&site, None, None));
    let answer = send(&site, Message::ClientHello(hello(config)));
    assert_eq!(status(&answer.response), Status::AccessDenied);
}

/// A request that is refused for what it is does not spend the trigger beside it.
#[test]
fn a_version_that_is_refused_spends_no_trigger() {
    let site = site(Office::default());
    let mut hello = hello(client_config().trigger(trigger(&site, None, None)));
    hello.version = Version::new("0.9");
    let answer = send(&site, Message::ClientHello(hello.clone()));
    assert_eq!(status(&answer.response), Status::UnsupportedVersion);
    hello.version = Version::new("1.0");
    assert_eq!(status(&send(&site, Message::ClientHello(hello)).response), Status::Continue);
}

#[test]
fn trigger_nonces_are_random_and_bounded_in_number() {
    let triggers = MemoryTriggers::new(1_000, LIFETIME);
    let issue = |now| {
        let wanted = InitializationTrigger::default();
        triggers.issue(wanted, Grant::default(), now, &mut SysRng)
    };
    let mut seen = HashSet::new();
    for _ in 0..1_000 {
        let trigger = issue(NOW).expect("room").initialization.expect("a trigger");
        assert_eq!(trigger.trigger_nonce.len(), 16);
        assert!(seen.insert(trigger.trigger_nonce), "twice");
    }
    assert!(issue(NOW).is_err(), "no room");
    assert!(issue(Timestamp(NOW.0 + LIFETIME)).is_ok(), "the others have expired");
}

/// The deed of a man in the middle who takes R_S of one trigger for another is seen.
#[test]
fn a_run_with_a_trigger_ends_with_the_key_of_its_user() {
    let site = site(Office::default());
    let token = run(client_config().trigger(trigger(&site, Some(TOKEN_ID), None)), &site);
    let [committed] = &site.issuer().committed()[..] else { panic!("one token") };
    assert!(token.expect("a good run").key().matches(&committed.key));
    assert_eq!(committed.grant.as_octets(), b"user of the trigger");
    assert_eq!(committed.token_id.as_deref(), Some(TOKEN_ID));
}

fn read(text: &str) -> Result<Message, ctkip_core::MessageError> {
    xml::read(text.as_bytes(), &Profile::RFC4758).map(|read| read.message)
}

fn trigger_text(url: &str) -> String {
    let nonce = "AAAAAAAAAAAAAAAAAAAAAA==";
    let ns = crate::NS;
    format!(
        "<k:CT-KIPTrigger xmlns:k='{ns}' Version='1.0'><InitializationTrigger><TriggerNonce>{nonce}\
         </TriggerNonce><CT-KIPURL>{url}</CT-KIPURL></InitializationTrigger></k:CT-KIPTrigger>"
    )
}

/// A URL in a trigger is its maker's: https, to a host that is what it looks like, unless told
/// otherwise.
#[test]
fn a_trigger_sends_nobody_anywhere_but_to_https() {
    for bad in [
        "http://server.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "/ctkip",
        "server.example",
        "",
        "https://",
        "https://bank.example@evil.example/",
    ] {
        assert!(read(&trigger_text(bad)).is_err(), "{bad}");
    }
    assert!(read(&trigger_text("https://server.example/ctkip?a=b")).is_ok());
    let mut profile = Profile::RFC4758;
    profile.reading.url_schemes = &["https", "http"];
    let http = trigger_text("http://localhost:8080/");
    assert!(xml::read(http.as_bytes(), &profile).is_ok());
}

/// A trigger as the answer to an HTTP request, with data, without, and with what is no trigger.
#[test]
fn a_trigger_travels_in_an_http_response() {
    let site = site(Office::default());
    let given = trigger(&site, Some(TOKEN_ID), None);
    let whole = Trigger { version: Some(Version::V1_0), initialization: Some(given.clone()) };
    let response = plain::trigger_response(Some(&whole), &Profile::RFC4758);
    assert_eq!(response.status, 200);
    let content_type = ctkip_core::wire::header(&response.headers, "content-type");
    assert_eq!(content_type, Some(plain::MEDIA_TYPE.as_bytes()));
    let read = |response: &WireResponse| plain::read_trigger(response, &Profile::RFC4758);
    assert_eq!(read(&response).expect("a trigger"), Some(given));
    // An empty body starts a run without trigger data (R268, E47).
    let empty = plain::trigger_response(None, &Profile::RFC4758);
    assert_eq!(read(&empty).expect("a trigger"), None);

    let with = |status, content_type: Option<&str>, body: &[u8]| WireResponse {
        status,
        headers: content_type
            .map(|value| ("Content-Type".into(), value.into()))
            .into_iter()
            .collect(),
        body: body.to_vec(),
    };
    let hello = octets(&Message::ClientHello(hello(client_config())));
    let foreign = format!(
        "<k:CT-KIPTrigger xmlns:k='{}' Version='1.0'><x xmlns='urn:x'/></k:CT-KIPTrigger>",
        crate::NS
    );
    for (name, response) in [
        ("an error", with(404, Some(plain::MEDIA_TYPE), b"")),
        ("a page", with(200, Some("text/html"), b"<html/>")),
        ("a page without type", with(200, None, b"<html/>")),
        ("nothing without type", with(200, None, b"")),
        ("another message", with(200, Some(plain::MEDIA_TYPE), &hello)),
        ("a foreign trigger", with(200, Some(plain::MEDIA_TYPE), foreign.as_bytes())),
    ] {
        assert!(read(&response).is_err(), "{name}");
    }
}
