//! Sessions that are stored, and sessions that are sealed into their identifiers: what a
//! `ClientNonce` meets is the same in both, and what is sealed stays as it was.

mod sealed;
mod waiting;

use ctkip_core::message::{Refusal, ServerFinished, Status};
use ctkip_core::service::{
    Answer, End, Entry, Full, Issuer, MemoryReplayLog, MemorySessions, NonceDigest, SealedSessions,
    SealingKey, ServerBinding, Service, ServiceRequest, Sessions,
};
use ctkip_core::wire::{Binding, plain};
use ctkip_core::{
    Client, ClientConfig, Credentials, Exchange, Grant, Pending, PinSettings, Profile, Progress,
    Server, ServerConfig, SessionId, Timestamp,
};
use ctkip_tests::pair::{Key, LIFETIME, NOW, server_config};
use getrandom::SysRng;
use rand_core::TryCryptoRng;
use std::sync::Arc;
use std::thread;

type Sealed = SealedSessions<Arc<MemoryReplayLog>, MemorySessions>;

/// Either store.
enum Store {
    Stored(MemorySessions),
    Sealed(Box<Sealed>),
}

impl Sessions for Store {
    fn open<R: TryCryptoRng + ?Sized>(
        &self,
        pending: Pending,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<SessionId, Full> {
        match self {
            Self::Stored(sessions) => sessions.open(pending, now, rng),
            Self::Sealed(sessions) => sessions.open(pending, now, rng),
        }
    }

    fn enter(&self, id: &SessionId, digest: &NonceDigest, now: Timestamp) -> Entry {
        match self {
            Self::Stored(sessions) => sessions.enter(id, digest, now),
            Self::Sealed(sessions) => sessions.enter(id, digest, now),
        }
    }

    fn leave(&self, id: &SessionId, end: End) {
        match self {
            Self::Stored(sessions) => sessions.leave(id, end),
            Self::Sealed(sessions) => sessions.leave(id, end),
        }
    }
}

const SEALING: [u8; 32] = [0x5E; 32];

fn server(profile: Profile) -> Server {
    Server::new(ServerConfig::new(profile, Key.get().public().clone()))
}

fn sealed_by(server: &Server, sealing: [u8; 32], log: Arc<MemoryReplayLog>) -> Sealed {
    let stored = MemorySessions::new(server.profile().layout, 100, LIFETIME);
    SealedSessions::new(server, &SealingKey::new(sealing), LIFETIME, log, stored)
}

fn sealed(profile: Profile) -> Sealed {
    sealed_by(&server(profile), SEALING, Arc::new(MemoryReplayLog::new(100)))
}

/// Every store, for a server of this profile.
fn stores(profile: &Profile) -> [Store; 2] {
    [
        Store::Stored(MemorySessions::new(profile.layout, 100, LIFETIME)),
        Store::Sealed(Box::new(sealed(profile.clone()))),
    ]
}

const PROFILES: [Profile; 2] = [Profile::RFC4758, Profile::SECURID];

/// A session that fits into its identifier.
fn pending(profile: &Profile, grant: &[u8]) -> Pending {
    let client = Client::new(ClientConfig::new(profile.clone())).start(&mut SysRng).expect("R");
    let offer = server(profile.clone())
        .hello(&client.message, Credentials::default(), &mut SysRng)
        .expect("something in common");
    offer.grant(Grant::new(grant.to_vec()).expect("short")).into_parts().0
}

fn answer() -> Answer {
    let finished = ServerFinished::Refused(Refusal::new(Status::AccessDenied));
    Answer { finished, pin: PinSettings::default(), grant: Grant::default() }
}

fn met(entry: &Entry) -> &'static str {
    match entry {
        Entry::Open(_) => "open",
        Entry::Answered(_) => "answered",
        Entry::Busy => "busy",
        Entry::Unknown => "unknown",
        _ => "full",
    }
}

const THIS: NonceDigest = [1; 32];
const OTHER: NonceDigest = [2; 32];

/// Brings an open session as far as it is to be.
type Bring = fn(&Store, &SessionId);

