//! What has to be true of a store and the clients that were answered from it, whatever happened.

use crate::clients::{End, Held, Ticket};
use crate::databases::{Database, now};
use ctkip_server::Registry;
use ctkip_server::store::{Filter, Standing};
use std::collections::{HashMap, HashSet};

/// What is wrong between a register and the tokens that clients hold: nothing, if all is well. Unless
/// `at_rest`, requests are being answered meanwhile, so that there may be tokens that nobody holds
/// yet.
///
/// # Panics
/// When the store cannot be read.
#[must_use]
pub fn judge(registry: &Registry, held: &[Held], at_rest: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    // What is read first is older: each token has its line of the log by then.
    let everyone = Filter { limit: 1_000_000, ..Filter::default() };
    let standings = registry.store().standings(&everyone).expect("the store can be read");
    let exported = registry.export("test", now()).expect("the store can be read");
    let log = registry.store().audit_log(10_000_000).expect("the store can be read");

    for serial in &exported.tampered {
        wrong.push(format!("the token {serial} does not open"));
    }
    let keys: HashMap<&str, &[u8]> = exported
        .tokens
        .iter()
        .map(|token| (token.enrolled.enrolment.serial.as_str(), token.key.expose()))
        .collect();
    let mut seen: HashMap<&str, &Held> = HashMap::new();
    for held in held {
        match keys.get(held.serial.as_str()) {
            None => wrong.push(format!("a client holds {}, the store does not", held.serial)),
            Some(key) if *key != held.key => {
                wrong.push(format!("client and store hold different keys of {}", held.serial));
            }
            Some(_) => {}
        }
        if seen.insert(&held.serial, held).is_some() {
            wrong.push(format!("two clients hold {}", held.serial));
        }
    }

    let mut noted: HashMap<&str, usize> = HashMap::new();
    for entry in log.iter().filter(|entry| entry.event == "issued") {
        *noted.entry(&entry.serial).or_default() += 1;
    }
    let issued: HashSet<&str> = standings
        .iter()
        .filter(|standing| standing.issue.is_some())
        .map(|Standing { enrolled, .. }| enrolled.enrolment.serial.as_str())
        .collect();
    for serial in &issued {
        if !keys.contains_key(serial) {
            wrong.push(format!("the token {serial} cannot be exported"));
        }
        if !noted.contains_key(serial) {
            wrong.push(format!("the audit log says nothing of the token {serial}"));
        }
    }
    for (serial, times) in noted {
        if times > 1 {
            wrong.push(format!("the audit log has the token {serial} {times} times"));
        }
        if at_rest && !issued.contains(serial) {
            wrong.push(format!("the audit log has a token {serial} that there is not"));
        }
    }
    wrong
}

/// What is wrong with the rows as such.
#[must_use]
pub fn judge_rows(database: &Database) -> Vec<String> {
    const NONE: [(&str, &str); 6] = [
        (
            "tokens without their code",
            "token t LEFT JOIN code c ON c.tag = t.code WHERE c.tag IS NULL",
        ),
        (
            "codes without their enrolment",
            "code c LEFT JOIN enrolment e ON e.id = c.enrolment WHERE e.id IS NULL",
        ),
        (
            "codes without their RSA key",
            "code c LEFT JOIN rsa_key k ON k.id = c.rsa_key WHERE k.id IS NULL",
        ),
        (
            "enrolments without their code",
            "enrolment e LEFT JOIN code c ON c.tag = e.code WHERE c.tag IS NULL",
        ),
        (
            "tokens that are not whole",
            "token WHERE length(session) <> 32 OR length(digest) <> 32 OR length(seed) < 32",
        ),
        (
            "enrolments with two tokens",
            "(SELECT c.enrolment FROM token t JOIN code c ON c.tag = t.code \
             GROUP BY c.enrolment HAVING COUNT(*) > 1) AS twice",
        ),
    ];
    let mut wrong = Vec::new();
    let mut sql = database.sql();
    for (what, from) in NONE {
        let count = sql.number(&format!("SELECT COUNT(*) FROM {from}"));
        if count != 0 {
            wrong.push(format!("{count} {what}"));
        }
    }
    if !database.is_postgres() {
        let verdict = sql.text("PRAGMA integrity_check");
        if verdict != "ok" {
            wrong.push(format!("integrity_check: {verdict}"));
        }
        let orphans = sql.number("SELECT COUNT(*) FROM pragma_foreign_key_check");
        if orphans != 0 {
            wrong.push(format!("foreign_key_check: {orphans} rows"));
        }
    }
    wrong
}

/// What is wrong with how clients ended that did not give up: of all that had one code, one has to
/// hold a token, the one of that code.
#[must_use]
pub fn judge_ends(ended: &[(Ticket, End)]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut tokens: HashMap<&Ticket, usize> = HashMap::new();
    for (ticket, end) in ended {
        let count = tokens.entry(ticket).or_default();
        match end {
            End::Token(held) if held.serial == ticket.serial => *count += 1,
            End::Token(held) => {
                wrong.push(format!("the code of {} gave {}", ticket.serial, held.serial));
            }
            End::NotOpened(_) | End::NotFinished(_) => {}
            End::Unknown => wrong.push(format!("a client of {} gave up", ticket.serial)),
        }
    }
    for (ticket, count) in tokens {
        if count != 1 {
            let of: Vec<String> = ended
                .iter()
                .filter(|(other, _)| other == ticket)
                .map(|(_, end)| match end {
                    End::Token(_) => "token".to_owned(),
                    End::NotOpened(error) => format!("not opened: {error}"),
                    End::NotFinished(error) => format!("not finished: {error}"),
                    End::Unknown => "unknown".to_owned(),
                })
                .collect();
            wrong.push(format!("{count} tokens for the code of {}: {of:?}", ticket.serial));
        }
    }
    wrong
}
