//! Peers that mean harm: what they send is refused, in bounded memory, and leaves nothing behind.

use crate::sessions::second_request;
use crate::{NS, confirmation_error, offer_error, post_hello};
use ctkip_core::crypto::UnusableKey;
use ctkip_core::message::{
    ClientNonce, EncryptionKey, Message, ServerFinished, ServerHello, Status,
};
use ctkip_core::wire::{Binding, WireResponse};
use ctkip_core::{
    Client, ClientError, Credentials, Exchange, KeyType, Prf, Profile, Progress, Server,
    ServerConfig, SessionId, Timestamp,
};
use ctkip_tests::pair::{
    Key, LIFETIME, NOW, Office, client_config, octets, post, post_at, send, site, status,
};
use getrandom::SysRng;

/// What a client makes of a first answer whose text was changed.
fn changed(change: impl Fn(String) -> String) -> ClientError {
    let site = site(Office::default());
    let client = Client::new(client_config());
    let begun = Exchange::begin(client, Binding::Plain, &mut SysRng);
    let (exchange, request) = begun.expect("it can start");
    let answer = post(&site, &request.body).response;
    let text = String::from_utf8(answer.body.clone()).expect("UTF-8");
    let body = change(text).into_bytes();
    let answer = WireResponse { status: 200, headers: vec![], body };
    match exchange.receive(&answer, &mut SysRng) {
        Err(error) => error,
        Ok(progress) => panic!("{progress:?}"),
    }
}

#[test]
fn a_server_refuses_a_wrong_session_id() {
    let site = site(Office::default());
    let (nonce, _) = second_request(&site);
    for id in ["x".to_owned(), format!("{}x", nonce.session_id), "../../etc".to_owned()] {
        let wrong = ClientNonce { session_id: SessionId::new(id), ..nonce.clone() };
        let answer = send(&site, Message::ClientNonce(wrong));
        assert_eq!(status(&answer.response), Status::Abort);
    }
}

#[test]
fn a_client_refuses_a_wrong_session_id() {
    let error =
        confirmation_error(client_config(), |c| c.session_id = Some(SessionId::new("x".into())));
    assert_eq!(error, ClientError::SessionMismatch);
}

#[test]
fn a_client_refuses_an_algorithm_that_it_did_not_offer() {
    let uri = |prf: Prf| prf.uri(ctkip_core::Namespace::Rfc4758);
    let sha = uri(Prf::Sha256);
    let aes_only = || client_config().mac_algorithms(&[Prf::Aes]);
    let error = offer_error(aes_only(), |offer| offer.mac_algorithm = Some(sha.clone()));
    assert_eq!(error, ClientError::Algorithm(sha.clone()));
    let error = offer_error(aes_only(), |offer| offer.encryption_algorithm = Some(sha.clone()));
    assert_eq!(error, ClientError::Algorithm(sha));
    let other = KeyType::Prf(Prf::Aes).uri();
    let error = offer_error(aes_only(), |offer| offer.key_type = Some(other.clone()));
    assert_eq!(error, ClientError::Algorithm(other));
    let odd = format!("{} ", KeyType::SecurIdAes.uri().to_uppercase());
    let error = offer_error(aes_only(), |offer| offer.key_type = Some(odd.clone()));
    assert_eq!(error, ClientError::Algorithm(odd));
}

/// A nonce of 15 octets, of none, of far too many, and none at all.
#[test]
fn a_client_refuses_short_and_absent_nonces() {
    let nonce = |value: &'static str| {
        move |text: String| {
            let (before, rest) = text.split_once("<Nonce>").expect("a nonce");
            let (_, after) = rest.split_once("</Nonce>").expect("its end");
            format!("{before}{value}{after}")
        }
    };
    for (value, kind) in [
        ("<Nonce>AAAAAAAAAAAAAAAAAAAA</Nonce>", "nonce-length"),
        ("<Nonce></Nonce>", "nonce-length"),
        ("<Nonce/>", "nonce-length"),
        ("", "missing-field"),
    ] {
        assert_eq!(changed(nonce(value)).kind().as_str(), kind, "{value}");
    }
    let long: &'static str = format!("<Nonce>{}</Nonce>", "AAAA".repeat(10_000)).leak();
    assert_eq!(changed(nonce(long)).kind().as_str(), "nonce-length");
}

