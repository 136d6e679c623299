//! The last answer is lost, and the request repeated.

use crate::{NODE, all_is_well, alone, nodes};
use ctkip_core::ClientError;
use ctkip_core::wire::WireResponse;
use ctkip_tests::clients::{Opened, ask_at, begin};
use ctkip_tests::databases::{Database, enrol};
use ctkip_tests::farm::{Manner, Node};
use ctkip_tests::hooked::{Death, Point};
use std::thread;
use std::time::Duration;

/// An answer without what the time of day makes of it: status, headers, body.
type Lasting = (u16, Vec<(String, Vec<u8>)>, Vec<u8>);

fn lasting(response: &WireResponse) -> Lasting {
    let headers = response.headers.iter();
    let headers = headers.filter(|(name, _)| !name.eq_ignore_ascii_case("date"));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    (response.status, headers.collect(), response.body.clone())
}

#[test]
fn a_repeated_request_gets_the_same_octets_at_every_node() {
    let _alone = alone();
    for database in Database::all() {
        let mut nodes = nodes(&database, 2);
        let ticket = enrol(&database.registry(), 1).remove(0);
        let session = Opened::at(&nodes[0].host(), &ticket.code);
        let ask = |node: &Node| ask_at(&node.host(), session.nonce()).expect("an answer");
        // Nobody sees this one.
        let lost = lasting(&ask(&nodes[0]));
        assert_eq!(lost.0, 200);
        assert_eq!(lost, lasting(&ask(&nodes[0])), "the same node");
        assert_eq!(lost, lasting(&ask(&nodes[1])), "the other node");
        nodes[0].kill();
        nodes[1].kill();
        let again = Node::start(NODE, &database, Manner::default());
        let answer = ask(&again);
        assert_eq!(lost, lasting(&answer), "a node that knows of nothing");
        let held = session.finish(&answer).expect("a token");
        all_is_well(&database, &[held]);
    }
}

#[test]
fn a_request_that_is_sent_to_all_at_once_is_answered_alike() {
    let _alone = alone();
    for database in Database::all() {
        let nodes = nodes(&database, 2);
        let mut held = Vec::new();
        for ticket in enrol(&database.registry(), 8) {
            let session = Opened::at(&nodes[0].host(), &ticket.code);
            let ask = |turn: usize| {
                let host = nodes[turn % 2].host();
                ask_at(&host, session.nonce()).expect("an answer")
            };
            let answers: Vec<_> = thread::scope(|scope| {
                let asked: Vec<_> = (0..8).map(|turn| scope.spawn(move || ask(turn))).collect();
                asked.into_iter().map(|answer| answer.join().expect("an answer")).collect()
            });
            for answer in &answers {
                assert_eq!(lasting(answer), lasting(&answers[0]));
            }
            held.push(session.finish(&answers[0]).expect("a token"));
        }
        all_is_well(&database, &held);
    }
}

#[test]
fn another_nonce_in_the_same_session_is_refused_and_the_answer_stays() {
    let _alone = alone();
    for database in Database::all() {
        let nodes = nodes(&database, 2);
        let ticket = enrol(&database.registry(), 1).remove(0);
        // Three clients' worth of R_C for one session.
        let (one, hello) = begin(&ticket.code);
        let response = ask_at(&nodes[0].host(), &hello).expect("an answer");
        let one = Opened::receive(one, &response).expect("a session");
        let others = nodes.iter().map(|node| {
            let (other, _) = begin(&ticket.code);
            (node.host(), Opened::receive(other, &response).expect("the same session"))
        });
        let others: Vec<_> = others.collect();
        let answer = ask_at(&nodes[0].host(), one.nonce()).expect("an answer");
        for (host, other) in others {
            let refusal = ask_at(&host, other.nonce()).expect("an answer");
            let refusal = other.finish(&refusal).expect_err("the session is over");
            assert!(matches!(refusal, ClientError::Fault { .. }), "{refusal}");
        }
        // At these two the session has failed; what is in the store stays.
        let again = Node::start(NODE, &database, Manner::default());
        let repeated = ask_at(&again.host(), one.nonce()).expect("an answer");
        assert_eq!(lasting(&answer), lasting(&repeated));
        all_is_well(&database, &[one.finish(&answer).expect("a token")]);
    }
}

#[test]
fn whoever_resends_after_the_node_died_gets_its_token() {
    let _alone = alone();
    for database in Database::all() {
        let mut held = Vec::new();
        for (point, ticket) in Point::ALL.into_iter().zip(enrol(&database.registry(), 6)) {
            let time = if matches!(point, Point::BeforeCheck | Point::AfterCheck) { 2 } else { 1 };
            let death = Some(Death { point, time });
            let mut node = Node::start(NODE, &database, Manner { death, defect: None });
            let session = Opened::at(&node.host(), &ticket.code);
            let answer = match time {
                // The second code to be checked is another client's.
                2 => {
                    let (_, hello) = begin(&ticket.code);
                    let nobody = ask_at(&node.host(), &hello);
                    assert!(nobody.is_err(), "{point:?}");
                    None
                }
                _ => ask_at(&node.host(), session.nonce()).ok(),
            };
            assert!(node.dies_within(Duration::from_secs(10)), "{point:?}");
            // Whoever is quick gets it just before the node dies.
            assert!(answer.is_none() || point == Point::AfterAnswer, "{point:?}");
            let committed = database.sql().number("SELECT COUNT(*) FROM token") as usize;
            let before =
                matches!(point, Point::BeforeCheck | Point::AfterCheck | Point::BeforeCommit);
            assert_eq!(committed, held.len() + usize::from(!before), "{point:?}");
            let again = Node::start(NODE, &database, Manner::default());
            let response = ask_at(&again.host(), session.nonce()).expect("an answer");
            if let Some(answer) = answer {
                assert_eq!(lasting(&answer), lasting(&response));
            }
            held.push(session.finish(&response).expect("a token"));
        }
        all_is_well(&database, &held);
    }
}
