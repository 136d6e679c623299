//! What is sealed: what fits, what does not, and what nobody can make or change.

use super::{
    PROFILES, SEALING, Store, THIS, met, pending, sealed, sealed_by, second, server, site,
};
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::message::ServerHello;
use ctkip_core::service::{Entry, MemoryReplayLog, Sessions};
use ctkip_core::{
    Client, ClientConfig, Credentials, Grant, Layout, Profile, Progress, Server, ServerConfig,
    SessionId, Timestamp,
};
use ctkip_tests::pair::{
    K_SHARED_NAME, KEY_ID, LIFETIME, NOW, Office, Variant, client_config, k_auth, post_at,
    server_config, word,
};
use getrandom::SysRng;
use std::collections::HashSet;
use std::sync::Arc;

fn everything_sealed(log: &Arc<MemoryReplayLog>) -> Store {
    Store::Sealed(Box::new(sealed_by(&Server::new(server_config()), SEALING, Arc::clone(log))))
}
#[test]
fn any_server_of_a_farm_finishes_what_another_began() {
    let log = Arc::new(MemoryReplayLog::new(100));
    let [first, other] = [(); 2].map(|()| site(everything_sealed(&log), Office::default()));
    let (body, exchange) = second(&first, client_config());
    let handled = post_at(&other, &body, NOW);
    assert_eq!(word(&handled.event), "Committed");
    // The first one repeats what the other answered, and commits nothing.
    let again = post_at(&first, &body, NOW);
    assert_eq!(word(&again.event), "Repeated");
    assert_eq!(again.response.body, handled.response.body);
    let Ok(Progress::Done(token)) = exchange.receive(&again.response, &mut SysRng) else {
        panic!("no token")
    };
    let [committed] = &other.issuer().committed()[..] else { panic!("one token") };
    assert!(token.key().matches(&committed.key));
    assert!(first.issuer().committed().is_empty());
    assert_eq!(log.len(), 1);
}

/// Nothing is kept of a session that is open.
#[test]
fn open_sealed_sessions_take_no_room() {
    let profile = Profile::SECURID;
    let sessions = sealed(profile.clone());
    for _ in 0..1_000 {
        sessions.open(pending(&profile, b"who"), NOW, &mut SysRng).expect("no room is needed");
    }
    assert!(sessions.log().is_empty() && sessions.stored().is_empty());
}

#[test]
fn what_does_not_fit_is_stored() {
    let log = Arc::new(MemoryReplayLog::new(1_000));
    let site = site(everything_sealed(&log), Office::default());
    let stored = || match site.sessions() {
        Store::Sealed(sealed) => (sealed.stored().len(), log.len()),
        Store::Stored(_) => panic!("it is sealed"),
    };
    let mut seen = HashSet::new();
    for variant in Variant::all() {
        let before = stored();
        let rsa = !variant.name().contains("sharedkey");
        ctkip_tests::pair::run(variant.client(&site), &site).expect("a token");
        let after = stored();
        let fits = rsa && !variant.replaces && !variant.triggered;
        let expected = if fits { (0, 1) } else { (1, 0) };
        assert_eq!((after.0 - before.0, after.1 - before.1), expected, "{}", variant.name());
        seen.insert(fits);
    }
    assert_eq!(seen.len(), 2, "some fit and some do not");
}

