//! Extensions: carried, echoed, ignored, or the end of a run.

use crate::{captured, confirmation_error, hello, offer_error};
use ctkip_core::message::{
    ClientNonce, Extension, ExtensionKind, Message, OtpConfiguration, OtpMode, ServerFinished,
    ServerHello, Status,
};
use ctkip_core::{Client, ClientError, Credentials, Profile, Server, SessionId, xml};
use ctkip_tests::pair::{
    Office, client_config, message, octets, opened, record, run, send, server_config, site, status,
};
use getrandom::SysRng;

fn critical(kind: ExtensionKind) -> Extension {
    Extension { critical: true, kind }
}

fn unknown() -> ExtensionKind {
    ExtensionKind::Unknown("{urn:example}Novelty".into())
}

fn client_info(extensions: &[Extension]) -> Vec<&[u8]> {
    let infos = extensions.iter().filter_map(|extension| match &extension.kind {
        ExtensionKind::ClientInfo(octets) => Some(octets.as_slice()),
        _ => None,
    });
    infos.collect()
}

/// What a client says of itself comes back in each next answer, whatever its octets are.
#[test]
fn client_info_comes_back_unmodified() {
    let all: Vec<u8> = (0..=255).collect();
    for info in [vec![], vec![0], all, b"<&>\"'\r\n".to_vec(), vec![0xFF; 10_000]] {
        let site = site(Office::default());
        let messages = captured(client_config().client_info(info.clone()), &site);
        for message in &messages {
            let extensions = match message {
                Message::ClientHello(hello) => &hello.extensions,
                Message::ServerHello(ServerHello::Continue(offer)) => &offer.extensions,
                Message::ClientNonce(nonce) => &nonce.extensions,
                Message::ServerFinished(ServerFinished::Success(c)) => &c.record.extensions,
                other => panic!("{other:?}"),
            };
            assert_eq!(client_info(extensions), [&info[..]], "{}", message.name());
        }
    }
}

/// The second answer repeats the second request's, not the first's.
#[test]
fn client_info_of_the_first_request_is_not_kept() {
    let site = site(Office::default());
    let with = |octets: &[u8]| vec![Extension::new(ExtensionKind::ClientInfo(octets.to_vec()))];
    let mut hello = hello(client_config());
    hello.extensions = with(b"first");
    let answer = message(&send(&site, Message::ClientHello(hello)).response);
    let Message::ServerHello(ServerHello::Continue(offer)) = answer else { panic!("{answer:?}") };
    assert_eq!(client_info(&offer.extensions), [b"first"]);
    for (sent, expected) in [(with(b"second"), vec![&b"second"[..]]), (vec![], vec![])] {
        let (nonce, _) = crate::sessions::second_request(&site);
        let answer = send(&site, Message::ClientNonce(ClientNonce { extensions: sent, ..nonce }));
        let Message::ServerFinished(ServerFinished::Success(c)) = message(&answer.response) else {
            panic!("no confirmation")
        };
        assert_eq!(client_info(&c.record.extensions), expected);
    }
}

#[test]
fn altered_client_info_ends_the_run() {
    let config = || client_config().client_info(b"about me".to_vec());
    let altered = || vec![Extension::new(ExtensionKind::ClientInfo(b"about you".to_vec()))];
    let error = offer_error(config(), |offer| offer.extensions = altered());
    assert_eq!(error, ClientError::ClientInfoEcho);
    let error = confirmation_error(config(), |c| c.record.extensions = altered());
    assert_eq!(error, ClientError::ClientInfoEcho);
    // Its absence does not.
    let (client, mut offer, _) = opened(config());
    offer.extensions.clear();
    assert!(client.receive(ServerHello::Continue(offer), &mut SysRng).is_ok());
}

/// A known extension that is critical is a known extension.
#[test]
fn known_extensions_may_be_critical() {
    let site = site(Office::default());
    let mut hello = hello(client_config());
    hello.extensions = vec![critical(ExtensionKind::ClientInfo(vec![1, 2]))];
    let answer = message(&send(&site, Message::ClientHello(hello)).response);
    let Message::ServerHello(ServerHello::Continue(offer)) = answer else { panic!("{answer:?}") };
    assert_eq!(client_info(&offer.extensions), [[1, 2]]);

    let (client, mut offer, _) = opened(client_config());
    offer.extensions = vec![critical(ExtensionKind::ServerInfo(vec![3, 4]))];
    let sent = client.receive(ServerHello::Continue(offer), &mut SysRng).expect("known").message;
    assert!(matches!(&sent.extensions[..],
        [Extension { kind: ExtensionKind::ServerInfo(octets), .. }] if octets == &[3, 4]));
}

/// An unknown extension that is not critical changes nothing, in none of the four messages.
#[test]
fn unknown_extensions_change_nothing() {
    let site = site(Office::default());
    let mut hello = hello(client_config());
    hello.extensions =
        vec![Extension::new(unknown()), Extension::new(ExtensionKind::Untyped(None))];
    assert_eq!(status(&send(&site, Message::ClientHello(hello)).response), Status::Continue);
    let (mut nonce, _) = crate::sessions::second_request(&site);
    nonce.extensions = vec![Extension::new(unknown())];
    assert_eq!(status(&send(&site, Message::ClientNonce(nonce)).response), Status::Success);

    let (client, mut offer, pending) = opened(client_config());
    offer.extensions = vec![Extension::new(unknown())];
    let client = client.receive(ServerHello::Continue(offer), &mut SysRng).expect("ignored");
    assert_eq!(client.message.extensions, []);
    let mut record = record();
    record.extensions = vec![Extension::new(unknown())];
    let finished = ctkip_tests::pair::answer(pending, client.message, record);
    assert!(client.state.receive(finished).is_ok());
}