#[test]
fn a_server_refuses_short_nonces() {
    let site = site(Office::default());
    for name in ["ClientNonce", "TriggerNonce"] {
        for value in ["AAAAAAAAAAAAAAAAAAAA", "", &"AAAA".repeat(10_000)] {
            let child = format!("<{name}>{value}</{name}>");
            let answer = post_hello(&site, "Version='1.0'", &child);
            assert_eq!(status(&answer.response), Status::MalformedRequest, "{name}");
        }
    }
}

/// Keys that are none.
#[test]
fn a_client_refuses_keys_that_are_none() {
    let own = Key.get().public();
    let key = |modulus: Vec<u8>, exponent: Vec<u8>| {
        offer_error(client_config(), |offer| {
            offer.encryption_key =
                EncryptionKey::Rsa { modulus: modulus.clone(), exponent: exponent.clone() };
        })
    };
    let mut even = own.modulus().to_vec();
    *even.last_mut().expect("octets") &= 0xFE;
    assert_eq!(key(even, vec![1, 0, 1]), ClientError::Key(UnusableKey::Modulus));
    for exponent in [vec![1], vec![2], vec![0], vec![], vec![1, 0, 0], vec![3, 0, 0, 0, 1, 1]] {
        let error = key(own.modulus().to_vec(), exponent.clone());
        assert_eq!(error, ClientError::Key(UnusableKey::Exponent), "{exponent:?}");
    }
    let huge = vec![0xFF; 2049];
    assert_eq!(key(huge, vec![1, 0, 1]), ClientError::Key(UnusableKey::TooLarge(16392)));
    let small = vec![0xFF; 32];
    assert_eq!(key(small, vec![1, 0, 1]), ClientError::Key(UnusableKey::TooSmall(256)));
    assert_eq!(key(vec![], vec![1, 0, 1]), ClientError::Key(UnusableKey::TooSmall(0)));
}

#[test]
fn duplicated_elements_are_refused_by_both() {
    let twice = |name: &'static str| {
        move |text: String| {
            let (start, end) = (format!("<{name}>"), format!("</{name}>"));
            let at = text.find(&start).expect("it is there");
            let to = text.find(&end).expect("it ends") + end.len();
            let element = text[at..to].to_owned();
            text.replacen(&element, &format!("{element}{element}"), 1)
        }
    };
    for name in ["Nonce", "Payload", "KeyType", "MacAlgorithm"] {
        assert_eq!(changed(twice(name)).kind().as_str(), "malformed", "{name}");
    }
    let site = site(Office::default());
    let answer = post_hello(&site, "Version='1.0'", LISTS_AGAIN);
    assert_eq!(status(&answer.response), Status::MalformedRequest);
}

/// One list more than there may be.
const LISTS_AGAIN: &str = "<SupportedKeyTypes><Algorithm>urn:a</Algorithm></SupportedKeyTypes>";

/// Entities, nesting, other namespaces: refused by both, quickly.
#[test]
fn dtds_entities_nesting_and_foreign_roots_are_refused_by_both() {
    let bomb = |root: &str| {
        let mut entities = String::from("<!ENTITY a0 'lol'>");
        for n in 1..20 {
            let uses = format!("&a{};", n - 1).repeat(10);
            entities.push_str(&format!("<!ENTITY a{n} '{uses}'>"));
        }
        format!("<!DOCTYPE x [{entities}]><k:{root} xmlns:k='{NS}' Version='1.0'>&a19;</k:{root}>")
    };
    let site = site(Office::default());
    let texts = |root: &'static str| {
        [
            ("a bomb", bomb(root)),
            ("a DTD", format!("<!DOCTYPE x><k:{root} xmlns:k='{NS}' Version='1.0'/>")),
            (
                "an external entity",
                format!(
                    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\
                     <k:{root} xmlns:k='{NS}' Version='1.0'>&e;</k:{root}>"
                ),
            ),
            ("an entity", format!("<k:{root} xmlns:k='{NS}' Version='1.0'>&e;</k:{root}>")),
            (
                "nesting",
                format!(
                    "<k:{root} xmlns:k='{NS}' Version='1.0'>{}{}</k:{root}>",
                    "<a>".repeat(100),
                    "</a>".repeat(100)
                ),
            ),
            ("another namespace", format!("<k:{root} xmlns:k='urn:x' Version='1.0'/>")),
            ("no namespace", format!("<{root} Version='1.0'/>")),
        ]
    };
    for (name, text) in texts("ClientHello") {
        let answer = post(&site, text.as_bytes()).response;
        assert!([400, 500].contains(&answer.status), "{name}: {}", answer.status);
    }
    for (name, text) in texts("ServerHello") {
        let kind = changed(|_| text.clone()).kind().as_str();
        assert!(["xml", "unexpected-message"].contains(&kind), "{name}: {kind}");
    }
}

