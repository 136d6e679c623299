//! Client and server in one process: every fault with its outcome, both men in the middle, and what
//! an activation code is good for.

use ctkip_core::service::{Event, ServiceRequest};
use ctkip_core::wire::{Binding, WireRequest, WireResponse};
use ctkip_core::{ClientErrorKind, NewToken, Timestamp};
use ctkip_tests::cases::{CODE, Dialect, SERIAL, check_all};
use ctkip_transport::{Outcome, RunError, Transport};
use ctkip_transport_loopback::{
    Enrolment, Fault, Loopback, ManInTheMiddle, MemoryIssuer, MemoryService, service,
};
use getrandom::SysRng;
use std::iter::repeat_with;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::thread;

#[test]
fn every_case_ends_as_the_table_says() {
    check_all(|mut loopback, run| (run.over(&mut loopback, &mut SysRng), loopback));
}

#[test]
fn every_case_ends_so_asynchronously_too() {
    check_all(|mut loopback, run| (at_once(run.over_async(&mut loopback, &mut SysRng)), loopback));
}

/// What a future gives that never waits.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the loopback transport does not wait"),
    }
}

fn kind(result: Result<NewToken, RunError>) -> (ClientErrorKind, Outcome) {
    match result {
        Err(RunError::Client { error, outcome }) => (error.kind(), outcome),
        other => panic!("the client does not end it: {other:?}"),
    }
}

#[test]
fn the_mac_gives_away_who_only_swaps_the_key() {
    for dialect in Dialect::all() {
        let service = dialect.service();
        let mut man = ManInTheMiddle::new(dialect.profile.clone(), Dialect::key(), SysRng);
        let mut transport =
            Loopback::new(&service, SysRng).man(|request, on| man.carry(request, on));
        let result = dialect.run(dialect.config(), CODE).over(&mut transport, &mut SysRng);
        // The server took his ClientNonce for the client's.
        assert_eq!(kind(result), (ClientErrorKind::Mac, Outcome::MayBeCommitted), "{dialect:?}");
        assert_eq!(service.issuer().keys().len(), 1, "{dialect:?}");
    }
}

#[test]
fn only_a_pin_gives_away_who_recomputes_the_mac() {
    for dialect in Dialect::all() {
        let through = |service: &MemoryService, config| {
            let man = ManInTheMiddle::new(dialect.profile.clone(), Dialect::key(), SysRng);
            let mut man = man.recomputing_mac();
            let mut transport =
                Loopback::new(service, SysRng).man(|request, on| man.carry(request, on));
            let result = dialect.run(config, CODE).over(&mut transport, &mut SysRng);
            drop(transport);
            (result, man)
        };

        let service = dialect.service();
        let (result, man) = through(&service, dialect.config());
        let token = result.expect("the client notices nothing");
        let his = man.client_key().expect("he saw R_C");
        assert!(his.matches(token.key().expose()), "{dialect:?}: he has the client's key");
        assert!(
            !service.issuer().keys()[0].matches(his.expose()),
            "{dialect:?}: the server has it not"
        );

        let service = dialect.service();
        let pinned = dialect.config().pin_server_key([7; 32]);
        let (result, man) = through(&service, pinned);
        let refused = (ClientErrorKind::KeyNotPinned, Outcome::NothingCommitted);
        assert_eq!(kind(result), refused, "{dialect:?}");
        assert!(man.client_key().is_none() && service.issuer().keys().is_empty(), "{dialect:?}");
    }
}

#[test]
fn the_servers_own_key_passes_its_pin() {
    for dialect in Dialect::all() {
        let key = Dialect::key();
        let config = dialect.config().pin_server_key(key.public().fingerprint());
        let issuer = MemoryIssuer::new(Enrolment::new(SERIAL));
        let service = service(dialect.profile.clone(), dialect.binding, key, issuer);
        let mut transport = Loopback::new(&service, SysRng);
        dialect.run(config, CODE).over(&mut transport, &mut SysRng).expect("the key is pinned");
    }
}

fn copy(response: &WireResponse) -> WireResponse {
    WireResponse {
        status: response.status,
        headers: response.headers.clone(),
        body: response.body.clone(),
    }
}

#[test]
fn another_nonce_in_a_finished_session_is_refused_and_the_answer_stays() {
    for dialect in Dialect::all() {
        let service = dialect.service();
        let mut first = Loopback::new(&service, SysRng);
        dialect.run(dialect.config(), CODE).over(&mut first, &mut SysRng).expect("a token");
        let [hello, nonce] = &first.transcript().iter().collect::<Vec<_>>()[..] else {
            panic!("two requests make a run")
        };

        // The same ServerHello leads another client into the same session.
        let recorded = Fault::Answer(copy(hello.expose_response()));
        let mut second = Loopback::new(&service, SysRng).script([recorded]);
        let result = dialect.run(dialect.config(), CODE).over(&mut second, &mut SysRng);
        assert_eq!(result.expect_err("another nonce").outcome(), Outcome::Refused, "{dialect:?}");

        let again = send_again(&service, nonce.expose_request());
        assert!(matches!(again.1, Event::Repeated(_)), "{dialect:?}: {:?}", again.1);
        assert_eq!(again.0.body, nonce.expose_response().body, "{dialect:?}");
        assert_eq!(service.issuer().keys().len(), 1, "{dialect:?}");
    }
}