/// Each of what does not fit, on its own.
#[test]
fn nothing_is_left_out_of_what_is_sealed() {
    let with = |credentials: Credentials, change: fn(ClientConfig) -> ClientConfig, info: bool| {
        let profile = Profile::RFC4758;
        let sessions = sealed(profile.clone());
        let client = Client::new(change(ClientConfig::new(profile.clone())));
        let hello = client.start(&mut SysRng).expect("R").message;
        let mut offer = Server::new(server_config())
            .hello(&hello, credentials, &mut SysRng)
            .expect("something in common");
        if info {
            offer = offer.server_info(b"bring it back".to_vec());
        }
        let (pending, _) = offer.into_parts();
        let kept = format!("{pending:?}");
        let id = sessions.open(pending, NOW, &mut SysRng).expect("room");
        let Entry::Open(entered) = sessions.enter(&id, &THIS, NOW) else { panic!("it is open") };
        assert_eq!(format!("{entered:?}"), kept);
        sessions.stored().len()
    };
    let none = Credentials::default;
    let authenticated = || Credentials { auth_key: Some(k_auth()), ..none() };
    assert_eq!(with(none(), |config| config, false), 0);
    assert_eq!(with(none(), |config| config, true), 1, "ServerInfo");
    assert_eq!(with(authenticated(), |config| config, false), 1, "K_AUTH");
    assert_eq!(with(authenticated(), |c| c.replacing(KEY_ID.to_vec(), k_auth()), false), 1);
    let shared = Credentials { shared_key: Some(K_SHARED_NAME.into()), ..none() };
    let only_shared = |config: ClientConfig| {
        let key = ctkip_core::SharedKey::new(b"a shared secret.".to_vec());
        config
            .encryption_algorithms(&[ctkip_tests::pair::ENCRYPTION[2]])
            .shared_key(K_SHARED_NAME.into(), key)
    };
    assert_eq!(with(shared, only_shared, false), 1, "K_SHARED");
}

#[test]
fn grants_of_every_length_survive() {
    for profile in PROFILES {
        let sessions = sealed(profile.clone());
        for length in 0..=Grant::MAX {
            let grant: Vec<u8> = (1..=length).map(|n| u8::try_from(n).expect("small")).collect();
            let pending = pending(&profile, &grant);
            let kept = format!("{pending:?}");
            let id = sessions.open(pending, NOW, &mut SysRng).expect("room");
            let Entry::Open(entered) = sessions.enter(&id, &THIS, NOW) else { panic!("{length}") };
            assert_eq!(format!("{entered:?}"), kept);
            assert_eq!(entered.granted().as_octets(), grant);
        }
        assert!(sessions.stored().is_empty());
    }
    assert!(Grant::new(vec![0; Grant::MAX + 1]).is_none());
}

#[test]
fn sealed_identifiers_look_like_all_others_and_tell_nothing() {
    for profile in PROFILES {
        let sessions = sealed(profile.clone());
        let mut seen = HashSet::new();
        for _ in 0..100 {
            let id = sessions.open(pending(&profile, b"who"), NOW, &mut SysRng).expect("room");
            assert!(id.as_str().len() <= SessionId::MAX_SENT && id.as_str().is_ascii(), "{id}");
            if profile.layout == Layout::Recorded {
                let (hex, base64) = id.as_str().split_once('-').expect("a hyphen");
                assert!(hex.len() == 34 && hex.bytes().all(|c| b"0123456789abcdef".contains(&c)));
                assert!(base64.len() == 76 && base64.ends_with('A') && !base64.contains('='));
            }
            let start = id.as_str().chars().take(8).collect::<String>();
            assert!(seen.insert(start), "two begin alike");
        }
    }
}

#[test]
fn a_changed_or_foreign_identifier_is_unknown() {
    for profile in PROFILES {
        let sessions = sealed(profile.clone());
        let id = sessions.open(pending(&profile, b"who"), NOW, &mut SysRng).expect("room");
        let text = id.as_str();
        let unknown = |text: String| {
            let entry = sessions.enter(&SessionId::new(text.clone()), &THIS, NOW);
            assert_eq!(met(&entry), "unknown", "{text}");
        };
        for (place, old) in text.char_indices() {
            let cases = [old.to_ascii_uppercase(), old.to_ascii_lowercase()];
            let others = "A0a/+-_=~ \n\u{e9}".chars().chain(cases);
            for new in others.filter(|new| *new != old) {
                unknown(format!("{}{new}{}", &text[..place], &text[place + 1..]));
            }
            unknown(text[..place].to_owned());
            unknown(text[place + 1..].to_owned());
            unknown(format!("{}{}", &text[..place], &text[place + 1..]));
            unknown(format!("{}{old}{}", &text[..place], &text[place..]));
        }
        unknown(format!("{text}A"));
        unknown(format!("{text} "));
        unknown(format!("{text}{text}"));
        unknown(text.to_uppercase());
        unknown(text.to_lowercase());
        unknown(String::new());

        // Sealed by another key, or by a server of another profile or with another RSA key.
        let mut strange = profile.clone();
        strange.name = "another";
        let other_rsa = RsaPrivateKey::generate(1024, &mut SysRng).expect("a key");
        let other_rsa = Server::new(ServerConfig::new(profile.clone(), other_rsa.public().clone()));
        for (server, sealing) in
            [(server(profile.clone()), [0; 32]), (server(strange), SEALING), (other_rsa, SEALING)]
        {
            let foreign = sealed_by(&server, sealing, Arc::new(MemoryReplayLog::new(1)));
            assert_eq!(met(&foreign.enter(&id, &THIS, NOW)), "unknown");
        }
        assert!(sessions.log().is_empty());
        assert_eq!(met(&sessions.enter(&id, &THIS, NOW)), "open", "it is as good as it was");
    }
}

