//! Every state, and every message in it: only the right one moves a run forward.

use crate::sessions::second_request;
use ctkip_core::message::{
    ClientNonce, Message, Refusal, ServerFinished, ServerHello, Status, Trigger, Version,
};
use ctkip_core::service::{Entry, Sessions};
use ctkip_core::wire::{Binding, WireResponse};
use ctkip_core::{Client, ClientConfig, Exchange, Progress, SessionId, Timestamp};
use ctkip_tests::pair::{
    LIFETIME, NOW, Office, Site, Variant, octets, post, post_at, response, site, status, trigger,
    word,
};
use getrandom::SysRng;

/// A shared key makes the quickest runs.
fn config(site: &Site) -> ClientConfig {
    let mut all = Variant::all().into_iter();
    let shared = |variant: &Variant| !variant.replaces && !variant.triggered;
    let last = all.by_ref().filter(shared).last().expect("there is one");
    last.client(site)
}

/// What a client may meet: a name, and an answer.
fn answers(site: &Site) -> Vec<(&'static str, WireResponse)> {
    let begin = || {
        let begun = Exchange::begin(Client::new(config(site)), Binding::Plain, &mut SysRng);
        begun.expect("it can start")
    };
    // A whole run of somebody else.
    let (exchange, first) = begin();
    let offer = post(site, &first.body).response;
    let Ok(Progress::Send(_, second)) = exchange.receive(&offer, &mut SysRng) else {
        panic!("a good offer")
    };
    let confirmation = post(site, &second.body).response;
    let echo = |body: &[u8]| WireResponse { status: 200, headers: vec![], body: body.to_vec() };
    let trigger =
        Trigger { version: Some(Version::V1_0), initialization: Some(trigger(site, None, None)) };
    let refusal = Refusal::new(Status::Abort);
    vec![
        ("trigger", response(&Message::Trigger(trigger))),
        ("client hello", echo(&first.body)),
        ("offer of another run", offer),
        ("refused hello", response(&Message::ServerHello(ServerHello::Refused(refusal.clone())))),
        ("client nonce", echo(&second.body)),
        ("confirmation of another run", confirmation),
        ("refusal", response(&Message::ServerFinished(ServerFinished::Refused(refusal)))),
        ("nothing", echo(b"")),
        ("no xml", echo(b"hello")),
        ("http 403", WireResponse { status: 403, headers: vec![], body: vec![] }),
        ("http 500", WireResponse { status: 500, headers: vec![], body: vec![] }),
    ]
}

#[test]
fn a_client_goes_on_with_the_right_message_only() {
    let site = site(Office::default());
    let names: Vec<&str> = answers(&site).into_iter().map(|(name, _)| name).collect();
    let [mut refused, mut forward] = [0, 0];
    // `None` stands for the answer of this very run.
    for wrong_first in names.iter().map(Some).chain([None]) {
        let begun = Exchange::begin(Client::new(config(&site)), Binding::Plain, &mut SysRng);
        let (exchange, request) = begun.expect("it can start");
        let right = post(&site, &request.body).response;
        let answer = wrong_first.map_or(right, |wrong| take(&site, wrong));
        let offer = WireResponse {
            status: answer.status,
            headers: answer.headers.clone(),
            body: answer.body.clone(),
        };
        let progress = exchange.receive(&answer, &mut SysRng);
        match (wrong_first, progress) {
            (None, Ok(Progress::Send(exchange, request))) => {
                // The second state, once for each answer; the first state is entered anew for it.
                drop((exchange, request));
                forward += 1;
            }
            // Nothing binds an offer to a run that replaces nothing: what comes of another's is
            // seen when MAC 2 fails (E45).
            (Some(&"offer of another run"), Ok(Progress::Send(exchange, _))) => {
                assert!(exchange.receive(&offer, &mut SysRng).is_err(), "the offer again");
            }
            (Some(_), Err(_)) => refused += 1,
            (name, progress) => panic!("{name:?}: {progress:?}"),
        }
    }
    assert_eq!((refused, forward), (names.len() - 1, 1));

    let [mut refused, mut forward] = [0, 0];
    for wrong_second in names.iter().chain([&"own offer again"]).map(Some).chain([None]) {
        let begun = Exchange::begin(Client::new(config(&site)), Binding::Plain, &mut SysRng);
        let (exchange, request) = begun.expect("it can start");
        let offer = post(&site, &request.body).response;
        let Ok(Progress::Send(exchange, request)) = exchange.receive(&offer, &mut SysRng) else {
            panic!("a good offer")
        };
        let right = post(&site, &request.body).response;
        let answer = match wrong_second {
            None => right,
            Some(&"own offer again") => offer,
            Some(wrong) => take(&site, wrong),
        };
        match (wrong_second, exchange.receive(&answer, &mut SysRng)) {
            (None, Ok(Progress::Done(_))) => forward += 1,
            (Some(_), Err(_)) => refused += 1,
            (name, progress) => panic!("{name:?}: {progress:?}"),
        }
    }
    assert_eq!((refused, forward), (names.len() + 1, 1));
}

