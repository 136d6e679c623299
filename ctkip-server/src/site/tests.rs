//! Clients at nodes over a register, without a network.

use super::*;
use crate::store::{Cause, State as Standing};
use crate::testing::{House, NOW, Node, Place, Run, Watched, at_once, enrolment, random, seen};
use crate::{NewCode, RegistryError, Shown};
use ctkip_core::service::Event;
use ctkip_core::wire::Binding;
use ctkip_core::{Client, ClientConfig, ClientError, Exchange, NewToken, Progress};
use ctkip_token::{Digits, ExpiryDay, FromCtkip, Interval, Seed, Serial, Token};
use ctkip_transport_axum::Server;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;

fn later(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 + seconds)
}

fn limits(per_source: u64, total: u64) -> SiteOptions {
    let guesses = GuessLimits { per_source, total, ..GuessLimits::default() };
    SiteOptions { guesses, ..SiteOptions::default() }
}

/// The token's code of a time.
fn tokencode(token: &NewToken, now: Timestamp) -> String {
    let settings = token.settings();
    let token = Token::from_ctkip(FromCtkip {
        k_token: Seed::from_slice(token.key().expose()).unwrap(),
        serial: Serial::new(std::str::from_utf8(&token.record().token_id).unwrap()).unwrap(),
        expiry: ExpiryDay::from_date("2035-12-31").unwrap(),
        issuer: "",
        user: "",
        digits: Digits::new(settings.digits).unwrap(),
        interval: Interval::new(settings.interval.into()).unwrap(),
        add_pin: false,
        pin_type: 0,
    });
    token.tokencode(now.0, None).expose().to_owned()
}

#[test]
fn a_token_is_provisioned_in_both_dialects() {
    for place in Place::all() {
        let house = House::new(place);
        let node = house.node();
        for dialect in Dialect::ALL {
            let shown = node.enrol(dialect);
            assert_eq!(node.serial_state(&shown), Standing::Open);
            let token = node.provision(&shown);
            let serial = &shown.enrolled.enrolment.serial;
            assert_eq!(token.record().token_id, serial.as_bytes());
            assert_eq!((token.settings().digits, token.settings().interval), (8, 60));
            assert_eq!(token.settings().user, "alice");
            assert_eq!(token.settings().issuer, "example.com");
            assert_eq!(node.serial_state(&shown), Standing::Unconfirmed);

            // What the client holds is what the register holds.
            let exported = node.registry.export("a test", NOW).unwrap();
            let kept = exported.tokens.iter().find(|kept| kept.enrolled == shown.enrolled).unwrap();
            assert_eq!(kept.key.expose(), token.key().expose());
            assert_eq!((kept.confirmed, exported.tampered.len()), (None, 0));

            let code = tokencode(&token, later(60));
            let verify = |code: &str| node.registry.verify(serial, code, None, 1, NOW);
            let wrong = if code == "00000000" { "11111111" } else { "00000000" };
            assert_eq!(verify(wrong), Err(RegistryError::WrongTokencode(serial.clone())));
            let verified = verify(&code).unwrap();
            assert_eq!((verified.drift, verified.first), (1, true));
            assert_eq!(verify(&code), Err(RegistryError::RepeatedTokencode(serial.clone())));
            let before = tokencode(&token, NOW);
            assert_eq!(verify(&before), Err(RegistryError::RepeatedTokencode(serial.clone())));
            assert_eq!(node.serial_state(&shown), Standing::Confirmed);
            let again = node.registry.reissue(serial, NewCode::default(), NOW, &mut SysRng);
            assert_eq!(again.unwrap_err(), RegistryError::Confirmed(serial.clone()));
        }
        let log = node.registry.store().audit_log(99).unwrap();
        let events: Vec<&str> = log.iter().map(|entry| &*entry.event).collect();
        for event in [
            "key made",
            "enrolled",
            "issued",
            "exported",
            "confirmed",
            "tokencode refused",
            "tokencode repeated",
        ] {
            assert!(events.contains(&event), "{event}: {events:?}");
        }
    }
}

