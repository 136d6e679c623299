//! Nodes are killed under load, over and over.

use crate::{NODE, all_is_well, alone};
use ctkip_tests::clients::{Effort, Held, Opened, Pool, Steadfast, Ticket, ask_at};
use ctkip_tests::databases::{Database, enrol};
use ctkip_tests::farm::{Manner, Node};
use ctkip_tests::hooked::{Death, Point};
use ctkip_tests::judge::{judge, judge_ends, judge_rows};
use rand_core::TryRng as _;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fmt};

/// Clients at a time.
const CLIENTS: usize = 16;
/// Codes that are there for them, at least.
const STOCK: usize = 60;
/// One code in so many is given to two clients.
const CONTESTED: usize = 4;
/// How long a client goes on trying.
const PATIENCE: Duration = Duration::from_secs(120);

fn kills() -> usize {
    env::var("CTKIP_KILLS").map_or(12, |kills| kills.parse().expect("a number"))
}

fn random(below: u64) -> u64 {
    u64::from(getrandom::SysRng.try_next_u32().expect("there is randomness")) % below
}

/// By turns at a point, of which all come in turn, and at random.
fn death(number: usize) -> Option<Death> {
    let point = Point::ALL[number / 2 % Point::ALL.len()];
    let time = 1 + random(25);
    number.is_multiple_of(2).then_some(Death { point, time })
}

/// What is told at the end.
#[derive(Default)]
struct Told {
    at_points: usize,
    at_random: usize,
    clients: usize,
    tokens: usize,
    /// Clients that sent `ClientNonce` again.
    resent: u64,
    /// Tokens that were in the store when the only node died, and whose clients had no answer yet.
    unanswered: Option<usize>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at_points, at_random, clients, tokens, resent, unanswered } = self;
        write!(
            f,
            "killed {at_points} times at a point and {at_random} times at random; {clients} clients \
             for {tokens} codes got {tokens} tokens, {resent} clients sent ClientNonce again"
        )?;
        unanswered.map_or(Ok(()), |tokens| {
            write!(f, "; {tokens} tokens were durable, and not answered, when the node died")
        })
    }
}

/// Kills nodes under load so many times.
fn kill_under_load(database: &Database, count: usize, kills: usize) -> Told {
    let registry = database.registry();
    let hosts: Vec<Mutex<Option<String>>> = (0..count).map(|_| Mutex::default()).collect();
    let turn = AtomicUsize::new(0);
    let host = || {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        hosts[turn % count].lock().expect("nobody panicked").clone()
    };
    let started = AtomicUsize::new(0);
    let start = |place: usize| {
        let death = death(started.fetch_add(1, Ordering::Relaxed));
        let node = Node::start(NODE, database, Manner { death, defect: None });
        *hosts[place].lock().expect("nobody panicked") = Some(node.host());
        (node, death)
    };
    let pool = Pool::default();
    let mut told = Told::default();
    thread::scope(|scope| {
        // Whatever goes wrong here, the clients end.
        let close = OnDrop(&pool);
        for _ in 0..CLIENTS {
            scope.spawn(|| pool.work(Steadfast::new(&host, PATIENCE)));
        }
        let mut given = 0;
        let mut nodes: Vec<_> = (0..count).map(start).collect();
        for number in 0..kills {
            let deadline = Instant::now() + PATIENCE;
            let place = number % count;
            let moment = Instant::now() + Duration::from_millis(random(120));
            let (node, death) = &mut nodes[place];
            loop {
                if pool.waiting() < STOCK {
                    for ticket in enrol(&registry, STOCK) {
                        given += 1;
                        pool.add(&ticket, if given % CONTESTED == 0 { 2 } else { 1 });
                    }
                }
                if death.is_none() && Instant::now() >= moment {
                    node.kill();
                    told.at_random += 1;
                    break;
                }
                if node.dies_within(Duration::from_millis(2)) {
                    told.at_points += 1;
                    break;
                }
                assert!(Instant::now() < deadline, "{death:?} was not reached");
            }
            *hosts[place].lock().expect("nobody panicked") = None;
            // With another node alive the two numbers would be of different moments.
            if count == 1 {
                let tokens = database.sql().number("SELECT COUNT(*) FROM token") as usize;
                *told.unanswered.get_or_insert(0) += tokens.saturating_sub(pool.held().len());
            }
            // By turns before the next node has looked into the store, and after.
            if number % 2 == 0 {
                check(database, &pool.held(), false);
            }
            nodes[place] = start(place);
            if number % 2 == 1 {
                check(database, &pool.held(), false);
            }
        }
        // One that stays, so that all can end.
        let last = Node::start(NODE, database, Manner::default());
        for place in &hosts {
            *place.lock().expect("nobody panicked") = Some(last.host());
        }
        drop(nodes);
        drop(close);
        while pool.waiting() + pool.under_way() > 0 {
            thread::sleep(Duration::from_millis(5));
        }
    });
    drop(registry);
    let held = pool.held();
    let (ended, Effort { resent, .. }) = pool.ended();
    let wrong = judge_ends(&ended);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let codes: HashSet<&Ticket> = ended.iter().map(|(ticket, _)| ticket).collect();
    assert_eq!(held.len(), codes.len());
    all_is_well(database, &held);
    Told { resent, tokens: held.len(), clients: ended.len(), ..told }
}

