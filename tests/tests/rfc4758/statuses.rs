//! The twelve statuses: where each may stand, what it says, and that all but two end a run.

use crate::sessions::second_request;
use crate::{NS, hello, post_hello};
use ctkip_core::message::{
    ClientHello, ClientNonce, Extension, ExtensionKind, Message, Refusal, ServerFinished,
    ServerHello, Status,
};
use ctkip_core::service::{Denied, Event};
use ctkip_core::wire::{Binding, WireResponse};
use ctkip_core::{Client, ClientError, Credentials, Exchange, Progress, Server, ServerError};
use ctkip_tests::pair::{
    Office, Site, client_config, message, post, run, send, server_config, site, status,
};
use ctkip_tests::rng::Scripted;
use getrandom::SysRng;
use std::collections::BTreeSet;

fn answer(text: String) -> WireResponse {
    WireResponse { status: 200, headers: vec![], body: text.into_bytes() }
}

/// A client that waits for `ServerHello`, or for `ServerFinished`.
fn waiting(site: &Site, second: bool) -> Exchange {
    let client = Client::new(client_config());
    let begun = Exchange::begin(client, Binding::Plain, &mut SysRng);
    let (exchange, request) = begun.expect("it can start");
    if !second {
        return exchange;
    }
    let response = post(site, &request.body).response;
    match exchange.receive(&response, &mut SysRng) {
        Ok(Progress::Send(exchange, _)) => exchange,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_status_alone_ends_the_run_in_either_answer() {
    let site = site(Office::default());
    let mut texts = BTreeSet::new();
    for (second, root) in [(false, "ServerHello"), (true, "ServerFinished")] {
        for status in Status::ALL {
            // A SessionID may stand there; it is of no use to a run that is over (R050).
            let id = if second { "SessionID='x'" } else { "" };
            let text = format!("<k:{root} xmlns:k='{NS}' Version='1.0' {id} Status='{status}'/>");
            let error = waiting(&site, second).receive(&answer(text), &mut SysRng).unwrap_err();
            match (&error, status) {
                // With nothing to go on with, these two are errors too.
                (ClientError::Message(_), Status::Continue | Status::Success) => {}
                (ClientError::Refused(refused), _) if *refused == status => {
                    texts.insert(error.to_string());
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(texts.len(), 10, "each status is told apart: {texts:?}");
}

#[test]
fn what_is_no_status_ends_the_run() {
    let site = site(Office::default());
    for (second, root) in [(false, "ServerHello"), (true, "ServerFinished")] {
        for attribute in ["", "Status=''", "Status='success'", "Status='Continue '", "Status='OK'"]
        {
            let text = format!("<k:{root} xmlns:k='{NS}' Version='1.0' {attribute}/>");
            let error = waiting(&site, second).receive(&answer(text), &mut SysRng).unwrap_err();
            assert_eq!(error.kind().as_str(), "status", "{attribute}");
        }
    }
}

/// Continue never confirms, whatever else the message holds; and a good hello that says Success is
/// taken for what it is by the lenient reader alone (E04).
#[test]
fn continue_and_success_have_their_places() {
    let site = site(Office::default());
    let begun = Exchange::begin(Client::new(client_config()), Binding::Plain, &mut SysRng);
    let (exchange, request) = begun.expect("it can start");
    let mut response = post(&site, &request.body).response;
    let text = String::from_utf8(response.body.clone()).expect("UTF-8");
    response.body = text.replace("\"Continue\"", "\"Success\"").into_bytes();
    let Ok(Progress::Send(exchange, request)) = exchange.receive(&response, &mut SysRng) else {
        panic!("a lenient client goes on")
    };
    let mut response = post(&site, &request.body).response;
    let text = String::from_utf8(response.body.clone()).expect("UTF-8");
    assert!(text.contains("\"Success\""));
    response.body = text.replace("\"Success\"", "\"Continue\"").into_bytes();
    let error = exchange.receive(&response, &mut SysRng).unwrap_err();
    assert_eq!(error.kind().as_str(), "status");
}

/// Every way to be refused, and the status it has.
#[test]
fn refusals_are_a_status_and_a_version_and_nothing_else() {
    let site = site(Office::default());
    let info = vec![Extension::new(ExtensionKind::ClientInfo(vec![1, 2, 3]))];
    let good = || ClientHello { extensions: info.clone(), ..hello(client_config()) };
    let unknown = || vec![String::from("urn:unknown")];
    let critical = Extension { critical: true, kind: ExtensionKind::Unknown("{urn:a}b".into()) };
    for (expected, hello) in [
        (Status::NoSupportedKeyTypes, ClientHello { key_types: unknown(), ..good() }),
        (
            Status::NoSupportedEncryptionAlgorithms,
            ClientHello { encryption_algorithms: unknown(), ..good() },
        ),
        (Status::NoSupportedMACAlgorithms, ClientHello { mac_algorithms: unknown(), ..good() }),
        (
            // Nothing at all in common: tested in this order.
            Status::NoSupportedKeyTypes,
            ClientHello {
                key_types: unknown(),
                encryption_algorithms: unknown(),
                mac_algorithms: unknown(),
                ..good()
            },
        ),
        (Status::AccessDenied, ClientHello { token_id: Some(vec![1]), ..good() }),
        (Status::AccessDenied, ClientHello { key_id: Some(vec![1]), ..good() }),
        (Status::AccessDenied, ClientHello { trigger_nonce: Some(vec![1; 16]), ..good() }),
        (Status::UnknownCriticalExtension, ClientHello { extensions: vec![critical], ..good() }),
    ] {
        let handled = send(&site, Message::ClientHello(hello));
        let refusal = Refusal::new(expected);
        let reply = Message::ServerHello(ServerHello::Refused(refusal));
        assert_eq!(message(&handled.response), reply, "{:?}", handled.event);
        let text = String::from_utf8_lossy(&handled.response.body).into_owned();
        assert!(!text.contains("SessionID") && text.contains("\"></"), "{text}");
    }
    assert!(site.sessions().is_empty(), "nothing is kept of a client that was refused");
}

/// One algorithm that is known among many that are not is enough.
#[test]
fn one_common_algorithm_is_enough() {
    let site = site(Office::default());
    let mut hello = hello(client_config());
    for list in [&mut hello.key_types, &mut hello.encryption_algorithms, &mut hello.mac_algorithms]
    {
        let mut many: Vec<String> = (0..20).map(|n| format!("urn:unknown:{n}")).collect();
        many.push(list.last().expect("one").clone());
        *list = many;
    }
    assert_eq!(status(&send(&site, Message::ClientHello(hello)).response), Status::Continue);
}

/// After an error answer to the second request its session is over, whatever the cause was, and the
/// good request comes too late. The causes that have no status of their own are not told apart.
#[test]
fn an_error_answer_ends_the_session() {
    type Spoil = fn(&ClientNonce) -> Vec<u8>;
    fn written(nonce: ClientNonce) -> Vec<u8> {
        ctkip_tests::pair::octets(&Message::ClientNonce(nonce))
    }
    let causes: [(Status, Spoil); 4] = [
        (Status::UnknownCriticalExtension, |nonce| {
            let kind = ExtensionKind::Unknown("{urn:a}b".into());
            let extensions = vec![Extension { critical: true, kind }];
            written(ClientNonce { extensions, ..nonce.clone() })
        }),
        (Status::InitializationFailed, |nonce| {
            written(ClientNonce { encrypted_nonce: vec![7; 256], ..nonce.clone() })
        }),
        (Status::MalformedRequest, |nonce| {
            let text = String::from_utf8(written(nonce.clone())).expect("UTF-8");
            text.replace("</EncryptedNonce>", "!</EncryptedNonce>").into_bytes()
        }),
        (Status::MalformedRequest, |nonce| {
            let text = String::from_utf8(written(nonce.clone())).expect("UTF-8");
            text.replace("Version=\"1.0\"", "Version=\"1\"").into_bytes()
        }),
    ];
    for (expected, spoil) in causes {
        let site = site(Office::default());
        let (nonce, _) = second_request(&site);
        let answer = post(&site, &spoil(&nonce));
        assert_eq!(status(&answer.response), expected);
        let Message::ServerFinished(ServerFinished::Refused(_)) = message(&answer.response) else {
            panic!("no refusal")
        };
        let late = send(&site, Message::ClientNonce(nonce));
        assert_eq!(status(&late.response), Status::Abort, "after {expected}");
        assert!(site.issuer().committed().is_empty());
    }
}

/// Statuses of the first answer do not stand in the second.
#[test]
fn the_second_answer_has_no_status_of_negotiation() {
    let not_here = [
        Status::Continue,
        Status::UnsupportedVersion,
        Status::NoSupportedKeyTypes,
        Status::NoSupportedEncryptionAlgorithms,
        Status::NoSupportedMACAlgorithms,
    ];
    for body in ["Version='0.9'", "Version='2.0'", "Version='1'", "Version='1.0'", ""] {
        let site = site(Office::default());
        let (nonce, _) = second_request(&site);
        let text = format!(
            "<k:ClientNonce xmlns:k='{NS}' SessionID='{}' {body}>\
             <EncryptedNonce>AAAA</EncryptedNonce></k:ClientNonce>",
            nonce.session_id
        );
        let status = status(&post(&site, text.as_bytes()).response);
        assert!(!not_here.contains(&status), "{body}: {status}");
    }
}

/// A refusal without a status of its own, and failures of our own, are Abort.
#[test]
fn abort_gives_no_reasons() {
    let hello = hello(client_config());
    let server = Server::new(server_config());
    let failed = server.hello(&hello, Credentials::default(), &mut Scripted::default());
    let rejection = failed.expect_err("no randomness, no nonce");
    assert!(matches!(rejection.error, ServerError::Internal(_)));
    assert_eq!(rejection.reply, ServerHello::Refused(Refusal::new(Status::Abort)));
}

#[test]
fn who_may_not_have_a_token_is_denied_access() {
    let closed = site(Office { closed: Some(Denied::Refused), ..Office::default() });
    let error = run(client_config(), &closed).expect_err("nobody gets anything");
    assert_eq!(error, ClientError::Refused(Status::AccessDenied));
    let full = site(Office { full: Some(Denied::Refused), ..Office::default() });
    let error = run(client_config(), &full).expect_err("nothing is committed");
    assert_eq!(error, ClientError::Refused(Status::AccessDenied));
}

/// What a reader cannot make sense of is answered as malformed, where it says what it was to be.
#[test]
fn what_cannot_be_read_is_malformed() {
    let site = site(Office::default());
    for (attributes, children) in [
        ("", ""),
        ("Version='1'", ""),
        ("Version='1.0' Colour='red'", ""),
        ("Version='1.0'", "text"),
        ("Version='1.0'", "<KeyID>!</KeyID>"),
        ("Version='1.0'", "<Unheard/>"),
    ] {
        let handled = post_hello(&site, attributes, children);
        assert_eq!(status(&handled.response), Status::MalformedRequest);
        assert!(matches!(handled.event, Event::Unreadable(_)));
    }
}