#[test]
fn a_trigger_is_good_for_its_device_and_one_run() {
    for place in Place::all() {
        let house = House::new(place);
        let node = house.node();
        let bound = || {
            let device = Some("device 1".to_owned());
            node.enrol_as(crate::Enrolment { device, ..enrolment("", Dialect::Rfc4758) })
        };
        let shown = bound();
        let with = |change: fn(&mut ctkip_core::message::InitializationTrigger)| {
            let mut trigger = shown.trigger(None).unwrap().initialization.unwrap();
            change(&mut trigger);
            let config = ClientConfig::new(Dialect::Rfc4758.profile()).trigger(trigger);
            Run::new(Dialect::Rfc4758, config, Binding::Plain)
        };
        // Neither another device nor none spends anything.
        for run in [with(|t| t.token_id = Some(b"device 2".to_vec())), with(|t| t.token_id = None)]
        {
            assert!(matches!(run.post(&node).event, Event::CodeRefused));
        }
        assert_eq!(node.causes(), ["identifiers", "identifiers"]);
        assert_eq!(node.serial_state(&shown), Standing::Open);
        let token = node.provision(&shown);
        assert_eq!(token.record().token_id, b"device 1");
        assert_eq!(node.serial_state(&shown), Standing::Unconfirmed);

        // Of many who have a trigger one begins.
        let shown = bound();
        let begun = at_once(8, |_| {
            let run = Run::of(&shown);
            let handled = run.post(&node);
            matches!(handled.event, Event::Opened(_)).then_some((run, handled))
        });
        let mut begun: Vec<_> = begun.into_iter().flatten().collect();
        assert_eq!(begun.len(), 1);
        assert_eq!(node.serial_state(&shown), Standing::Spent);
        let (mut run, handled) = begun.pop().unwrap();
        assert!(run.take(&handled).unwrap().is_none());
        assert!(run.step(&node).is_some());
        assert_eq!(node.serial_state(&shown), Standing::Unconfirmed);
    }
}

/// The refusal of a client, and the cause that was noted.
fn refusal(
    node: &Node,
    run: &Run,
    now: Timestamp,
    cause: Cause,
) -> (u16, ctkip_core::wire::Headers, String) {
    let handled = run.post_from(node, "192.0.2.1", now);
    assert!(matches!(handled.event, Event::CodeRefused), "{cause}: {:?}", handled.event);
    assert_eq!(node.causes().last().map(String::as_str), Some(cause.name()));
    assert!(node.site.0.metrics.text().contains(&format!("cause=\"{cause}\"")));
    seen(&handled)
}

#[test]
fn refusals_are_alike_to_the_octet() {
    for dialect in Dialect::ALL {
        let house = House::new(Place::memory());
        let node = house.node_over(house.place.open(), limits(3, 100));
        let shown = || node.enrol(dialect);
        let mut all = Vec::new();
        let mut refused =
            |run: &Run, now, cause| all.push((cause, refusal(&node, run, now, cause)));

        let wrong = Shown {
            code: ctkip_core::ActivationCode::new(b"9999999999999999".to_vec()),
            ..shown()
        };
        refused(&Run::of(&wrong), NOW, Cause::Wrong);
        let used = shown();
        node.provision(&used);
        refused(&Run::of(&used), NOW, Cause::Used);
        let expired = shown();
        refused(&Run::of(&expired), expired.expiry, Cause::Expired);
        let revoked = shown();
        node.registry.revoke(&revoked.enrolled.enrolment.serial, NOW).unwrap();
        refused(&Run::of(&revoked), NOW, Cause::Revoked);
        let replaced = shown();
        let serial = &replaced.enrolled.enrolment.serial;
        node.registry.reissue(serial, NewCode::default(), NOW, &mut SysRng).unwrap();
        refused(&Run::of(&replaced), NOW, Cause::Revoked);
        let mut missing = Run::of(&shown());
        if dialect == Dialect::Securid {
            missing.request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        } else {
            missing = Run::new(dialect, ClientConfig::new(dialect.profile()), Binding::Plain);
        }
        refused(&missing, NOW, Cause::Missing);
        if dialect == Dialect::Securid {
            // Another enrolment's code in the second request.
            let (own, other) = (shown(), shown());
            let mut run = Run::of(&own);
            assert!(run.step(&node).is_none());
            let swap = |octets: &[u8]| {
                let text = std::str::from_utf8(octets).unwrap();
                text.replace(own.code.text().unwrap(), other.code.text().unwrap()).into_bytes()
            };
            run.request.body = swap(&run.request.body);
            run.request.headers.iter_mut().for_each(|(_, value)| *value = swap(value));
            refused(&run, NOW, Cause::OtherEnrolment);
            assert_eq!(node.serial_state(&own), Standing::Open);
            assert_eq!(node.serial_state(&other), Standing::Open);
            node.provision(&own);
            node.provision(&other);
        }
        let orphan = shown();
        node.registry.rotate_key(2048, later(1), &mut SysRng).unwrap();
        let old = crate::registry::keys_hex(&orphan.key);
        node.registry.retire_key(&old, true, NOW).unwrap();
        node.site.tidy(NOW).unwrap();
        refused(&Run::of(&orphan), NOW, Cause::Key);
        for _ in 0..2 {
            refused(&Run::of(&wrong), NOW, Cause::Wrong);
        }
        let good = shown();
        refused(&Run::of(&good), NOW, Cause::Throttled);
        refused(&Run::of(&wrong), NOW, Cause::Throttled);
        assert_eq!(node.causes().iter().filter(|cause| *cause == "throttled").count(), 1);
        // The next window, and another source, are free.
        assert!(
            matches!(Run::of(&good).post_from(&node, "192.0.2.2", NOW).event, Event::Opened(_))
                || dialect == Dialect::Rfc4758
        );
        for (cause, other) in &all {
            assert_eq!(*other, all[0].1, "{dialect:?} {cause}");
        }
    }
}

