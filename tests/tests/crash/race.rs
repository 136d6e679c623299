//! Clients that race for one code.

use crate::{all_is_well, alone, nodes};
use ctkip_core::ClientError;
use ctkip_tests::clients::{Effort, End, Held, Opened, Steadfast, Ticket, ask_at};
use ctkip_tests::databases::{Database, enrol};
use ctkip_tests::judge::judge_ends;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How many clients race.
const CLIENTS: usize = 1000;
/// How many at a time.
const WIDTH: usize = 64;

/// Does something for each of so many clients, many at a time.
fn for_each_client(clients: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WIDTH {
            scope.spawn(|| {
                loop {
                    let client = next.fetch_add(1, Ordering::Relaxed);
                    if client >= clients {
                        return;
                    }
                    work(client);
                }
            });
        }
    });
}

fn is_fault(error: &ClientError) -> bool {
    matches!(error, ClientError::Fault { .. })
}

/// One of them holds the token, and all others were refused as one refuses a bad code.
#[track_caller]
fn one_of_them(database: &Database, ended: &[(Ticket, End)], what: &str) {
    let wrong = judge_ends(ended);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let mut held: Vec<Held> = Vec::new();
    let (mut hellos, mut nonces) = (0, 0);
    for (_, end) in ended {
        match end {
            End::Token(token) => held.push(token.clone()),
            End::NotOpened(error) if is_fault(error) => hellos += 1,
            End::NotFinished(error) if is_fault(error) => nonces += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(held.len(), 1);
    all_is_well(database, &held);
    let name = database.name();
    println!(
        "{name}, {what}: {} clients, 1 token, refused: {hellos} at ClientHello, {nonces} at ClientNonce",
        ended.len()
    );
}

#[test]
fn of_a_thousand_clients_one_gets_the_token() {
    let _alone = alone();
    for database in Database::all() {
        let nodes = nodes(&database, 2);
        let ticket = enrol(&database.registry(), 1).remove(0);
        let ended = Mutex::new(Vec::new());
        for_each_client(CLIENTS, |client| {
            let host = || Some(nodes[client % nodes.len()].host());
            let mut effort = Effort::default();
            let mut client = Steadfast::new(&host, Duration::from_secs(60));
            let end = client.provision(&ticket.code, &mut effort);
            ended.lock().expect("nobody panicked").push((ticket.clone(), end));
        });
        let ended = ended.into_inner().expect("nobody panicked");
        one_of_them(&database, &ended, "straight through");
    }
}

#[test]
fn of_a_thousand_open_sessions_one_gets_the_token() {
    let _alone = alone();
    for database in Database::all() {
        let nodes = nodes(&database, 2);
        let ticket = enrol(&database.registry(), 1).remove(0);
        let opened: Vec<Mutex<Option<Opened>>> = (0..CLIENTS).map(|_| Mutex::default()).collect();
        for_each_client(CLIENTS, |client| {
            let session = Opened::at(&nodes[client % nodes.len()].host(), &ticket.code);
            *opened[client].lock().expect("nobody panicked") = Some(session);
        });
        // Each goes on at the node where it began, or at the other one.
        let ended = Mutex::new(Vec::new());
        for_each_client(CLIENTS, |client| {
            let session = opened[client].lock().expect("nobody panicked").take();
            let session = session.expect("it was opened");
            let host = nodes[client / 2 % nodes.len()].host();
            let response = ask_at(&host, session.nonce()).expect("an answer");
            let end = match session.finish(&response) {
                Ok(held) => End::Token(held),
                Err(error) => End::NotFinished(error),
            };
            ended.lock().expect("nobody panicked").push((ticket.clone(), end));
        });
        let ended = ended.into_inner().expect("nobody panicked");
        one_of_them(&database, &ended, "sessions open");
    }
}

#[test]
fn whoever_vanishes_after_the_hello_spends_nothing() {
    let _alone = alone();
    for database in Database::all() {
        let nodes = nodes(&database, 2);
        for ticket in enrol(&database.registry(), 4) {
            drop(Opened::at(&nodes[0].host(), &ticket.code));
            let next = Opened::at(&nodes[1].host(), &ticket.code);
            let response = ask_at(&nodes[1].host(), next.nonce()).expect("an answer");
            let held = next.finish(&response).expect("a token");
            assert_eq!(held.serial, ticket.serial);
        }
    }
}

#[test]
fn of_two_open_sessions_the_first_to_finish_wins() {
    let _alone = alone();
    for database in Database::all() {
        let nodes = nodes(&database, 2);
        let mut held = Vec::new();
        for (ways, ticket) in (0..8).zip(enrol(&database.registry(), 8)) {
            // Every way to share out two sessions and the two who finish among two nodes.
            let node = |bit: usize| nodes[ways >> bit & 1].host();
            let [first, second] = [0, 1].map(|bit| Opened::at(&node(bit), &ticket.code));
            let (host, other) = (node(2), node(0));
            let response = ask_at(&host, second.nonce()).expect("an answer");
            held.push(second.finish(&response).expect("a token"));
            let response = ask_at(&other, first.nonce()).expect("an answer");
            let refusal = first.finish(&response).expect_err("there is a token already");
            assert!(is_fault(&refusal), "{refusal}");
        }
        all_is_well(&database, &held);
    }
}

#[test]
fn two_nodes_that_start_at_once_are_one_server() {
    let _alone = alone();
    for database in Database::all() {
        // Nobody made tables, master key or RSA key before them; only PostgreSQL's master key has to
        // be there.
        let nodes: Vec<_> = thread::scope(|scope| {
            let start = || scope.spawn(|| nodes(&database, 1).remove(0));
            let both = [start(), start()];
            both.map(|node| node.join().expect("it starts")).into()
        });
        let mut held = Vec::new();
        for (turn, ticket) in enrol(&database.registry(), 4).into_iter().enumerate() {
            let session = Opened::at(&nodes[turn % 2].host(), &ticket.code);
            let response = ask_at(&nodes[(turn + 1) % 2].host(), session.nonce());
            held.push(session.finish(&response.expect("an answer")).expect("a token"));
        }
        all_is_well(&database, &held);
    }
}