/// In the deployed dialect R_S travels twice; the two have to be the same, at either side.
#[test]
fn an_echo_of_another_nonce_is_refused_by_both() {
    use ctkip_core::ClientConfig;
    use ctkip_core::message::{Extension, ExtensionKind};
    let echo = || vec![Extension::new(ExtensionKind::Untyped(Some(vec![7; 16])))];
    let client = Client::new(ClientConfig::new(Profile::SECURID)).start(&mut SysRng);
    let client = client.expect("it can start");
    let key = Key.get().public().clone();
    let server = Server::new(ServerConfig::new(Profile::SECURID, key));
    let offered = |hello: &_| {
        let offer = server.hello(hello, Credentials::default(), &mut SysRng).expect("an offer");
        let (pending, unnamed) = offer.into_parts();
        let ServerHello::Continue(offer) = unnamed.into_hello(SessionId::new("id".into())) else {
            panic!("no offer")
        };
        (pending, offer)
    };
    let (_, mut offer) = offered(&client.message);
    offer.extensions = echo();
    let error = client.state.receive(ServerHello::Continue(offer), &mut SysRng).unwrap_err();
    assert_eq!(error, ClientError::NonceEcho);

    let client = Client::new(ClientConfig::new(Profile::SECURID)).start(&mut SysRng);
    let client = client.expect("it can start");
    let (pending, offer) = offered(&client.message);
    let sent = client.state.receive(ServerHello::Continue(offer), &mut SysRng);
    let mut nonce = sent.expect("a good offer").message;
    nonce.extensions = echo();
    let rejection = server.nonce(pending, nonce).expect_err("another nonce");
    let ServerFinished::Refused(refusal) = rejection.reply else { panic!("no refusal") };
    assert_eq!(refusal.status, Status::MalformedRequest);
}

/// A session that was used, and one whose time is over.
#[test]
fn a_server_refuses_used_and_expired_sessions() {
    let site = site(Office::default());
    let (nonce, _) = second_request(&site);
    let (late, _) = second_request(&site);
    assert_eq!(status(&send(&site, Message::ClientNonce(nonce.clone())).response), Status::Success);
    let other = ClientNonce { encrypted_nonce: late.encrypted_nonce.clone(), ..nonce };
    assert_eq!(status(&send(&site, Message::ClientNonce(other)).response), Status::Abort);
    let body = octets(&Message::ClientNonce(late));
    let answer = post_at(&site, &body, Timestamp(NOW.0 + LIFETIME));
    assert_eq!(status(&answer.response), Status::Abort);
    assert_eq!(site.issuer().committed().len(), 1);
}

/// Whatever ends a run before its last message, no key is given out: the types have none to give.
/// What is committed is committed before it is confirmed.
#[test]
fn a_run_that_is_cut_off_has_no_key() {
    let site = site(Office::default());
    let client = Client::new(client_config());
    let begun = Exchange::begin(client, Binding::Plain, &mut SysRng);
    let (exchange, request) = begun.expect("it can start");
    let answer = post(&site, &request.body).response;
    let Ok(Progress::Send(exchange, _request)) = exchange.receive(&answer, &mut SysRng) else {
        panic!("a good offer")
    };
    drop(exchange);
    assert!(site.issuer().committed().is_empty());
    let full = ctkip_tests::pair::site(Office {
        full: Some(ctkip_core::service::Denied::Unavailable),
        ..Office::default()
    });
    let (nonce, exchange) = second_request(&full);
    let answer = send(&full, Message::ClientNonce(nonce));
    assert_eq!(answer.response.status, 503);
    assert!(exchange.receive(&answer.response, &mut SysRng).is_err());
}

/// Identifiers that are far too long.
#[test]
fn long_identifiers_are_refused_in_bounded_memory() {
    let site = site(Office::default());
    let long = "AAAA".repeat(60_000);
    for name in ["TokenID", "KeyID"] {
        let child = format!("<{name}>{long}</{name}>");
        let answer = post_hello(&site, "Version='1.0'", &child);
        let malformed =
            answer.response.status == 400 || status(&answer.response) == Status::MalformedRequest;
        assert!(malformed, "{name}");
    }
}