#[test]
fn a_hello_spends_nothing() {
    for place in Place::all() {
        let house = House::new(place);
        let node = house.node();
        let shown = node.enrol(Dialect::Securid);
        for _ in 0..20 {
            assert!(Run::of(&shown).step(&node).is_none());
        }
        // Whoever comes to the end first has the token; who was open before is refused like anybody.
        let mut late = Run::of(&shown);
        assert!(late.step(&node).is_none());
        node.provision(&shown);
        let handled = late.post(&node);
        assert!(matches!(handled.event, Event::CodeRefused));
        assert_eq!(node.causes(), ["used"]);
        assert_eq!(seen(&handled), seen(&Run::guess("123456789012").post(&node)));
    }
}

#[test]
fn a_repeated_request_gets_the_same_answer_everywhere() {
    for place in Place::all() {
        let house = House::new(place);
        for dialect in Dialect::ALL {
            let (one, other) = (house.node(), house.node());
            let shown = one.enrol(dialect);
            let mut run = Run::of(&shown);
            assert!(run.step(&one).is_none());
            // Begun at one node, ended at another.
            let first = run.post(&other);
            assert!(matches!(first.event, Event::Committed(_)), "{:?}", first.event);
            for node in [&other, &one, &house.node()] {
                let again = run.post(node);
                assert!(matches!(again.event, Event::Repeated(_)), "{:?}", again.event);
                assert_eq!(seen(&again), seen(&first));
            }
            drop((one, other));
            let reopened = house.node();
            let again = run.post_from(&reopened, "192.0.2.9", later(299));
            assert_eq!(seen(&again), seen(&first));
            assert!(run.take(&again).unwrap().is_some());
            assert_eq!(reopened.registry.export("a test", NOW).unwrap().tokens.len(), 1);
            reopened.registry.revoke(&shown.enrolled.enrolment.serial, NOW).unwrap();
        }
    }
}

#[test]
fn at_once_and_everywhere_a_request_is_one_token() {
    for place in Place::all() {
        let house = House::new(place);
        let nodes = [house.node(), house.node()];
        let shown = nodes[0].enrol(Dialect::Securid);
        let mut run = Run::of(&shown);
        assert!(run.step(&nodes[0]).is_none());
        let answers = at_once(8, |number| {
            loop {
                let handled = run.post(&nodes[number % 2]);
                if !matches!(handled.event, Event::Busy) {
                    break handled;
                }
            }
        });
        let committed = answers.iter().filter(|one| matches!(one.event, Event::Committed(_)));
        assert_eq!(committed.count(), 1);
        assert!(answers.iter().all(|one| seen(one) == seen(&answers[0])));
        assert!(run.take(&answers[0]).unwrap().is_some());

        // Many clients, one code.
        let shown = nodes[0].enrol(Dialect::Securid);
        let tokens = at_once(8, |number| {
            let (mut run, node) = (Run::of(&shown), &nodes[number % 2]);
            let hello = run.post(node);
            run.take(&hello).ok()?;
            run.take(&run.post(node)).ok()?
        });
        let tokens: Vec<_> = tokens.into_iter().flatten().collect();
        assert_eq!(tokens.len(), 1);
        let kept = nodes[1].registry.export("a test", NOW).unwrap().tokens;
        assert!(kept.iter().any(|kept| kept.key.expose() == tokens[0].key().expose()));
    }
}

