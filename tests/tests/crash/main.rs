//! One code, one token, whatever crashes, races or is repeated: with nodes that are processes, over
//! stores that outlive them.
//!
//! `CTKIP_KILLS` says how often nodes are killed under load, 12 times by default. PostgreSQL is tried
//! where `CTKIP_TEST_POSTGRES_URL` names one: see [`ctkip_tests::databases`].

mod controls;
mod kill;
mod race;
mod repeat;

use ctkip_tests::databases::Database;
use ctkip_tests::farm::{Manner, Node};
use ctkip_tests::judge::{judge, judge_rows};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What `src/bin/node.rs` became.
const NODE: &str = env!("CARGO_BIN_EXE_node");

/// One test at a time: they are about races within each, and every one takes all there is.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So many nodes over a store.
fn nodes(database: &Database, count: usize) -> Vec<Node> {
    (0..count).map(|_| Node::start(NODE, database, Manner::default())).collect()
}

/// All is well in a store at rest, of which clients hold these tokens.
#[track_caller]
fn all_is_well(database: &Database, held: &[ctkip_tests::clients::Held]) {
    let mut wrong = judge(&database.registry(), held, true);
    wrong.extend(judge_rows(database));
    assert!(wrong.is_empty(), "{}: {wrong:#?}", database.name());
}