struct OnDrop<'p>(&'p Pool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
        self.0.close();
    }
}

#[track_caller]
fn check(database: &Database, held: &[Held], at_rest: bool) {
    let mut wrong = judge(&database.registry(), held, at_rest);
    wrong.extend(judge_rows(database));
    assert!(wrong.is_empty(), "{}: {wrong:#?}", database.name());
}

#[test]
fn nothing_is_lost_or_doubled_when_nodes_are_killed_under_load() {
    let _alone = alone();
    for database in Database::all() {
        // One node of SQLite, as it is run; two of PostgreSQL, of which one is killed at a time.
        let count = if database.is_postgres() { 2 } else { 1 };
        let told = kill_under_load(&database, count, kills());
        assert_eq!(told.at_points + told.at_random, kills());
        println!("{}, nodes: {count}: {told}", database.name());
    }
}

#[test]
fn two_processes_over_one_file_are_killed_under_load() {
    let _alone = alone();
    let database = Database::sqlite();
    let told = kill_under_load(&database, 2, kills().div_ceil(2));
    println!("SQLite, nodes: 2: {told}");
}

/// A node is killed within the transaction: the token's row is written, the audit log's is not.
#[test]
fn a_node_killed_within_a_commit_leaves_nothing_of_it() {
    let _alone = alone();
    for database in Database::all() {
        let registry = database.registry();
        let ticket = enrol(&registry, 1).remove(0);
        drop(registry);
        let mut sql = database.sql();
        let mut node = Node::start(NODE, &database, Manner::default());
        let session = Opened::at(&node.host(), &ticket.code);
        if database.is_postgres() {
            sql.execute("BEGIN; LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE");
        } else {
            // Takes minutes.
            sql.execute(
                "PRAGMA busy_timeout = 0;
                 CREATE TRIGGER slow AFTER INSERT ON audit WHEN NEW.event = 'issued' BEGIN
                     SELECT (WITH RECURSIVE n(i) AS
                         (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000)
                         SELECT COUNT(*) FROM n);
                 END",
            );
        }
        let host = node.host();
        thread::scope(|scope| {
            let asked = scope.spawn(|| ask_at(&host, session.nonce()).is_err());
            let deadline = Instant::now() + Duration::from_secs(20);
            // Until the node is in the middle of it.
            let mut other = database.sql();
            loop {
                let within = if database.is_postgres() {
                    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted \
                         AND relation = 'audit'::regclass";
                    other.number(waiting) > 0
                } else {
                    let free = sql.try_execute("BEGIN IMMEDIATE");
                    if free.is_ok() {
                        sql.execute("ROLLBACK");
                    }
                    free.is_err()
                };
                if within {
                    break;
                }
                assert!(Instant::now() < deadline, "the node does not commit");
                thread::sleep(Duration::from_millis(2));
            }
            // The token's row is written by now, for nobody to see.
            thread::sleep(Duration::from_millis(50));
            node.kill();
            assert!(asked.join().expect("it ends"), "there was an answer");
        });
        if database.is_postgres() {
            sql.execute("ROLLBACK");
        } else {
            sql.execute("DROP TRIGGER slow");
        }
        // Until PostgreSQL has noticed that nobody goes on with the transaction.
        let others = "SELECT COUNT(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let deadline = Instant::now() + Duration::from_secs(20);
        while database.is_postgres() && sql.number(others) > 0 {
            assert!(Instant::now() < deadline, "it does not notice");
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(sql.number("SELECT COUNT(*) FROM token"), 0);
        assert_eq!(sql.number("SELECT COUNT(*) FROM audit WHERE event = 'issued'"), 0);
        check(&database, &[], true);
        let again = Node::start(NODE, &database, Manner::default());
        let response = ask_at(&again.host(), session.nonce()).expect("an answer");
        let held = session.finish(&response).expect("a token");
        all_is_well(&database, &[held]);
    }
}