#[test]
fn the_stored_answer_stays() {
    for place in Place::all() {
        let house = House::new(place);
        let node = house.node();
        let shown = node.enrol(Dialect::Securid);
        let mut run = Run::of(&shown);
        let mut other = Run::of(&shown);
        let hello = run.post(&node);
        // Another EncryptedNonce in the same session.
        assert!(run.take(&hello).unwrap().is_none());
        assert!(other.take(&hello).unwrap().is_none());
        assert_ne!(run.request.body, other.request.body);
        let first = run.post(&node);
        assert!(matches!(first.event, Event::Committed(_)));
        for node in [&node, &house.node()] {
            assert!(matches!(other.post(node).event, Event::CodeRefused));
            assert_eq!(seen(&run.post(node)), seen(&first));
            // Nor does another's code end it.
            let mut foreign = Run::guess("111111111111");
            let code = shown.code.text().unwrap();
            let swap = |octets: &[u8]| {
                let text = std::str::from_utf8(octets).unwrap();
                text.replace(code, "111111111111").into_bytes()
            };
            foreign.request.body = swap(&run.request.body);
            foreign.request.headers = run
                .request
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), swap(value)))
                .collect();
            assert!(matches!(foreign.post(node).event, Event::CodeRefused));
            assert_eq!(seen(&run.post(node)), seen(&first));
        }
        // A session that failed before it committed is over.
        let shown = node.enrol(Dialect::Securid);
        let mut run = Run::of(&shown);
        assert!(run.step(&node).is_none());
        let body = run.request.body.clone();
        let mut foreign = Run::guess("111111111111");
        foreign.request.headers = run.request.headers.clone();
        foreign.request.headers.iter_mut().for_each(|(_, value)| {
            let text = std::str::from_utf8(value).unwrap();
            *value = text.replace(shown.code.text().unwrap(), "111111111111").into_bytes();
        });
        let text = std::str::from_utf8(&body).unwrap();
        foreign.request.body =
            text.replace(shown.code.text().unwrap(), "111111111111").into_bytes();
        assert!(matches!(foreign.post(&node).event, Event::CodeRefused));
        assert!(matches!(run.post(&node).event, Event::Rejected(_)));
        assert!(node.site.0.soap.sessions().is_idle());
    }
}

#[test]
fn a_store_that_fails_at_the_commit_is_asked_again() {
    for place in Place::all() {
        let house = House::new(place);
        let watched = Watched::new(house.place.open());
        let node = house.node_over(Arc::clone(&watched) as _, SiteOptions::default());
        let mut provisioned = 0;
        for dialect in Dialect::ALL {
            // Before anything was done, and after.
            for failing in [1, 2] {
                let shown = node.enrol(dialect);
                let mut run = Run::of(&shown);
                assert!(run.step(&node).is_none());
                watched.failing.store(failing, Ordering::SeqCst);
                for _ in 0..failing {
                    let handled = run.post(&node);
                    assert_eq!(handled.response.status, 503);
                    assert!(handled.response.headers.iter().any(|(name, _)| name == "Retry-After"));
                }
                let handled = run.post(&node);
                let token = run.take(&handled).unwrap().unwrap();
                provisioned += 1;
                let kept = node.registry.export("a test", NOW).unwrap().tokens;
                assert_eq!(kept.len(), provisioned);
                assert!(kept.iter().any(|kept| kept.key.expose() == token.key().expose()));
            }
        }
    }
}

