//! That the tests beside this one would notice: the same judges, and stores that break their promises.

use crate::{NODE, alone};
use ctkip_core::Timestamp;
use ctkip_core::crypto::RsaPrivateKey;
use ctkip_server::store::{MemoryStore, Store};
use ctkip_server::{MasterKey, Registry, Site, SiteOptions};
use ctkip_tests::clients::{End, Held, Opened, Ticket, ask_at};
use ctkip_tests::databases::{Database, enrol};
use ctkip_tests::farm::{Manner, Node};
use ctkip_tests::hooked::{Defect, Hooked};
use ctkip_tests::judge::{judge, judge_ends, judge_rows};
use ctkip_tests::serving::Serving;
use ctkip_transport_axum::Limits;
use getrandom::SysRng;
use std::sync::Arc;
use std::time::Duration;

fn finish(session: Opened, host: &str) -> End {
    let response = ask_at(host, session.nonce()).expect("an answer");
    session.finish(&response).map_or_else(End::NotFinished, End::Token)
}

/// What the judges find of two nodes over a store in memory with this defect: eight sessions for one
/// code, and an answer that was lost.
fn trial(defect: Option<Defect>) -> Vec<String> {
    let mut store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    if let Some(defect) = defect {
        store = Arc::new(Hooked::new(store, defect));
    }
    let master = MasterKey::generate(&mut SysRng).expect("randomness");
    let registry = Registry::open(store, &master, &mut SysRng).expect("a new store");
    registry.first_key(1024, Timestamp(0), &mut SysRng).expect("a key");
    let registry = Arc::new(registry);
    let nodes = [(); 2].map(|()| {
        let site =
            Site::new(Arc::clone(&registry), RsaPrivateKey::from_primes, SiteOptions::default());
        let router = site.expect("there is a key").router(&Limits::default(), |_, _| ());
        Serving::start(router, Limits::default())
    });
    let host = |turn: usize| nodes[turn % 2].host();

    let mut ended: Vec<(Ticket, End)> = Vec::new();
    let tickets = enrol(&registry, 2);
    let sessions: Vec<_> = (0..8).map(|turn| Opened::at(&host(turn), &tickets[0].code)).collect();
    for (turn, session) in sessions.into_iter().enumerate() {
        ended.push((tickets[0].clone(), finish(session, &host(turn))));
    }
    let session = Opened::at(&host(0), &tickets[1].code);
    drop(ask_at(&host(0), session.nonce()).expect("an answer"));
    ended.push((tickets[1].clone(), finish(session, &host(1))));

    let held: Vec<Held> = ended
        .iter()
        .filter_map(|(_, end)| match end {
            End::Token(held) => Some(held.clone()),
            _ => None,
        })
        .collect();
    let mut wrong = judge_ends(&ended);
    wrong.extend(judge(&registry, &held, true));
    wrong
}

#[track_caller]
fn is_found(wrong: &[String], what: &str) {
    assert!(wrong.iter().any(|line| line.contains(what)), "{what}: {wrong:#?}");
}

#[test]
fn nothing_is_found_without_a_defect() {
    assert_eq!(trial(None), Vec::<String>::new());
}

#[test]
fn a_code_that_is_spent_twice_is_found() {
    let wrong = trial(Some(Defect::Twice));
    is_found(&wrong, "8 tokens for the code of");
    is_found(&wrong, "two clients hold");
    is_found(&wrong, "client and store hold different keys");
}

#[test]
fn a_token_that_is_not_kept_is_found() {
    is_found(&trial(Some(Defect::Never)), "the store does not");
}

#[test]
fn a_repeated_request_that_is_refused_is_found() {
    is_found(&trial(Some(Defect::Forgetful)), "0 tokens for the code of");
}

#[test]
fn a_token_without_its_line_in_the_log_is_found() {
    is_found(&trial(Some(Defect::Unaudited)), "the audit log says nothing");
}

/// As when a node answers before the commit.
#[test]
fn a_token_that_is_answered_before_it_is_durable_is_found() {
    let _alone = alone();
    for database in Database::all() {
        let defect = Some(Defect::Late(Duration::from_secs(600)));
        let ticket = enrol(&database.registry(), 1).remove(0);
        let mut node = Node::start(NODE, &database, Manner { death: None, defect });
        let session = Opened::at(&node.host(), &ticket.code);
        let End::Token(held) = finish(session, &node.host()) else { panic!("it says so") };
        node.kill();
        is_found(&judge(&database.registry(), &[held], true), "the store does not");
    }
}

#[test]
fn rows_that_are_not_whole_are_found() {
    let _alone = alone();
    for database in Database::all() {
        let registry = database.registry();
        let node = Node::start(NODE, &database, Manner::default());
        let mut held = Vec::new();
        for ticket in enrol(&registry, 2) {
            let session = Opened::at(&node.host(), &ticket.code);
            let End::Token(token) = finish(session, &node.host()) else { panic!("a token") };
            held.push(token);
        }
        assert_eq!(judge(&registry, &held, true), Vec::<String>::new());
        let mut sql = database.sql();
        sql.execute("UPDATE token SET seed = (SELECT seed FROM token ORDER BY code LIMIT 1)");
        is_found(&judge(&registry, &held, true), "does not open");
        sql.execute("DELETE FROM audit WHERE event = 'issued'");
        is_found(&judge(&registry, &held, true), "the audit log says nothing");
        sql.execute("UPDATE token SET digest = session || session");
        is_found(&judge_rows(&database), "tokens that are not whole");
        if !database.is_postgres() {
            sql.execute("PRAGMA foreign_keys = OFF; DELETE FROM code");
            is_found(&judge_rows(&database), "tokens without their code");
            is_found(&judge_rows(&database), "foreign_key_check");
        }
    }
}