/// How far the session has come, and what a `ClientNonce` meets: the same one, and another.
const TABLE: [(&str, Bring, &str, &str); 5] = [
    ("open", |_, _| {}, "open", "open"),
    (
        "in progress",
        |store, id| assert_eq!(met(&store.enter(id, &THIS, NOW)), "open"),
        "busy",
        "unknown",
    ),
    (
        "failed",
        |store, id| {
            let _ = store.enter(id, &THIS, NOW);
            store.leave(id, End::Failed);
        },
        "unknown",
        "unknown",
    ),
    (
        "committed",
        |store, id| {
            let _ = store.enter(id, &THIS, NOW);
            store.leave(id, End::Answered(Box::new(answer())));
        },
        "answered",
        "unknown",
    ),
    (
        "undecided",
        |store, id| {
            let _ = store.enter(id, &THIS, NOW);
            store.leave(id, End::Undecided);
        },
        "open",
        "open",
    ),
];

#[test]
fn what_a_client_nonce_meets_is_the_same_in_every_store() {
    let mut rows = 0;
    for profile in PROFILES {
        for (state, bring, same, other) in TABLE {
            for (digest, expected) in [(THIS, same), (OTHER, other)] {
                for store in stores(&profile) {
                    let name = format!("{state}, {}, {digest:?}", profile.name);
                    let id = store.open(pending(&profile, b"who"), NOW, &mut SysRng).expect("room");
                    bring(&store, &id);
                    // Another session is not touched by it.
                    let next = store.open(pending(&profile, b"who"), NOW, &mut SysRng);
                    let late = Timestamp(NOW.0 + LIFETIME - 1);
                    assert_eq!(met(&store.enter(&id, &digest, late)), expected, "{name}");
                    let next = store.enter(&next.expect("room"), &digest, late);
                    assert_eq!(met(&next), "open", "{name}");
                    // A second ending changes nothing, and neither does a refused request.
                    if state == "committed" {
                        store.leave(&id, End::Failed);
                        assert_eq!(met(&store.enter(&id, &THIS, late)), "answered", "{name}");
                    }
                    rows += 1;
                }
            }
        }
    }
    assert_eq!(rows, 2 * 5 * 2 * 2);
}

#[test]
fn every_state_ends_with_the_session() {
    for profile in PROFILES {
        for (state, bring, ..) in TABLE {
            for store in stores(&profile) {
                let id = store.open(pending(&profile, b"who"), NOW, &mut SysRng).expect("room");
                bring(&store, &id);
                let late = Timestamp(NOW.0 + LIFETIME);
                assert_eq!(met(&store.enter(&id, &THIS, late)), "unknown", "{state}");
                // What ends later than the session does no harm.
                store.leave(&id, End::Answered(Box::new(answer())));
                assert_eq!(met(&store.enter(&id, &THIS, late)), "unknown", "{state}");
            }
        }
    }
}

/// Many threads with the same request: one processes it.
#[test]
fn of_many_at_once_one_is_let_in() {
    for profile in PROFILES {
        for store in stores(&profile) {
            let id = store.open(pending(&profile, b"who"), NOW, &mut SysRng).expect("room");
            let entered: Vec<&str> = thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|n| {
                        let (store, id) = (&store, &id);
                        scope.spawn(move || met(&store.enter(id, &[n % 2; 32], NOW)))
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
            });
            let count = |word| entered.iter().filter(|entered| **entered == word).count();
            assert_eq!((count("open"), count("busy"), count("unknown")), (1, 3, 4), "{entered:?}");
        }
    }
}

/// The whole of both roles, over every store.
type Site<I> = Service<Store, Key, I>;

/// A server of octets, by the RFC.
fn site<I: Issuer>(store: Store, issuer: I) -> Site<I> {
    Service::new(Server::new(server_config()), ServerBinding::Plain, store, Key, issuer)
}

/// A client of the RFC's profile, up to its second request, which goes anywhere.
fn second<I: Issuer>(site: &Site<I>, config: ClientConfig) -> (Vec<u8>, Exchange) {
    let begun = Exchange::begin(Client::new(config), Binding::Plain, &mut SysRng);
    let (exchange, request) = begun.expect("it can start");
    let headers = vec![("Content-Type".into(), plain::MEDIA_TYPE.into())];
    let request = ServiceRequest {
        method: "POST",
        path: "/",
        headers: &headers,
        body: &request.body,
        source: None,
    };
    let handled = site.handle(request, NOW, &mut SysRng);
    match exchange.receive(&handled.response, &mut SysRng).expect("an offer") {
        Progress::Send(exchange, request) => (request.body.clone(), exchange),
        Progress::Done(_) => panic!("there is a second request"),
    }
}