#[test]
fn keys_rotate_while_nodes_serve() {
    for place in Place::all() {
        let house = House::new(place);
        let (one, other) = (house.node(), house.node());
        let before =
            [one.enrol(Dialect::Securid), one.enrol(Dialect::Securid), one.enrol(Dialect::Securid)];
        let mut open = Run::of(&before[0]);
        assert!(open.step(&one).is_none());
        let key = one.registry.rotate_key(2048, later(1), &mut SysRng).unwrap();
        let after = one.enrol(Dialect::Rfc4758);
        assert_eq!(after.key, key);
        assert_ne!(before[0].key, key);
        // Every run is pinned to the key that was shown. The other node learns of the new one at once.
        other.provision(&after);
        one.provision(&one.enrol(Dialect::Securid));
        let mut apart = Run::of(&one.enrol(Dialect::Securid));
        assert!(apart.step(&one).is_none());
        // … even if it is in the second request that it meets it first.
        assert!(apart.step(&house.node()).is_some());
        other.provision(&before[1]);
        assert!(open.step(&other).is_some());

        let old = crate::registry::keys_hex(&before[0].key);
        let in_use = one.registry.retire_key(&old[..10], false, NOW).unwrap_err();
        assert!(in_use.to_string().contains("1 open codes offer it"), "{in_use}");
        let current = one.registry.retire_key(&crate::registry::keys_hex(&key), true, NOW);
        assert!(current.unwrap_err().to_string().contains("current"));
        assert!(matches!(
            one.registry.retire_key("", true, NOW),
            Err(RegistryError::UnknownKey(_))
        ));
        let mut open = Run::of(&before[2]);
        assert!(open.step(&one).is_none());
        one.registry.retire_key(&format!("sha256:{}", old.to_uppercase()), true, NOW).unwrap();
        assert!(one.registry.retire_key(&old, true, NOW).is_err());
        for node in [&one, &other] {
            node.site.tidy(NOW).unwrap();
            assert!(matches!(open.post(node).event, Event::Rejected(_)), "its session is over");
            assert!(matches!(Run::of(&before[2]).post(node).event, Event::CodeRefused));
        }
        assert!(matches!(open.post(&house.node()).event, Event::Rejected(_)));
        // A new code helps.
        let serial = &before[2].enrolled.enrolment.serial;
        let again = one.registry.reissue(serial, NewCode::default(), NOW, &mut SysRng).unwrap();
        other.provision(&again);
        let keys = one.registry.keys(NOW).unwrap();
        assert_eq!(
            (keys.len(), keys[0].id, keys[0].current, keys[1].current),
            (2, key, true, false)
        );
        assert_eq!(keys[1].retired, Some(NOW));
    }
}

#[test]
fn nodes_that_start_at_once_share_a_key() {
    for place in Place::all() {
        let house = House::new(place);
        let nodes = at_once(2, |_| house.node());
        let shown = nodes[0].enrol(Dialect::Securid);
        nodes[1].provision(&shown);
        assert_eq!(nodes[0].registry.keys(NOW).unwrap().len(), 1);
    }
}

#[test]
fn no_more_codes_are_tried_than_the_limits_allow() {
    for place in Place::all() {
        let house = House::new(place);
        for (one_source, per_source, total, expected) in [(true, 10, 200, 10), (false, 10, 25, 25)]
        {
            let watched = Watched::new(house.place.open());
            let node = house.node_over(Arc::clone(&watched) as _, limits(per_source, total));
            let (good, late) = (node.enrol(Dialect::Securid), node.enrol(Dialect::Securid));
            let now = later(if one_source { 0 } else { 3600 });
            let source = |number: usize| format!("192.0.2.{}", if one_source { 1 } else { number });
            at_once(64, |number| {
                for guess in 0..3 {
                    let run = Run::guess(&format!("{:012}", number * 10 + guess));
                    let handled = run.post_from(&node, &source(number), now);
                    assert!(matches!(handled.event, Event::CodeRefused));
                }
            });
            assert_eq!(watched.looked_up.load(Ordering::SeqCst), expected);
            let wrong = node.causes().iter().filter(|cause| *cause == "wrong").count() as u64;
            assert_eq!(wrong, if one_source { expected } else { 10 + expected });
            // What is right is refused likewise, here and at a node that only has the store to tell it.
            let fresh = house.node_over(house.place.open(), limits(per_source, total));
            for node in [&node, &fresh] {
                let handled = Run::of(&good).post_from(node, &source(1), now);
                assert!(matches!(handled.event, Event::CodeRefused));
                let elsewhere = Run::of(&late).post_from(node, "198.51.100.1", now);
                assert_eq!(matches!(elsewhere.event, Event::Opened(_)), one_source);
            }
            assert_eq!(watched.looked_up.load(Ordering::SeqCst), expected + u64::from(one_source));
            let next = Timestamp(now.0 + 3600);
            assert!(matches!(
                Run::of(&good).post_from(&node, &source(1), next).event,
                Event::Opened(_)
            ));
        }
    }
}