fn take(site: &Site, name: &str) -> WireResponse {
    let found = answers(site).into_iter().find(|(known, _)| *known == name);
    found.expect("it is among them").1
}

/// The states of a session at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Open,
    InProgress,
    Failed,
    Answered,
    Expired,
}

const STATES: [State; 6] = [
    State::Unknown,
    State::Open,
    State::InProgress,
    State::Failed,
    State::Answered,
    State::Expired,
];

/// Brings a new session into a state; gives its second request, and when to post it.
fn bring(site: &Site, state: State) -> (ClientNonce, Timestamp) {
    let (nonce, _) = second_request(site);
    let body = octets(&Message::ClientNonce(nonce.clone()));
    match state {
        State::Open => {}
        State::Unknown => {
            let session_id = SessionId::new("unknown".into());
            return (ClientNonce { session_id, ..nonce }, NOW);
        }
        // Somebody else is at it, with another request.
        State::InProgress => {
            let entry = site.sessions().enter(&nonce.session_id, &[0; 32], NOW);
            assert!(matches!(entry, Entry::Open(_)));
        }
        State::Failed => {
            let bad = ClientNonce { encrypted_nonce: vec![1], ..nonce.clone() };
            let answer = post(site, &octets(&Message::ClientNonce(bad)));
            assert_eq!(status(&answer.response), Status::InitializationFailed);
        }
        State::Answered => {
            assert_eq!(status(&post(site, &body).response), Status::Success);
        }
        State::Expired => return (nonce, Timestamp(NOW.0 + LIFETIME)),
    }
    (nonce, NOW)
}

#[test]
fn a_server_goes_on_with_the_right_message_only() {
    let mut cases = 0;
    for state in STATES {
        for (name, expected) in [
            ("client hello", "Opened"),
            (
                "client nonce",
                match state {
                    State::Open => "Committed",
                    State::Answered => "Repeated",
                    _ => "Rejected",
                },
            ),
            // In an open session it does not decrypt.
            ("another nonce", "Rejected"),
            ("offer", "Unreadable"),
            ("confirmation", "Unreadable"),
            ("refusal", "Unreadable"),
            ("trigger", "Unreadable"),
            ("garbage", "Unreadable"),
        ] {
            let site = site(Office::default());
            let (nonce, now) = bring(&site, state);
            let before = site.issuer().committed().len();
            let of = |answer| {
                let answers = answers(&site);
                let found = answers.into_iter().find(|(known, _)| *known == answer);
                let other = site.issuer().committed().len() - before;
                (found.expect("it is among them").1.body.clone(), other)
            };
            let (body, others) = match name {
                "client hello" => of("client hello"),
                "client nonce" => (octets(&Message::ClientNonce(nonce)), 0),
                "another nonce" => {
                    let other = ClientNonce { encrypted_nonce: vec![2; 256], ..nonce };
                    (octets(&Message::ClientNonce(other)), 0)
                }
                "offer" => of("offer of another run"),
                "confirmation" => of("confirmation of another run"),
                "refusal" => of("refusal"),
                "trigger" => of("trigger"),
                _ => (b"garbage".to_vec(), 0),
            };
            let handled = post_at(&site, &body, now);
            assert_eq!(word(&handled.event), expected, "{name} in {state:?}: {:?}", handled.event);
            let committed = site.issuer().committed().len() - before - others;
            assert_eq!(committed, usize::from(expected == "Committed"), "{name} in {state:?}");
            cases += 1;
        }
    }
    assert_eq!(cases, 6 * 8);
}