fn send_again(service: &MemoryService, request: &WireRequest) -> (WireResponse, Event) {
    let WireRequest { headers, body } = request;
    let request = ServiceRequest { method: "POST", path: "/", headers, body, source: None };
    let handled = service.handle(request, Timestamp(0), &mut SysRng);
    (handled.response, handled.event)
}

#[test]
fn a_wrong_code_is_refused_and_spends_nothing() {
    for dialect in Dialect::all() {
        let service = dialect.service();
        let run = |code| {
            let mut transport = Loopback::new(&service, SysRng);
            dialect.run(dialect.config(), code).over(&mut transport, &mut SysRng)
        };
        if matches!(dialect.client_binding(CODE), Binding::Soap(_)) {
            let error = run("271828182845").expect_err("no such code");
            assert_eq!(error.outcome(), Outcome::Refused);
        }
        run(CODE).expect("the code is still good");
        assert_eq!(run(CODE).expect_err("the code is spent").outcome(), Outcome::Refused);
        assert_eq!(service.issuer().keys().len(), 1);
    }
}

#[test]
fn two_clients_that_race_get_one_token() {
    let dialect = &Dialect::all()[0];
    for _ in 0..20 {
        let service = dialect.service();
        let both_have_a_session = Barrier::new(2);
        let race = || {
            let mut line = Loopback::new(&service, SysRng);
            let mut requests = 0;
            let mut transport = |request: &WireRequest| {
                requests += 1;
                if requests == 2 {
                    both_have_a_session.wait();
                }
                Transport::post(&mut line, request)
            };
            dialect.run(dialect.config(), CODE).over(&mut transport, &mut SysRng)
        };
        let results = thread::scope(|scope| {
            [scope.spawn(race), scope.spawn(race)].map(|thread| thread.join().expect("no panic"))
        });
        let keys = service.issuer().keys();
        assert_eq!(keys.len(), 1);
        let (winners, losers): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        let [Ok(winner)] = &winners[..] else { panic!("{winners:?}") };
        assert!(keys[0].matches(winner.key().expose()));
        let [Err(loser)] = &losers[..] else { panic!("{losers:?}") };
        assert_eq!(loser.outcome(), Outcome::Refused);
    }
}

/// Makes a fault that flips the bit of this number.
type Flip = fn(usize) -> Fault;

#[test]
fn a_flipped_bit_never_makes_a_token_with_another_key() {
    let places: [(usize, Flip); 4] = [
        (0, Fault::FlipRequest),
        (0, Fault::FlipAnswer),
        (1, Fault::FlipRequest),
        (1, Fault::FlipAnswer),
    ];
    for dialect in Dialect::all() {
        let (mut tokens, mut failures) = (0, 0);
        let mut service = dialect.service();
        for (before, fault) in places {
            for bit in (0..24_000).step_by(997) {
                if !service.issuer().keys().is_empty() {
                    service = dialect.service();
                }
                let script = repeat_with(|| Fault::Deliver).take(before).chain([fault(bit)]);
                let mut transport = Loopback::new(&service, SysRng).script(script);
                match dialect.run(dialect.config(), CODE).over(&mut transport, &mut SysRng) {
                    Ok(token) => {
                        let keys = service.issuer().keys();
                        assert!(
                            keys[0].matches(token.key().expose()),
                            "{dialect:?} {before} {bit}"
                        );
                        tokens += 1;
                    }
                    Err(_) => failures += 1,
                }
            }
        }
        assert!(tokens > 0 && failures > 0, "{dialect:?}: {tokens} tokens, {failures} failures");
    }
}

#[test]
fn the_transcript_tells_no_secret() {
    let dialect = &Dialect::all()[0];
    let service = dialect.service();
    let mut transport = Loopback::new(&service, SysRng);
    let token =
        dialect.run(dialect.config(), CODE).over(&mut transport, &mut SysRng).expect("a token");
    let seed: String = token.key().expose().iter().map(|octet| format!("{octet:02x}")).collect();
    let told = format!("{0} {0:?} {1:?}", transport.transcript(), transport);
    assert!(told.contains("Committed"), "{told}");
    assert!(!told.contains(CODE) && !told.contains(&seed), "{told}");
    // The octets are there for who asks.
    let [hello, _] = &transport.transcript().iter().collect::<Vec<_>>()[..] else {
        panic!("{told}")
    };
    assert!(String::from_utf8_lossy(&hello.expose_request().body).contains(CODE));
}