#[test]
fn sources_in_one_network_are_one() {
    let house = House::new(Place::memory());
    let node = house.node_over(house.place.open(), limits(2, 100));
    let good = node.enrol(Dialect::Securid);
    for source in ["2001:db8::1", "2001:db8::ffff:2"] {
        let _ = Run::guess("999999999999").post_from(&node, source, NOW);
    }
    assert!(matches!(
        Run::of(&good).post_from(&node, "2001:db8::3", NOW).event,
        Event::CodeRefused
    ));
    assert!(matches!(
        Run::of(&good).post_from(&node, "2001:db8:0:1::3", NOW).event,
        Event::Opened(_)
    ));
}

#[test]
fn the_risk_is_that_of_all_lengths_together() {
    let house = House::new(Place::memory());
    let node = house.node();
    assert_eq!(node.site.risk(NOW).unwrap(), 0.0);
    // 24 windows a day, 200 guesses each, at 10^12 codes.
    for _ in 0..3 {
        node.enrol(Dialect::Securid);
    }
    let risk = node.site.risk(NOW).unwrap();
    assert!((risk - 3.0 * 4800.0 / 1e12).abs() < 1e-15, "{risk}");
    node.enrol(Dialect::Rfc4758);
    assert!((node.site.risk(NOW).unwrap() - risk).abs() < 1e-20);
    assert_eq!(node.site.risk(later(8 * 86_400)).unwrap(), 0.0);
}

#[test]
fn a_stranger_to_the_store_is_refused() {
    for place in Place::all() {
        let house = House::new(place);
        let node = house.node();
        let shown = node.enrol(Dialect::Securid);
        let store = house.place.open();
        let other = crate::MasterKey::new(random());
        let refused = Registry::open(store, &other, &mut SysRng).unwrap_err();
        assert_eq!(refused, RegistryError::WrongMasterKey);
        node.provision(&shown);
    }
}

#[test]
fn what_was_tampered_with_is_not_used() {
    for place in Place::durable() {
        let house = House::new(place);
        let node = house.node();
        let shown: Vec<_> = (0..4).map(|_| node.enrol(Dialect::Securid)).collect();
        let tokens: Vec<_> = shown.iter().map(|shown| node.provision(shown)).collect();
        let serials: Vec<_> =
            shown.iter().map(|shown| shown.enrolled.enrolment.serial.clone()).collect();
        let issue = |number: usize| {
            let standing = node.registry.standing(&serials[number]).unwrap();
            (house.place.literal(standing.code.tag.as_octets()), standing.issue.unwrap().seed)
        };
        let put = |tag: &str, seed: &[u8]| {
            let seed = house.place.literal(seed);
            let sql = format!("UPDATE token SET seed = {seed} WHERE code = {tag}");
            assert_eq!(house.place.tamper(&sql), 1);
        };
        let ((tag, mut flipped), (one, one_seed), (two, two_seed)) = (issue(0), issue(1), issue(2));
        *flipped.last_mut().unwrap() ^= 1;
        put(&tag, &flipped);
        put(&one, &two_seed);
        put(&two, &one_seed);
        let exported = node.registry.export("a test", NOW).unwrap();
        assert_eq!(exported.tokens.len(), 1);
        assert_eq!(exported.tokens[0].key.expose(), tokens[3].key().expose());
        let mut expected = serials[..3].to_vec();
        expected.sort();
        assert_eq!(exported.tampered, expected);
        for (serial, token) in serials.iter().zip(&tokens) {
            let verified = node.registry.verify(serial, &tokencode(token, NOW), None, 1, NOW);
            match expected.contains(serial) {
                true => assert_eq!(verified, Err(RegistryError::Tampered(serial.clone()))),
                false => assert!(verified.unwrap().first),
            }
        }
        // A key that was changed is passed over: codes under it wait for a new one.
        let old = node.enrol(Dialect::Securid);
        node.registry.rotate_key(2048, later(1), &mut SysRng).unwrap();
        let id = house.place.literal(&old.key);
        let sealed = house.place.literal(b"nothing");
        assert_eq!(
            house.place.tamper(&format!("UPDATE rsa_key SET sealed = {sealed} WHERE id = {id}")),
            1
        );
        let fresh = house.node();
        assert!(matches!(Run::of(&old).post(&fresh).event, Event::CodeRefused));
        assert_eq!(fresh.causes().last().unwrap(), "key");
        fresh.provision(&fresh.enrol(Dialect::Securid));
        house.place.tamper(&format!("UPDATE rsa_key SET sealed = {sealed}"));
        let registry = Arc::clone(&fresh.registry);
        let none = Site::new(
            registry,
            ctkip_core::crypto::RsaPrivateKey::from_primes,
            SiteOptions::default(),
        );
        assert!(matches!(none, Err(StoreError::Corrupt(_))));
    }
}