/// A log without room says so, and spends nothing.
#[test]
fn a_full_log_leaves_sessions_open() {
    let profile = Profile::SECURID;
    let log = Arc::new(MemoryReplayLog::new(1));
    let sessions = sealed_by(&server(profile.clone()), SEALING, Arc::clone(&log));
    let open = |now| sessions.open(pending(&profile, b"who"), now, &mut SysRng).expect("room");
    let (first, second) = (open(NOW), open(Timestamp(NOW.0 + 1)));
    assert_eq!(met(&sessions.enter(&first, &THIS, NOW)), "open");
    assert_eq!(met(&sessions.enter(&second, &THIS, NOW)), "full");
    assert_eq!(met(&sessions.enter(&first, &THIS, NOW)), "busy", "what is known needs no room");
    let later = Timestamp(NOW.0 + LIFETIME);
    assert_eq!(met(&sessions.enter(&second, &THIS, later)), "open");
}

/// Entries of a log go when their own time comes, in whatever order they came.
#[test]
fn a_log_forgets_each_session_at_its_own_time() {
    let profile = Profile::SECURID;
    let log = Arc::new(MemoryReplayLog::new(2));
    let sessions = sealed_by(&server(profile.clone()), SEALING, Arc::clone(&log));
    let open = |now| sessions.open(pending(&profile, b"who"), now, &mut SysRng).expect("room");
    let (old, new) = (open(NOW), open(Timestamp(NOW.0 + 10)));
    for id in [&new, &old] {
        assert_eq!(met(&sessions.enter(id, &THIS, Timestamp(NOW.0 + 10))), "open");
    }
    let between = Timestamp(NOW.0 + LIFETIME);
    assert_eq!(met(&sessions.enter(&new, &THIS, between)), "busy");
    assert_eq!(log.len(), 1);
}

/// R_S comes out of the seal; what the client repeats is compared with it and no more.
#[test]
fn the_nonce_that_a_client_repeats_is_not_believed() {
    let profile = Profile::SECURID;
    let server = server(profile.clone());
    let sessions = sealed(profile.clone());
    let client = Client::new(ClientConfig::new(profile)).start(&mut SysRng).expect("R");
    let offer = server.hello(&client.message, Credentials::default(), &mut SysRng);
    let (pending, unnamed) = offer.expect("something in common").into_parts();
    let id = sessions.open(pending, NOW, &mut SysRng).expect("room");
    let ServerHello::Continue(mut offer) = unnamed.into_hello(id.clone()) else { panic!("offer") };
    // A man in the middle gives the client another R_S, and the client repeats that.
    offer.server_nonce = vec![9; 16];
    for extension in &mut offer.extensions {
        extension.kind = ctkip_core::message::ExtensionKind::Untyped(Some(vec![9; 16]));
    }
    let offer = ServerHello::Continue(offer);
    let nonce = client.state.receive(offer, &mut SysRng).expect("it looks good").message;
    let Entry::Open(pending) = sessions.enter(&id, &THIS, NOW) else { panic!("it is open") };
    let error = server.nonce(*pending, nonce).expect_err("it is another nonce").error;
    assert_eq!(error, ctkip_core::ServerError::NonceEcho);
}