/// An unknown extension that is critical ends a run in each of the four messages.
#[test]
fn unknown_critical_extensions_end_the_run() {
    let site = site(Office::default());
    let mut hello = hello(client_config());
    hello.extensions = vec![critical(unknown())];
    let answer = send(&site, Message::ClientHello(hello));
    assert_eq!(status(&answer.response), Status::UnknownCriticalExtension);
    let (mut nonce, _) = crate::sessions::second_request(&site);
    nonce.extensions = vec![critical(unknown())];
    let answer = send(&site, Message::ClientNonce(nonce));
    assert_eq!(status(&answer.response), Status::UnknownCriticalExtension);
    assert!(site.issuer().committed().is_empty());

    let name = "{urn:example}Novelty";
    let error = offer_error(client_config(), |offer| offer.extensions = vec![critical(unknown())]);
    assert_eq!(error, ClientError::CriticalExtension(name.into()));
    let error =
        confirmation_error(client_config(), |c| c.record.extensions = vec![critical(unknown())]);
    assert_eq!(error, ClientError::CriticalExtension(name.into()));
}

/// A known extension where it does not belong counts as unknown.
#[test]
fn a_misplaced_extension_is_an_unknown_one() {
    let site = site(Office::default());
    let otp = || {
        ExtensionKind::OtpConfiguration(OtpConfiguration {
            format: Some("Decimal".into()),
            length: Some("6".into()),
            modes: vec![OtpMode::Counter],
        })
    };
    for (kind, critical, expected) in [
        (otp(), false, Status::Continue),
        (otp(), true, Status::UnknownCriticalExtension),
        (ExtensionKind::ServerInfo(vec![1]), false, Status::Continue),
        (ExtensionKind::ServerInfo(vec![1]), true, Status::UnknownCriticalExtension),
    ] {
        let mut hello = hello(client_config());
        hello.extensions = vec![Extension { critical, kind }];
        // Through XML, where the place is known.
        let answer = send(&site, Message::ClientHello(hello));
        assert_eq!(status(&answer.response), expected);
    }
}

/// A server may leave octets with the client, which brings them back as they were; a server that
/// gets back something else refuses.
#[test]
fn server_info_comes_back_unmodified_or_the_run_ends() {
    let all: Vec<u8> = (0..=255).collect();
    type Change = fn(&mut Vec<Extension>);
    let changes: [(&str, Change, bool); 4] = [
        ("as it is", |_| {}, true),
        ("left out", |extensions| extensions.clear(), false),
        ("altered", |e| e[0].kind = ExtensionKind::ServerInfo(vec![1]), false),
        ("twice", |e| e.push(Extension::new(ExtensionKind::ServerInfo(vec![1]))), false),
    ];
    for (name, change, good) in changes {
        let client = Client::new(client_config()).start(&mut SysRng).expect("it can start");
        let server = Server::new(server_config());
        let offer = server.hello(&client.message, Credentials::default(), &mut SysRng);
        let offer = offer.expect("an offer").server_info(all.clone());
        let (pending, unnamed) = offer.into_parts();
        let hello = unnamed.into_hello(SessionId::new("id".into()));
        // Through XML, both ways.
        let text = octets(&Message::ServerHello(hello));
        let read = xml::read(&text, &Profile::RFC4758).expect("a ServerHello");
        assert!(read.departures.is_empty());
        let Message::ServerHello(hello) = read.message else { panic!("no ServerHello") };
        let client = client.state.receive(hello, &mut SysRng).expect("a good offer");
        let text = octets(&Message::ClientNonce(client.message));
        let read = xml::read(&text, &Profile::RFC4758).expect("a ClientNonce").message;
        let Message::ClientNonce(mut nonce) = read else { panic!("{read:?}") };
        let echoed = [Extension::new(ExtensionKind::ServerInfo(all.clone()))];
        assert_eq!(nonce.extensions, echoed);
        change(&mut nonce.extensions);
        let opening = server.nonce(pending, nonce);
        assert_eq!(opening.is_ok(), good, "{name}");
        if let Err(rejection) = opening {
            let ServerFinished::Refused(refusal) = rejection.reply else { panic!("no refusal") };
            assert_eq!(refusal.status, Status::MalformedRequest);
        }
    }
}

/// `ServerInfo` stands in offers only, and nothing of it in the token.
#[test]
fn server_info_is_not_in_the_confirmation() {
    let (client, mut offer, pending) = opened(client_config());
    offer.extensions.push(Extension::new(ExtensionKind::ServerInfo(b"state".to_vec())));
    let client = client.receive(ServerHello::Continue(offer), &mut SysRng).expect("a good offer");
    let finished = ctkip_tests::pair::answer(pending, client.message, record());
    let token = client.state.receive(finished).expect("a good confirmation");
    assert_eq!(token.record().extensions, []);
}

/// A run needs no extension at all, and sends none unasked.
#[test]
fn a_run_needs_no_extension() {
    let site = site(Office::default());
    let messages = captured(client_config(), &site);
    let texts = messages.iter().map(|message| String::from_utf8(octets(message)).expect("UTF-8"));
    for text in texts {
        assert!(!text.contains("Extension"), "{text}");
    }
    assert!(run(client_config(), &site).is_ok());
}