#[test]
fn enrolments_are_checked() {
    type Change = dyn Fn(&mut crate::Enrolment);
    let house = House::new(Place::memory());
    let node = house.node();
    let enrol = |change: &Change, new: NewCode| {
        let mut enrolment = enrolment("", Dialect::Securid);
        change(&mut enrolment);
        node.registry.enrol(&[enrolment], new, NOW, &mut SysRng)
    };
    let fine = NewCode::default();
    let bad: [(&str, &Change); 9] = [
        ("serial number", &|e| e.serial = "12345678901".into()),
        ("serial number", &|e| e.serial = "1234567890ab".into()),
        ("user", &|e| e.user = String::new()),
        ("user", &|e| e.user = "a\nb".into()),
        ("service", &|e| e.service = "x".repeat(129)),
        ("device", &|e| e.device = Some(String::new())),
        ("digits", &|e| e.digits = 9),
        ("digits", &|e| e.digits = 0),
        ("interval", &|e| e.interval = 45),
    ];
    for (field, change) in bad {
        let error = enrol(change, fine).unwrap_err();
        assert!(
            matches!(&error, RegistryError::Enrolment { field: named, .. } if *named == field),
            "{error}"
        );
    }
    for length in [11, 65] {
        assert!(enrol(&|_| {}, NewCode { length, ..fine }).is_err());
    }
    for length in [12, 64] {
        let shown = enrol(&|_| {}, NewCode { length, ..fine }).unwrap();
        assert_eq!(shown[0].code.text().unwrap().len(), length);
        node.provision(&shown[0]);
    }
    let twice = |e: &mut crate::Enrolment| e.serial = "000000000001".into();
    enrol(&twice, fine).unwrap();
    let taken = StoreError::SerialTaken("000000000001".into());
    assert_eq!(enrol(&twice, fine).unwrap_err(), RegistryError::Store(taken));
    assert_eq!(node.registry.standing("404").unwrap_err(), RegistryError::Unknown("404".into()));
}

#[test]
fn a_node_that_is_asked_nonsense_goes_on() {
    let house = House::new(Place::memory());
    let node = house.node();
    let config = ClientConfig::new(Dialect::Rfc4758.profile());
    let (exchange, request) =
        Exchange::begin(Client::new(config), Binding::Plain, &mut SysRng).unwrap();
    for body in [&b""[..], b"<x/>", b"\xFF", &request.body[..request.body.len() / 2]] {
        let headers = &request.headers;
        for dialect in Dialect::ALL {
            let asked = ServiceRequest { method: "POST", path: "/", headers, body, source: None };
            let handled = node.site.handle(dialect, asked, NOW);
            assert!(handled.response.status >= 400 || dialect == Dialect::Rfc4758);
        }
    }
    let headers = &request.headers;
    let asked =
        ServiceRequest { method: "POST", path: "/", headers, body: &request.body, source: None };
    let handled = node.site.handle(Dialect::Rfc4758, asked, NOW);
    let refused: Result<Progress, ClientError> = exchange.receive(&handled.response, &mut SysRng);
    assert!(matches!(refused, Err(ClientError::Refused(_))));
    node.provision(&node.enrol(Dialect::Rfc4758));
}

