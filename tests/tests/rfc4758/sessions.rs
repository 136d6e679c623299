//! Sessions: named unguessably and never twice, over when they are over, apart from one another.

use crate::hello;
use ctkip_core::message::{ClientNonce, Message, ServerFinished, ServerHello, Status};
use ctkip_core::service::{End, Event, MemorySessions, ServerBinding, Service, Sessions};
use ctkip_core::wire::{Binding, WireRequest};
use ctkip_core::{
    Client, ClientError, Credentials, Exchange, Grant, Layout, Profile, Progress, Server,
    SessionId, Timestamp, xml,
};
use ctkip_tests::pair::{
    KEY_ID, Key, LIFETIME, NOW, Office, Site, client_config, k_auth, message, octets, opened, post,
    post_at, run, send, server_config, site, status, trigger,
};
use getrandom::SysRng;
use std::collections::HashSet;

/// A client whose second request is ready, and that request.
pub(crate) fn second_request(site: &Site) -> (ClientNonce, Exchange) {
    let (request, exchange) = second_octets(site);
    match xml::read(&request.body, &Profile::RFC4758).expect("our own").message {
        Message::ClientNonce(nonce) => (nonce, exchange),
        other => panic!("{other:?}"),
    }
}

fn second_octets(site: &Site) -> (WireRequest, Exchange) {
    let client = Client::new(client_config());
    let begun = Exchange::begin(client, Binding::Plain, &mut SysRng);
    let (exchange, request) = begun.expect("it can start");
    let response = post(site, &request.body).response;
    match exchange.receive(&response, &mut SysRng) {
        Ok(Progress::Send(exchange, request)) => (request, exchange),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_session_identifier_is_given_out_twice() {
    let mut seen = HashSet::new();
    for _ in 0..100_000 {
        let id = SessionId::random(Layout::Schema, &mut SysRng).expect("random octets");
        assert!(id.as_str().len() >= 22 && id.as_str().len() <= SessionId::MAX_SENT);
        assert!(id.as_str().bytes().all(|octet| octet.is_ascii_graphic()));
        assert!(seen.insert(id), "twice");
    }
}

/// Each of the 256 bits is set about half of the time.
#[test]
fn session_identifiers_are_random_in_every_bit() {
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
    let mut ones = [0_u32; 256];
    for _ in 0..10_000 {
        let id = SessionId::random(Layout::Schema, &mut SysRng).expect("random octets");
        let octets = BASE64_URL_SAFE_NO_PAD.decode(id.as_str()).expect("base64");
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += u32::from(octets[bit / 8] >> (bit % 8) & 1);
        }
    }
    // Twelve standard deviations either way.
    assert!(ones.iter().all(|ones| (4_400..5_600).contains(ones)), "{ones:?}");
}

/// A name that is taken is not given out again, be its session open or over.
#[test]
fn a_name_that_is_kept_is_not_used_again() {
    let sessions = MemorySessions::new(Layout::Schema, 10, LIFETIME);
    let id = SessionId::new("a name".into());
    let pending = || opened(client_config()).2;
    sessions.insert(id.clone(), pending(), NOW).expect("room");
    assert!(sessions.insert(id.clone(), pending(), NOW).is_err(), "it is open");
    let _ = sessions.enter(&id, &[0; 32], NOW);
    sessions.leave(&id, End::Failed);
    assert!(sessions.insert(id.clone(), pending(), NOW).is_err(), "it is over, and remembered");
    let later = Timestamp(NOW.0 + LIFETIME);
    sessions.insert(id, pending(), later).expect("it is forgotten");
}

#[test]
fn every_client_hello_opens_a_session_of_its_own() {
    let site = site(Office::default());
    let hello = octets(&Message::ClientHello(hello(client_config())));
    let [first, second] = [post(&site, &hello), post(&site, &hello)].map(|handled| {
        let Message::ServerHello(ServerHello::Continue(offer)) = message(&handled.response) else {
            panic!("no offer")
        };
        offer
    });
    assert_ne!(first.session_id, second.session_id);
    assert_ne!(first.server_nonce, second.server_nonce);
}

#[test]
fn a_client_nonce_without_its_session_is_refused_alike_whatever_the_reason() {
    let mut answers = HashSet::new();
    let mut answer = |site: &Site, nonce: ClientNonce, now: Timestamp| {
        let handled = post_at(site, &octets(&Message::ClientNonce(nonce)), now);
        assert_eq!(status(&handled.response), Status::Abort);
        answers.insert(handled.response.body.clone());
    };
    // Unknown.
    let site = site(Office::default());
    let (nonce, _) = second_request(&site);
    let session_id = SessionId::new("4114".into());
    answer(&site, ClientNonce { session_id, ..nonce.clone() }, NOW);
    // Almost right: exact text counts (R044).
    for odd in [format!("{} ", nonce.session_id), nonce.session_id.as_str().to_uppercase()] {
        answer(&site, ClientNonce { session_id: SessionId::new(odd), ..nonce.clone() }, NOW);
    }
    // Finished, and asked with something else.
    assert_eq!(status(&send(&site, Message::ClientNonce(nonce.clone())).response), Status::Success);
    answer(&site, ClientNonce { encrypted_nonce: vec![9; 256], ..nonce }, NOW);
    // Failed.
    let (nonce, _) = second_request(&site);
    let bad = ClientNonce { encrypted_nonce: vec![9; 256], ..nonce.clone() };
    let failed = send(&site, Message::ClientNonce(bad));
    assert_eq!(status(&failed.response), Status::InitializationFailed);
    answer(&site, nonce, NOW);
    // Expired.
    let (nonce, _) = second_request(&site);
    answer(&site, nonce, Timestamp(NOW.0 + LIFETIME));
    assert_eq!(answers.len(), 1, "the client does not learn which: {answers:?}");
}

#[test]
fn an_abandoned_session_is_forgotten() {
    let site = site(Office::default());
    let (nonce, _) = second_request(&site);
    assert_eq!(site.sessions().len(), 1);
    let body = octets(&Message::ClientNonce(nonce));
    let late = post_at(&site, &body, Timestamp(NOW.0 + LIFETIME));
    assert_eq!(status(&late.response), Status::Abort);
    assert!(site.sessions().is_empty());
    assert!(site.issuer().committed().is_empty());
}

/// There is room for so many sessions and no more (E45).
#[test]
fn open_sessions_are_bounded() {
    let sessions = MemorySessions::new(Layout::Schema, 2, LIFETIME);
    let server = Server::new(server_config());
    let service = Service::new(server, ServerBinding::Plain, sessions, Key, Office::default());
    let body = octets(&Message::ClientHello(hello(client_config())));
    let statuses = [(); 3].map(|()| post(&service, &body).response.status);
    assert_eq!(statuses, [200, 200, 503]);
    let later = post_at(&service, &body, Timestamp(NOW.0 + LIFETIME));
    assert_eq!(later.response.status, 200);
}

/// The same request again gets the stored answer, and commits nothing again.
#[test]
fn a_client_nonce_is_processed_once() {
    let site = site(Office::default());
    let (request, exchange) = second_octets(&site);
    let first = post(&site, &request.body);
    let second = post(&site, &request.body);
    assert!(matches!(first.event, Event::Committed(_)));
    assert!(matches!(second.event, Event::Repeated(_)));
    assert_eq!(first.response.body, second.response.body);
    assert_eq!(site.issuer().committed().len(), 1);
    // Whichever of the two arrives will do.
    assert!(exchange.receive(&second.response, &mut SysRng).is_ok());
}

/// What was sent in one run is of no use in another.
#[test]
fn messages_of_another_run_are_refused() {
    let site = site(Office::default());
    let (nonce, victim) = second_request(&site);
    let (other, attacker) = second_request(&site);
    // R_C of one session in another: it decrypts, and makes a key that no client has (R282, E46).
    let moved = ClientNonce { session_id: nonce.session_id.clone(), ..other.clone() };
    let answer = send(&site, Message::ClientNonce(moved));
    assert_eq!(status(&answer.response), Status::Success);
    assert_eq!(victim.receive(&answer.response, &mut SysRng).unwrap_err(), ClientError::Mac);
    assert_eq!(
        attacker.receive(&answer.response, &mut SysRng).unwrap_err(),
        ClientError::SessionMismatch
    );
    // The victim's request comes too late; the other session is as it was.
    let late = send(&site, Message::ClientNonce(nonce));
    assert_eq!(status(&late.response), Status::Abort);
    let own = send(&site, Message::ClientNonce(other));
    assert_eq!(status(&own.response), Status::Success);
}

/// An old `ServerFinished`, told of the new session, has the wrong MAC.
#[test]
fn a_replayed_confirmation_has_the_wrong_mac() {
    let site = site(Office::default());
    let (nonce, _) = second_request(&site);
    let old = send(&site, Message::ClientNonce(nonce));
    let Message::ServerFinished(ServerFinished::Success(mut old)) = message(&old.response) else {
        panic!("no confirmation")
    };
    let (nonce, exchange) = second_request(&site);
    old.session_id = Some(nonce.session_id);
    let replayed = Message::ServerFinished(ServerFinished::Success(old));
    let replayed = ctkip_tests::pair::response(&replayed);
    assert_eq!(exchange.receive(&replayed, &mut SysRng).unwrap_err(), ClientError::Mac);
}

/// An old `ServerHello` has an old R_S; with a K_AUTH it is seen at once, without it when MAC 2 fails.
#[test]
fn a_replayed_offer_is_seen() {
    let replacing = || client_config().replacing(KEY_ID.to_vec(), k_auth());
    let (_, old, _) = opened(replacing());
    let (client, _, _) = opened(replacing());
    let error = client.receive(ServerHello::Continue(old), &mut SysRng).unwrap_err();
    assert_eq!(error, ClientError::Mac);

    let site = site(Office::default());
    let (_, victim) = second_request(&site);
    let (nonce, _) = second_request(&site);
    let answer = send(&site, Message::ClientNonce(nonce));
    assert!(victim.receive(&answer.response, &mut SysRng).is_err());
}

/// Two runs for one key at once: each has its own session, its own nonces and its own grant.
#[test]
fn two_runs_for_one_key_do_not_mix() {
    let site = site(Office::default());
    let mut runs: Vec<_> = (0..2)
        .map(|_| {
            let trigger = trigger(&site, None, Some(KEY_ID));
            let config = client_config().replacing(KEY_ID.to_vec(), k_auth()).trigger(trigger);
            let begun = Exchange::begin(Client::new(config), Binding::Plain, &mut SysRng);
            begun.expect("it can start")
        })
        .collect();
    for _ in 0..2 {
        let mut next = Vec::new();
        for (exchange, request) in runs {
            let response = post(&site, &request.body).response;
            match exchange.receive(&response, &mut SysRng).expect("a good answer") {
                Progress::Send(exchange, request) => next.push((exchange, request)),
                Progress::Done(token) => {
                    let last = site.issuer().committed().pop().expect("committed");
                    assert!(token.key().matches(&last.key));
                }
            }
        }
        runs = next;
    }
    let committed = site.issuer().committed();
    assert_eq!(committed.len(), 2);
    assert_ne!(committed[0].key, committed[1].key);
    assert!(committed.iter().all(|one| one.key_id.as_deref() == Some(KEY_ID)));
}

/// Two threads with the same request: one processes it, the other is told to come again.
#[test]
fn a_request_in_progress_is_not_processed_twice() {
    let site = site(Office::default());
    let (nonce, _) = second_request(&site);
    let body = octets(&Message::ClientNonce(nonce));
    let events: Vec<String> = std::thread::scope(|scope| {
        let post = || ctkip_tests::pair::word(&post(&site, &body).event);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(post)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(events.iter().filter(|event| *event == "Committed").count(), 1, "{events:?}");
    let known = ["Committed", "Repeated", "Busy"];
    assert!(events.iter().all(|event| known.contains(&event.as_str())), "{events:?}");
    assert_eq!(site.issuer().committed().len(), 1);
}

/// What a session was granted is handed back at the commit, and not what messages say.
#[test]
fn a_token_belongs_to_whom_the_trigger_was_given() {
    let site = site(Office::default());
    let given = trigger(&site, None, None);
    run(client_config().trigger(given), &site).expect("a good run");
    let [committed] = &site.issuer().committed()[..] else { panic!("one token") };
    assert_eq!(committed.grant, Grant::new(b"user of the trigger".to_vec()).expect("short"));
}

/// Nonces of the server: fresh for every offer.
#[test]
fn server_nonces_do_not_repeat() {
    let server = Server::new(server_config());
    let hello = hello(client_config());
    let mut seen = HashSet::new();
    for _ in 0..10_000 {
        let offer = server.hello(&hello, Credentials::default(), &mut SysRng).expect("an offer");
        let (_, unnamed) = offer.into_parts();
        let ServerHello::Continue(offer) = unnamed.into_hello(SessionId::new("id".into())) else {
            panic!("no offer")
        };
        assert_eq!(offer.server_nonce.len(), 16);
        assert!(seen.insert(offer.server_nonce), "twice");
    }
}

/// Nonces of the client: fresh for every run, also for one after a failure.
#[test]
fn client_nonces_do_not_repeat() {
    let mut seen = HashSet::new();
    for _ in 0..10_000 {
        let config = client_config().replacing(KEY_ID.to_vec(), k_auth());
        let nonce = hello(config).client_nonce.expect("R");
        assert_eq!(nonce.len(), 16);
        assert!(seen.insert(nonce), "twice");
    }
    // R_C, seen through the XOR with a mask that is known: the same offer, other ciphertexts.
    let shared = || ctkip_core::SharedKey::new(ctkip_tests::pair::K_SHARED.to_vec());
    let config = || {
        client_config()
            .encryption_algorithms(&[ctkip_tests::pair::ENCRYPTION[2]])
            .shared_key(ctkip_tests::pair::K_SHARED_NAME.into(), shared())
    };
    let (_, offer, _) = opened(config());
    let mut seen = HashSet::new();
    for _ in 0..1_000 {
        let (client, _, _) = opened(config());
        let offer = ServerHello::Continue(offer.clone());
        let sent = client.receive(offer, &mut SysRng).expect("a good offer").message;
        assert_eq!(sent.encrypted_nonce.len(), 16);
        assert!(seen.insert(sent.encrypted_nonce), "twice");
    }
}