/// Sends a request over HTTP; the whole response.
fn fetch(address: SocketAddr, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head =
        format!("{head}\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn a_node_is_served_and_watched_over_http() {
    for place in Place::all() {
        let house = House::new(place);
        let node = house.node();
        let shown = node.enrol(Dialect::Rfc4758);
        let Node { registry, site } = node;
        drop(registry);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        // The last owners of node and store are tasks of this runtime.
        let (clients, watchers) = (site.router(&Limits::default(), |_, _| ()), site.admin_router());
        drop(site);
        let (stop, stopped) = tokio::sync::watch::channel(());
        let serve = |router: Router| {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let (address, mut stopped) = (listener.local_addr().unwrap(), stopped.clone());
            let serving = Server::new(listener).serve(router, async move {
                let _ = stopped.changed().await;
            });
            (address, runtime.spawn(serving))
        };
        let ((clients, serving), (watchers, watching)) = (serve(clients), serve(watchers));

        let run = Run::of(&shown);
        let head = "POST / HTTP/1.1\r\nContent-Type: application/vnd.otps.ct-kip+xml";
        let response = fetch(clients, head, &run.request.body);
        assert!(response.contains("ServerHello"), "{response}");
        let refused = fetch(clients, head, &run.request.body);
        assert!(refused.contains("AccessDenied"), "{refused}");
        assert!(fetch(clients, "GET /metrics HTTP/1.1", b"").starts_with("HTTP/1.1 40"));

        assert!(fetch(watchers, "GET /healthz HTTP/1.1", b"").ends_with("alive\n"));
        assert!(fetch(watchers, "GET /readyz HTTP/1.1", b"").ends_with("ready\n"));
        let metrics = fetch(watchers, "GET /metrics HTTP/1.1", b"");
        for line in [
            "ctkip_requests_total{outcome=\"opened\"} 1",
            "ctkip_requests_total{outcome=\"refused\"} 1",
            "ctkip_refusals_total{cause=\"used\"} 1",
            "ctkip_store_failures_total 0",
            "ctkip_request_seconds_count 3",
        ] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
        if house.place.url != crate::store::StoreUrl::Memory {
            house.place.tamper("DROP TABLE setting");
            let unready = fetch(watchers, "GET /readyz HTTP/1.1", b"");
            assert!(unready.starts_with("HTTP/1.1 503"), "{unready}");
        }
        stop.send(()).unwrap();
        runtime.block_on(async {
            serving.await.expect("it ends in peace");
            watching.await.expect("it ends in peace");
        });
    }
}

#[test]
fn a_trusted_proxy_says_where_a_request_came_from() {
    let house = House::new(Place::memory());
    let options =
        SiteOptions { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..limits(1, 100) };
    let node = house.node_over(house.place.open(), options);
    let good = node.enrol(Dialect::Securid);
    let from = |run: Run, peer: &str, client: &str| {
        let mut run = run;
        run.request.headers.push(("forwarded".into(), format!("for={client}").into_bytes()));
        run.post_from(&node, peer, NOW)
    };
    let _ = from(Run::guess("999999999999"), "10.1.1.1", "198.51.100.7");
    let shut = from(Run::of(&good), "10.1.1.2", "198.51.100.7");
    assert!(matches!(shut.event, Event::CodeRefused));
    assert!(matches!(from(Run::of(&good), "10.1.1.1", "198.51.100.8").event, Event::Opened(_)));
    // Whoever is no proxy is himself, whatever he says.
    let _ = from(Run::guess("999999999999"), "192.0.2.1", "198.51.100.9");
    let shut = from(Run::of(&good), "192.0.2.1", "198.51.100.10");
    assert!(matches!(shut.event, Event::CodeRefused));
    let log = node.registry.store().audit_log(9).unwrap();
    let sources: Vec<&str> =
        log.iter().filter(|entry| entry.event == "refused").map(|entry| &*entry.source).collect();
    assert_eq!(sources, ["198.51.100.7", "198.51.100.7", "192.0.2.1", "192.0.2.1"]);
}

#[test]
fn without_randomness_nothing_is_made() {
    struct Broken;
    impl rand_core::TryRng for Broken {
        type Error = std::fmt::Error;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Err(std::fmt::Error)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Err(std::fmt::Error)
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            Err(std::fmt::Error)
        }
    }
    impl rand_core::TryCryptoRng for Broken {}

    let house = House::new(Place::memory());
    let node = house.node();
    let Node { registry, .. } = &node;
    assert!(matches!(registry.rotate_key(2048, NOW, &mut Broken), Err(RegistryError::NoKey(_))));
    assert!(matches!(registry.rotate_key(17, NOW, &mut SysRng), Err(RegistryError::NoKey(_))));
    let wanted = [enrolment("", Dialect::Securid)];
    let enrolled = registry.enrol(&wanted, NewCode::default(), NOW, &mut Broken);
    assert!(matches!(enrolled, Err(RegistryError::Randomness(_))));
    assert!(crate::MasterKey::generate(&mut Broken).is_err());
    let opened = Registry::open(house.place.open(), &house.master(), &mut Broken);
    assert!(matches!(opened, Err(RegistryError::Randomness(_))));
    assert_eq!(registry.keys(NOW).unwrap().len(), 1);
}
