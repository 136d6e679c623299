//! One suite that every store passes.

use super::sql::rows;
use super::*;
use crate::Dialect;
use crate::testing::{NOW, Place, at_once, enrolment, random};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const KEY: KeyId = [7; 32];
const WINDOW: Window<'static> = Window { source: "192.0.2.1", since: NOW };

fn at(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 + seconds)
}

fn stored_key(id: KeyId, created: Timestamp) -> StoredKey {
    StoredKey { id, sealed: b"sealed".to_vec(), bits: 2048, created, retired: None }
}

fn new_code(enrolment: EnrolmentId) -> Code {
    Code {
        tag: CodeTag::new(random()),
        enrolment,
        key: KEY,
        length: 12,
        expiry: at(100),
        spent: None,
        withdrawn: None,
    }
}

fn row(serial: &str) -> (Enrolled, Code) {
    let id = EnrolmentId(i64::from_be_bytes(random()) & i64::MAX);
    let enrolment = enrolment(serial, Dialect::Securid);
    (Enrolled { id, enrolment, created: NOW, revoked: None }, new_code(id))
}

/// What the audit log says of changes: how long after [`NOW`], what, and to which enrolment or key.
/// That something was enrolled or issued is left out.
fn changes(store: &dyn Store) -> Vec<(u64, String, String)> {
    let mut log = store.audit_log(99_999).unwrap();
    log.retain(|entry| !["enrolled", "issued"].contains(&&*entry.event));
    assert!(log.iter().all(|entry| entry.source == "operator"));
    let change =
        |entry: AuditEntry| (entry.at.0 - NOW.0, entry.event, entry.serial + &entry.detail);
    log.into_iter().map(change).collect()
}

/// The same, as tests write it.
fn expected(changes: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    changes.iter().map(|(at, event, of)| (*at, (*event).into(), (*of).into())).collect()
}

/// How often the audit log says this of an enrolment.
fn noted(store: &dyn Store, event: &str, serial: &str) -> usize {
    changes(store).iter().filter(|change| change.1 == event && change.2 == serial).count()
}

/// Enrols one, under [`KEY`].
fn enrolled(store: &dyn Store, serial: &str) -> (Enrolled, Code) {
    store.add_key(&stored_key(KEY, NOW), false, NOW).unwrap();
    let new = row(serial);
    store.enrol(std::slice::from_ref(&new)).unwrap();
    new
}

fn token(code: CodeTag) -> Issue {
    Issue {
        code,
        session: random(),
        digest: random(),
        seed: b"a sealed seed".to_vec(),
        committed: at(1),
        confirmed: None,
        step: None,
        revoked: None,
    }
}

fn find(store: &dyn Store, tag: &CodeTag) -> Option<Standing> {
    store.find(tag, WINDOW).unwrap().0
}

#[derive(Debug, PartialEq, Eq, Clone, Copy, PartialOrd, Ord)]
enum Came {
    Issued,
    Repeated,
    Refused(&'static str),
}

fn came(verdict: Result<Verdict, StoreError>) -> Came {
    match verdict.unwrap() {
        Verdict::Issued(_) => Came::Issued,
        Verdict::Repeated(_) => Came::Repeated,
        Verdict::Refused(cause) => Came::Refused(cause.name()),
    }
}

fn issue(store: &dyn Store, new: &Issue) -> Came {
    came(store.issue(new.clone(), "192.0.2.1"))
}

fn count(all: &[Came], one: Came) -> usize {
    all.iter().filter(|came| **came == one).count()
}

fn settings_keep_their_first_value(place: &Place) {
    let store = place.open();
    let kept = at_once(8, |number| store.setting("name", &[number as u8]).unwrap());
    assert!(kept.iter().all(|value| *value == kept[0]), "{kept:?}");
    assert_eq!(store.setting("name", b"another").unwrap(), kept[0]);
    assert_eq!(store.setting("other", b"").unwrap(), b"");
    store.check().unwrap();
}

fn of_first_keys_one_is_kept(place: &Place) {
    let stores = [place.open(), place.open()];
    let kept = at_once(8, |number| {
        stores[number % 2].add_key(&stored_key([number as u8; 32], NOW), true, at(5)).unwrap()
    });
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 1, "{kept:?}");
    let keys = stores[0].keys().unwrap();
    assert_eq!(keys.len(), 1);
    let name = |first: u8| hex(&[first; 32]);
    let (first, second, third) = (name(keys[0].id[0]), name(100), name(99));
    assert_eq!(changes(&*stores[1]), expected(&[(5, "key made", &first)]), "one was kept");
    assert_eq!(stores[1].keys().unwrap(), keys);
    // The same again changes nothing, others are added, the youngest comes first.
    let again = StoredKey { bits: 1, ..keys[0].clone() };
    assert!(!stores[0].add_key(&again, false, at(6)).unwrap());
    assert!(stores[0].add_key(&stored_key([100; 32], at(2)), false, at(7)).unwrap());
    assert!(stores[0].add_key(&stored_key([99; 32], at(2)), false, at(8)).unwrap());
    assert!(stores[0].add_key(&stored_key([101; 32], at(1)), false, at(9)).unwrap());
    let ids: Vec<u8> = stores[1].keys().unwrap().iter().map(|key| key.id[0]).collect();
    assert_eq!(ids, [100, 99, 101, keys[0].id[0]]);
    assert_eq!(stores[1].keys().unwrap()[3], keys[0]);
    let made = [
        (5, "key made", &*first),
        (7, "key made", &second),
        (8, "key made", &third),
        (9, "key made", &name(101)),
    ];
    assert_eq!(changes(&*stores[1]), expected(&made));
}

fn keys_retire_once(place: &Place) {
    let stores = [place.open(), place.open()];
    stores[0].add_key(&stored_key(KEY, NOW), false, NOW).unwrap();
    assert!(!stores[0].retire_key(&[1; 32], at(1)).unwrap());
    let done = at_once(6, |number| stores[number % 2].retire_key(&KEY, at(1)).unwrap());
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
    assert!(!stores[0].retire_key(&KEY, at(2)).unwrap());
    assert_eq!(stores[0].keys().unwrap()[0].retired, Some(at(1)));
    let name = hex(&KEY);
    let noted = [(0, "key made", &*name), (1, "key retired", &name)];
    assert_eq!(changes(&*stores[1]), expected(&noted));
}

fn codes_are_counted_while_they_are_good(place: &Place) {
    let store = place.open();
    let (enrolments, mut codes): (Vec<_>, Vec<_>) =
        (0..8).map(|number| enrolled(&*store, &format!("00000000000{number}"))).unzip();
    let mut long = row("000000000009");
    (long.1.length, long.1.expiry) = (20, at(1000));
    store.enrol(&[long.clone()]).unwrap();
    let open = |now| store.open_codes(now).unwrap();
    assert_eq!(open(NOW), [(12, 8), (20, 1)]);
    assert_eq!(store.codes_under(&KEY, NOW).unwrap(), 9);
    assert_eq!(store.codes_under(&[1; 32], NOW).unwrap(), 0);
    assert_eq!(store.codes_under(&KEY, at(100)).unwrap(), 1);
    assert_eq!(open(at(99)), [(12, 8), (20, 1)]);
    assert_eq!(open(at(100)), [(20, 1)]);
    assert_eq!(issue(&*store, &token(codes[0].tag)), Came::Issued);
    assert!(store.spend(&codes[1].tag, NOW).unwrap());
    assert!(store.revoke(enrolments[2].id, NOW).unwrap());
    codes[3].tag = CodeTag::new(random());
    assert!(store.reissue(&codes[3], NOW).unwrap());
    assert_eq!(open(NOW), [(12, 5), (20, 1)]);
    assert_eq!(store.codes_under(&KEY, NOW).unwrap(), 6);
}

fn enrolling_is_all_or_none(place: &Place) {
    let store = place.open();
    let (_, known) = enrolled(&*store, "000000000001");
    for (taken, wanted) in [
        (vec![row("000000000002"), row("000000000001")], "000000000001"),
        (vec![row("000000000002"), row("000000000003"), row("000000000002")], "000000000002"),
    ] {
        assert_eq!(store.enrol(&taken), Err(StoreError::SerialTaken(wanted.into())));
        assert!(taken.iter().all(|(_, code)| find(&*store, &code.tag).is_none()));
    }
    // A number that is known is no other enrolment's.
    let mut same = row("000000000004");
    (same.0.id, same.1.enrolment) = (known.enrolment, known.enrolment);
    assert_eq!(store.enrol(&[same.clone()]), Err(StoreError::CodeTaken));
    // A code that is known is no other enrolment's.
    let mut same = row("000000000004");
    same.1.tag = known.tag;
    let fresh = row("000000000005");
    assert_eq!(store.enrol(&[fresh.clone(), same]), Err(StoreError::CodeTaken));
    let (mut one, mut other) = (row("000000000006"), row("000000000007"));
    (one.1.tag, other.1.tag) = (CodeTag::new([9; 14]), CodeTag::new([9; 14]));
    assert_eq!(store.enrol(&[one, other]), Err(StoreError::CodeTaken));
    let all = Filter { limit: 10, ..Filter::default() };
    assert_eq!(store.standings(&all).unwrap().len(), 1);
    let entries = store.audit_log(10).unwrap();
    assert_eq!(entries.len(), 2, "what was not kept was not noted");
    assert_eq!((&*entries[1].event, &*entries[1].serial), ("enrolled", "000000000001"));
    // More than one statement holds.
    let many: Vec<_> = (0..1200).map(|number| row(&format!("1{number:011}"))).collect();
    store.enrol(&many).unwrap();
    assert_eq!(store.open_codes(NOW).unwrap(), [(12, 1201)]);
    assert_eq!(store.audit_log(9999).unwrap().len(), 1202);
    // Of two that want the same, one gets it.
    for round in 0..10 {
        let rows: Vec<_> = (0..4).map(|_| vec![row(&format!("2{round:011}"))]).collect();
        let kept = at_once(4, |number| store.enrol(&rows[number]));
        assert_eq!(kept.iter().filter(|kept| kept.is_ok()).count(), 1, "{kept:?}");
        assert!(kept.iter().all(|kept| !matches!(kept, Err(StoreError::Unavailable(_)))));
    }
}

fn a_code_is_found_as_it_was_kept(place: &Place) {
    let store = place.open();
    store.add_key(&stored_key(KEY, NOW), false, NOW).unwrap();
    let mut rows = [row("000000000001"), row("000000000002")];
    rows[0].0.enrolment.device = Some("a device".into());
    rows[1].0.enrolment = Enrolment {
        user: "o'bj\u{f6}rn; --".into(),
        service: String::new(),
        digits: 6,
        interval: 30,
        pin: ctkip_core::PinSettings { pin_type: 2, add_pin: true },
        dialect: Dialect::Rfc4758,
        ..rows[1].0.enrolment.clone()
    };
    store.enrol(&rows).unwrap();
    for (enrolled, code) in &rows {
        let (found, guesses) = store.find(&code.tag, WINDOW).unwrap();
        let found = found.unwrap();
        assert_eq!((&found.enrolled, &found.code), (enrolled, code));
        assert_eq!((found.issue, guesses), (None, Guesses::default()));
    }
    let new = token(rows[0].1.tag);
    assert_eq!(issue(&*store, &new), Came::Issued);
    assert_eq!(find(&*store, &rows[0].1.tag).unwrap().issue, Some(new));
    assert!(find(&*store, &rows[1].1.tag).unwrap().issue.is_none());
    // The counts are there without a code, too.
    store.count_wrong(WINDOW).unwrap();
    let (found, guesses) = store.find(&CodeTag::new(random()), WINDOW).unwrap();
    assert!(found.is_none());
    assert_eq!(guesses, Guesses { source: 1, total: 1 });
    let elsewhere = Window { source: "192.0.2.2", ..WINDOW };
    let guesses = store.find(&rows[0].1.tag, elsewhere).unwrap().1;
    assert_eq!(guesses, Guesses { source: 0, total: 1 });
}

fn wrong_codes_are_counted(place: &Place) {
    let stores = [place.open(), place.open()];
    let source = |number: usize| ["one", "other"][number % 2];
    let counts = at_once(8, |number| {
        let window = Window { source: source(number), since: NOW };
        Vec::from_iter((0..10).map(|_| stores[number / 4].count_wrong(window).unwrap()))
    });
    let all: BTreeSet<u64> = counts.iter().flatten().map(|guesses| guesses.total).collect();
    assert_eq!(all, (1..=80).collect(), "each is counted once");
    for own in [0, 1] {
        let of = counts.iter().skip(own).step_by(2).flatten().map(|guesses| guesses.source);
        assert_eq!(of.collect::<BTreeSet<u64>>(), (1..=40).collect());
    }
    let seen =
        |source, since| stores[1].find(&CodeTag::new([0; 14]), Window { source, since }).unwrap().1;
    assert_eq!(seen("one", NOW), Guesses { source: 40, total: 80 });
    assert_eq!(seen("third", NOW), Guesses { source: 0, total: 80 });
    assert_eq!(seen("one", at(1)), Guesses::default());
    stores[0].count_wrong(Window { source: "one", since: at(1) }).unwrap();
    stores[0].forget_guesses(at(1)).unwrap();
    assert_eq!(seen("one", NOW), Guesses::default());
    assert_eq!(seen("one", at(1)), Guesses { source: 1, total: 1 });
}

fn a_trigger_is_spent_once(place: &Place) {
    let stores = [place.open(), place.open()];
    let (_, code) = enrolled(&*stores[0], "000000000001");
    let spent = at_once(16, |number| stores[number % 2].spend(&code.tag, at(1)).unwrap());
    assert_eq!(spent.iter().filter(|spent| **spent).count(), 1);
    let standing = find(&*stores[1], &code.tag).unwrap();
    assert_eq!(standing.code.spent, Some(at(1)));
    assert_eq!(standing.may_begin(at(1)), Err(Cause::Used));
    assert_eq!(standing.state(at(1)), State::Spent);
    // Its run goes on to its token.
    assert_eq!(issue(&*stores[0], &token(code.tag)), Came::Issued);
    assert!(!stores[0].spend(&CodeTag::new(random()), NOW).unwrap());
    let (_, late) = enrolled(&*stores[0], "000000000002");
    assert!(!stores[0].spend(&late.tag, at(100)).unwrap(), "expired");
    let (gone, revoked) = enrolled(&*stores[0], "000000000003");
    stores[0].revoke(gone.id, NOW).unwrap();
    assert!(!stores[0].spend(&revoked.tag, NOW).unwrap(), "revoked");
}

fn a_token_is_issued_by_the_standing_of_its_code(place: &Place) {
    let store = place.open();
    assert_eq!(issue(&*store, &token(CodeTag::new(random()))), Came::Refused("wrong"));
    let (_, code) = enrolled(&*store, "000000000001");
    let new = token(code.tag);
    assert_eq!(issue(&*store, &new), Came::Issued);
    assert_eq!(issue(&*store, &new), Came::Repeated);
    let sealed_anew = Issue { seed: b"another nonce".to_vec(), committed: at(500), ..new.clone() };
    assert_eq!(issue(&*store, &sealed_anew), Came::Repeated, "after its code expired, too");
    assert_eq!(issue(&*store, &token(code.tag)), Came::Refused("used"));
    let other_digest = Issue { digest: random(), ..new.clone() };
    assert_eq!(issue(&*store, &other_digest), Came::Refused("used"));
    let other_session = Issue { session: random(), ..new.clone() };
    assert_eq!(issue(&*store, &other_session), Came::Refused("used"));
    assert_eq!(find(&*store, &code.tag).unwrap().issue, Some(new.clone()), "it stays as it was");

    let (_, late) = enrolled(&*store, "000000000002");
    let expired = Issue { committed: late.expiry, ..token(late.tag) };
    assert_eq!(issue(&*store, &expired), Came::Refused("expired"));
    let (gone, revoked) = enrolled(&*store, "000000000003");
    assert!(store.revoke(gone.id, NOW).unwrap());
    assert_eq!(issue(&*store, &token(revoked.tag)), Came::Refused("revoked"));
    let (again, withdrawn) = enrolled(&*store, "000000000004");
    let next = new_code(again.id);
    assert!(store.reissue(&next, NOW).unwrap());
    assert_eq!(issue(&*store, &token(withdrawn.tag)), Came::Refused("revoked"));
    assert_eq!(issue(&*store, &token(next.tag)), Came::Issued);
    // A token that was revoked is not handed out once more.
    assert!(store.revoke(find(&*store, &code.tag).unwrap().enrolled.id, NOW).unwrap());
    assert_eq!(issue(&*store, &new), Came::Refused("revoked"));
    let issued = store.audit_log(99).unwrap();
    let issued: Vec<_> = issued.iter().filter(|entry| entry.event == "issued").collect();
    assert_eq!(issued.len(), 2);
    assert_eq!((&*issued[0].serial, &*issued[0].source), ("000000000001", "192.0.2.1"));
}

fn of_all_who_race_for_a_code_one_gets_a_token(place: &Place) {
    let stores = [place.open(), place.open()];
    for round in 0..10 {
        let (_, code) = enrolled(&*stores[0], &format!("{round:012}"));
        let came = at_once(24, |number| issue(&*stores[number % 2], &token(code.tag)));
        assert_eq!(count(&came, Came::Issued), 1, "{came:?}");
        assert_eq!(count(&came, Came::Refused("used")), 23, "{came:?}");
    }
}

fn the_same_request_at_once_is_one_token(place: &Place) {
    let stores = [place.open(), place.open()];
    for round in 0..10 {
        let (_, code) = enrolled(&*stores[0], &format!("{round:012}"));
        let new = token(code.tag);
        let came = at_once(24, |number| issue(&*stores[number % 2], &new));
        assert_eq!(count(&came, Came::Issued), 1, "{came:?}");
        assert_eq!(count(&came, Came::Repeated), 23, "{came:?}");
    }
}

fn many_codes_are_raced_for_by_many(place: &Place) {
    let stores = [place.open(), place.open()];
    let codes: Vec<_> =
        (0..40).map(|number| enrolled(&*stores[0], &format!("{number:012}")).1.tag).collect();
    let came = at_once(16, |number| {
        // Each in another order.
        let order = (0..codes.len()).map(|step| (step * (2 * number + 1) + number) % codes.len());
        Vec::from_iter(order.map(|place| issue(&*stores[number % 2], &token(codes[place]))))
    });
    let came: Vec<Came> = came.concat();
    assert_eq!(count(&came, Came::Issued), 40);
    assert_eq!(count(&came, Came::Refused("used")), came.len() - 40);
}

fn what_is_committed_together_ends_each_by_itself(place: &Place) {
    let store = place.open();
    let rows: Vec<_> = (0..48).map(|number| enrolled(&*store, &format!("{number:012}"))).collect();
    let mut asked = Vec::new();
    for (number, (enrolled, code)) in rows.iter().enumerate() {
        let mut new = token(code.tag);
        let expected = match number % 6 {
            0 | 1 => Came::Issued,
            2 => {
                assert_eq!(issue(&*store, &new), Came::Issued);
                Came::Repeated
            }
            3 => {
                new.committed = at(200);
                Came::Refused("expired")
            }
            4 => {
                store.revoke(enrolled.id, NOW).unwrap();
                Came::Refused("revoked")
            }
            _ => {
                new.code = CodeTag::new(random());
                Came::Refused("wrong")
            }
        };
        asked.push((new, expected));
    }
    let came = at_once(asked.len(), |number| issue(&*store, &asked[number].0));
    for ((_, expected), came) in asked.iter().zip(came) {
        assert_eq!(came, *expected);
    }
}

/// Whether a code that is good no more has a token that still is.
fn outlived(store: &dyn Store, tag: &CodeTag) -> bool {
    find(store, tag)
        .unwrap()
        .issue
        .is_some_and(|issue| issue.revoked.is_none() || !issue.seed.is_empty())
}

fn no_token_outlives_its_code(place: &Place) {
    let stores = [place.open(), place.open()];
    let mut issued = 0;
    for round in 0..30_u8 {
        let (enrolment, code) = enrolled(&*stores[0], &format!("{round:012}"));
        let next = new_code(enrolment.id);
        let came = at_once(8, |number| {
            let store = &*stores[number % 2];
            match number {
                0 if round % 2 == 0 => {
                    assert!(store.reissue(&next, at(1)).unwrap());
                    assert!(!outlived(store, &code.tag));
                    None
                }
                0 => {
                    assert!(store.revoke(enrolment.id, at(1)).unwrap());
                    assert!(!outlived(store, &code.tag));
                    None
                }
                _ => Some(issue(store, &token(code.tag))),
            }
        });
        let came: Vec<Came> = came.into_iter().flatten().collect();
        issued += count(&came, Came::Issued);
        assert!(count(&came, Came::Issued) <= 1);
        assert!(!outlived(&*stores[0], &code.tag));
        assert_eq!(issue(&*stores[1], &token(code.tag)), Came::Refused("revoked"));
    }
    println!("in {issued} of 30 rounds there was a token first");
}

fn of_two_new_codes_the_last_is_good(place: &Place) {
    let stores = [place.open(), place.open()];
    for round in 0..10 {
        let (enrolment, first) = enrolled(&*stores[0], &format!("{round:012}"));
        let codes: Vec<_> = (0..6).map(|_| new_code(enrolment.id)).collect();
        let came = at_once(6, |number| {
            let store = &*stores[number % 2];
            assert!(store.reissue(&codes[number], at(1)).unwrap());
            issue(store, &token(codes[number].tag))
        });
        let all = [&[first], codes.as_slice()].concat();
        let live = all.iter().filter(|code| {
            let standing = find(&*stores[0], &code.tag).unwrap();
            standing.code.withdrawn.is_none()
        });
        assert_eq!(live.count(), 1);
        let live = all.iter().filter(|code| {
            find(&*stores[0], &code.tag).unwrap().issue.is_some_and(|issue| issue.revoked.is_none())
        });
        assert!(live.count() <= 1, "{came:?}");
        assert_eq!(noted(&*stores[1], "reissued", &format!("{round:012}")), 6);
    }
}

fn a_new_code_is_given_until_the_token_was_seen(place: &Place) {
    let store = place.open();
    let (enrolment, code) = enrolled(&*store, "000000000001");
    assert!(!store.reissue(&new_code(EnrolmentId(1)), NOW).unwrap(), "there is no such enrolment");
    let taken = Code { tag: code.tag, ..new_code(enrolment.id) };
    assert_eq!(store.reissue(&taken, NOW), Err(StoreError::CodeTaken));
    assert!(find(&*store, &code.tag).unwrap().code.withdrawn.is_none());
    assert_eq!(issue(&*store, &token(code.tag)), Came::Issued);
    let second = new_code(enrolment.id);
    assert!(store.reissue(&second, at(5)).unwrap());
    let before = find(&*store, &code.tag).unwrap();
    assert_eq!(before.code.withdrawn, Some(at(5)));
    let revoked = before.issue.unwrap();
    assert_eq!((revoked.revoked, revoked.seed), (Some(at(5)), Vec::new()));
    let filter = Filter { serial: Some("000000000001"), limit: 9, ..Filter::default() };
    let standings = store.standings(&filter).unwrap();
    assert_eq!(standings.len(), 1);
    assert_eq!(standings[0].code, second);
    assert!(!store.seen(&code.tag, 1, at(6)).unwrap(), "its token was revoked");
    assert_eq!(issue(&*store, &token(second.tag)), Came::Issued);
    assert!(store.seen(&second.tag, 1, at(6)).unwrap());
    assert!(!store.reissue(&new_code(enrolment.id), at(7)).unwrap(), "it was seen in use");
    assert!(store.revoke(enrolment.id, at(8)).unwrap());
    assert!(!store.revoke(enrolment.id, at(9)).unwrap(), "it was revoked before");
    assert!(!store.revoke(EnrolmentId(1), at(9)).unwrap(), "there is no such enrolment");
    assert!(!store.reissue(&new_code(enrolment.id), at(9)).unwrap(), "it was revoked");
    let last = find(&*store, &second.tag).unwrap();
    assert_eq!(last.enrolled.revoked, Some(at(8)));
    assert_eq!(last.state(NOW), State::Revoked);
    let revoked = last.issue.unwrap();
    assert_eq!((revoked.revoked, revoked.seed), (Some(at(8)), Vec::new()));
    // A line for each change, none where there was none.
    let serial = "000000000001";
    let noted = [(5, "reissued", serial), (6, "confirmed", serial), (8, "revoked", serial)];
    assert_eq!(changes(&*store)[1..], expected(&noted));
}

fn a_token_that_was_seen_is_not_replaced(place: &Place) {
    let stores = [place.open(), place.open()];
    let confirmed = AtomicUsize::new(0);
    for round in 0..20 {
        let (enrolment, code) = enrolled(&*stores[0], &format!("{round:012}"));
        assert_eq!(issue(&*stores[0], &token(code.tag)), Came::Issued);
        let next = new_code(enrolment.id);
        let done: Vec<bool> = at_once(2, |number| match number {
            0 => stores[0].seen(&code.tag, 1, at(1)).unwrap(),
            _ => stores[1].reissue(&next, at(1)).unwrap(),
        });
        assert!(done[0] != done[1], "either it was seen, or it was replaced");
        confirmed.fetch_add(done[0].into(), Ordering::Relaxed);
        let noted = |event| noted(&*stores[0], event, &format!("{round:012}"));
        assert_eq!([noted("confirmed"), noted("reissued")].map(|lines| lines == 1), *done);
    }
}

fn a_tokencode_is_seen_once(place: &Place) {
    let stores = [place.open(), place.open()];
    let (_, code) = enrolled(&*stores[0], "000000000001");
    assert!(!stores[0].seen(&code.tag, 5, at(1)).unwrap(), "there is no token");
    assert_eq!(issue(&*stores[0], &token(code.tag)), Came::Issued);
    let seen = at_once(12, |number| stores[number % 2].seen(&code.tag, 5, at(2)).unwrap());
    assert_eq!(seen.iter().filter(|seen| **seen).count(), 1);
    assert!(!stores[0].seen(&code.tag, 4, at(3)).unwrap(), "an earlier one");
    assert!(stores[0].seen(&code.tag, 6, at(4)).unwrap());
    let issue = find(&*stores[1], &code.tag).unwrap().issue.unwrap();
    assert_eq!((issue.confirmed, issue.step), (Some(at(2)), Some(6)));
    assert_eq!(changes(&*stores[1])[1..], expected(&[(2, "confirmed", "000000000001")]));
}

fn an_enrolment_is_revoked_once(place: &Place) {
    let stores = [place.open(), place.open()];
    for round in 0..10 {
        let serial = format!("{round:012}");
        let (enrolment, _) = enrolled(&*stores[0], &serial);
        let done = at_once(6, |number| stores[number % 2].revoke(enrolment.id, at(1)).unwrap());
        assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
        assert_eq!(noted(&*stores[1], "revoked", &serial), 1);
    }
}

fn enrolments_are_listed_in_order(place: &Place) {
    let store = place.open();
    let mut rows: Vec<_> = [5, 1, 9, 3, 7].map(|n| row(&format!("00000000000{n}"))).into();
    rows[1].0.enrolment.user = "bob".into();
    rows[2].0.enrolment.user = "bob".into();
    store.add_key(&stored_key(KEY, NOW), false, NOW).unwrap();
    store.enrol(&rows).unwrap();
    let listed = |filter: Filter<'_>| {
        let standings = store.standings(&filter).unwrap();
        Vec::from_iter(standings.iter().map(|standing| standing.enrolled.enrolment.serial.clone()))
    };
    let serial = |numbers: &[u8]| Vec::from_iter(numbers.iter().map(|n| format!("00000000000{n}")));
    let all = Filter { limit: 100, ..Filter::default() };
    assert_eq!(listed(all.clone()), serial(&[1, 3, 5, 7, 9]));
    let mut paged = Vec::new();
    while let page =
        listed(Filter { after: paged.last().map(String::as_str), limit: 2, ..all.clone() })
        && !page.is_empty()
    {
        assert!(page.len() <= 2);
        paged.extend(page);
    }
    assert_eq!(paged, serial(&[1, 3, 5, 7, 9]));
    assert_eq!(listed(Filter { user: Some("bob"), ..all.clone() }), serial(&[1, 9]));
    let after = Filter { user: Some("bob"), after: Some("000000000001"), ..all.clone() };
    assert_eq!(listed(after), serial(&[9]));
    assert_eq!(listed(Filter { serial: Some("000000000003"), ..all.clone() }), serial(&[3]));
    assert_eq!(listed(Filter { serial: Some("000000000004"), ..all.clone() }), serial(&[]));
    assert_eq!(listed(Filter { serial: Some(""), ..all.clone() }), serial(&[]));
    assert_eq!(listed(Filter { user: Some("' OR 1=1 --"), ..all.clone() }), serial(&[]));
    assert_eq!(listed(Filter { limit: 0, ..all }), serial(&[]));
}

fn the_audit_log_is_in_order(place: &Place) {
    let store = place.open();
    let entry = |number: u64| AuditEntry {
        at: at(number),
        event: "event".into(),
        serial: format!("{number}"),
        source: "'; DROP TABLE audit; --".into(),
        detail: "\u{1F511}".into(),
    };
    store.audit(&[]).unwrap();
    assert_eq!(store.audit_log(5).unwrap(), []);
    store.audit(&[entry(1), entry(2)]).unwrap();
    store.audit(&[entry(3)]).unwrap();
    assert_eq!(store.audit_log(2).unwrap(), [entry(2), entry(3)]);
    assert_eq!(store.audit_log(0).unwrap(), []);
    // More than one statement holds.
    let many: Vec<_> = (4..9004).map(entry).collect();
    store.audit(&many).unwrap();
    assert_eq!(store.audit_log(9003).unwrap()[3..], many);
}

fn opened_again_everything_is_there(place: &Place) {
    let store = place.open();
    let (_, code) = enrolled(&*store, "000000000001");
    let new = token(code.tag);
    assert_eq!(issue(&*store, &new), Came::Issued);
    assert!(store.seen(&code.tag, 5, at(2)).unwrap());
    store.setting("name", b"value").unwrap();
    store.count_wrong(WINDOW).unwrap();
    let (found, log) = (format!("{:?}", find(&*store, &code.tag)), store.audit_log(9).unwrap());
    drop(store);
    let store = place.open();
    assert_eq!(format!("{:?}", find(&*store, &code.tag)), found);
    assert_eq!(store.setting("name", b"other").unwrap(), b"value");
    assert_eq!(store.keys().unwrap(), [stored_key(KEY, NOW)]);
    assert_eq!(store.audit_log(9).unwrap(), log);
    assert_eq!(store.find(&code.tag, WINDOW).unwrap().1, Guesses { source: 1, total: 1 });
    assert_eq!(issue(&*store, &new), Came::Repeated);
}

fn it_can_be_opened_by_many_at_once(place: &Place) {
    let stores = at_once(6, |_| place.open());
    let kept = at_once(6, |number| stores[number].setting("name", &[number as u8]).unwrap());
    assert!(kept.iter().all(|value| *value == kept[0]), "{kept:?}");
}

/// The last owner may be a task of somebody's runtime.
fn it_can_be_dropped_anywhere(place: &Place) {
    let store = place.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(store) });
}

fn everything_at_once_comes_to_an_end(place: &Place) {
    let stores = [place.open(), place.open()];
    let (enrolments, codes): (Vec<_>, Vec<_>) =
        (0..12).map(|number| enrolled(&*stores[0], &format!("{number:012}"))).unzip();
    let over = AtomicBool::new(false);
    let done = at_once(12, |number| {
        let store = &*stores[number % 2];
        let mut done = 0;
        for round in 0..25 {
            let place = (round * 5 + number) % codes.len();
            let (id, code) = (enrolments[place].id, &codes[place]);
            match number % 6 {
                0 => drop(issue(store, &token(code.tag))),
                1 => drop(store.reissue(&new_code(id), NOW).unwrap()),
                2 => drop(store.seen(&code.tag, round as u64, NOW).unwrap()),
                3 => drop(store.count_wrong(WINDOW).unwrap()),
                4 => drop(store.spend(&code.tag, NOW).unwrap()),
                _ if round == 20 => drop(store.revoke(id, NOW).unwrap()),
                _ => drop(store.standings(&Filter { limit: 5, ..Filter::default() }).unwrap()),
            }
            done += usize::from(!over.load(Ordering::Relaxed));
        }
        done
    });
    assert_eq!(done, [25; 12]);
    assert_eq!(stores[0].find(&codes[0].tag, WINDOW).unwrap().1.total, 50);
}

macro_rules! suite {
    ($($name:ident)*) => {
        mod memory {
            $(#[test] fn $name() { super::$name(&super::Place::memory()); })*
        }
        mod sqlite {
            $(#[test] fn $name() { super::$name(&super::Place::sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $name() { if let Some(place) = super::Place::postgres() { super::$name(&place); } })*
        }
    };
}

suite! {
    settings_keep_their_first_value
    of_first_keys_one_is_kept
    keys_retire_once
    codes_are_counted_while_they_are_good
    enrolling_is_all_or_none
    a_code_is_found_as_it_was_kept
    wrong_codes_are_counted
    a_trigger_is_spent_once
    a_token_is_issued_by_the_standing_of_its_code
    of_all_who_race_for_a_code_one_gets_a_token
    the_same_request_at_once_is_one_token
    many_codes_are_raced_for_by_many
    what_is_committed_together_ends_each_by_itself
    no_token_outlives_its_code
    of_two_new_codes_the_last_is_good
    a_new_code_is_given_until_the_token_was_seen
    a_token_that_was_seen_is_not_replaced
    a_tokencode_is_seen_once
    an_enrolment_is_revoked_once
    enrolments_are_listed_in_order
    the_audit_log_is_in_order
    opened_again_everything_is_there
    it_can_be_opened_by_many_at_once
    it_can_be_dropped_anywhere
    everything_at_once_comes_to_an_end
}

/// What has to hold of databases alone.
mod databases {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_read_fails_alone() {
        for place in Place::durable() {
            let store = place.open();
            let codes: Vec<_> =
                (0..24).map(|number| enrolled(&*store, &format!("{number:012}")).1.tag).collect();
            for bad in [
                "digits = -1 WHERE serial = '000000000003'",
                "expires = 'soon' WHERE serial = '000000000005'",
            ] {
                assert_eq!(place.tamper(&format!("UPDATE enrolment SET {bad}")), 1);
            }
            let verdicts = at_once(24, |number| store.issue(token(codes[number]), ""));
            for (number, verdict) in verdicts.into_iter().enumerate() {
                match number {
                    3 | 5 => assert!(matches!(verdict, Err(StoreError::Corrupt(_))), "{verdict:?}"),
                    _ => assert_eq!(came(verdict), Came::Issued),
                }
            }
            assert!(matches!(store.find(&codes[3], WINDOW), Err(StoreError::Corrupt(_))));
        }
    }

    /// A change and its line in the audit log are one.
    #[test]
    fn what_cannot_be_noted_is_not_done() {
        for place in Place::durable() {
            let store = place.open();
            let (open, code) = enrolled(&*store, "000000000001");
            let (_, used) = enrolled(&*store, "000000000002");
            assert_eq!(issue(&*store, &token(used.tag)), Came::Issued);
            let all = || {
                let (open, used) = (find(&*store, &code.tag), find(&*store, &used.tag));
                (format!("{open:?} {used:?}"), store.keys().unwrap(), store.open_codes(NOW))
            };
            let (next, other) = (new_code(open.id), stored_key([8; 32], NOW));
            let change = |number| match number {
                0 => store.reissue(&next, NOW),
                1 => store.revoke(open.id, NOW),
                2 => store.seen(&used.tag, 1, NOW),
                3 => store.add_key(&other, false, NOW),
                4 => store.retire_key(&KEY, NOW),
                _ => store.enrol(&[row("000000000003")]).map(|()| true),
            };
            let before = all();
            place.tamper("ALTER TABLE audit RENAME TO elsewhere");
            for number in 0..6 {
                let failed = change(number);
                assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{number}: {failed:?}");
                assert_eq!(all(), before, "{number}");
            }
            place.tamper("ALTER TABLE elsewhere RENAME TO audit");
            let log = store.audit_log(99).unwrap().len();
            for number in 0..6 {
                assert_eq!(change(number), Ok(true), "{number}");
                assert_eq!(store.audit_log(99).unwrap().len(), log + number + 1);
            }
        }
    }

    #[test]
    fn tables_of_a_later_version_are_refused() {
        for place in Place::durable() {
            drop(place.open());
            place.tamper(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 SELECT 99, 'later', success, checksum, 0 FROM _sqlx_migrations",
            );
            let error = SqlStore::open(&place.url).expect_err("it is not touched");
            assert!(error.to_string().contains("later version of this program (99)"), "{error}");
        }
    }

    #[test]
    fn every_connection_is_durable() {
        let place = Place::sqlite();
        let said =
            place.sql().said(&["PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA foreign_keys"]);
        assert_eq!(said, vec![["wal", "2", "1"]; 4]);
        if let Some(place) = Place::postgres() {
            let said =
                place.sql().said(&["SHOW synchronous_commit", "SHOW lock_timeout", "SHOW fsync"]);
            assert_eq!(said, vec![["on", "5s", "on"]; 16]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_files_are_their_owners() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::sqlite();
        let store = place.open();
        store.setting("name", b"value").unwrap();
        let folder = place.folder.as_ref().unwrap();
        let mut names = Vec::new();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
            names.push(file.file_name().into_string().unwrap());
        }
        names.sort();
        assert_eq!(names, ["a store?#% .db", "a store?#% .db-shm", "a store?#% .db-wal"]);
    }

    #[test]
    fn a_store_that_is_not_there_is_unavailable() {
        for (url, within) in [
            ("sqlite:/nonexistent/folder/file.db", 1),
            ("postgres://somebody:secret@127.0.0.1:1/nowhere", 10),
            ("postgres://somebody:secret@[nonsense/nowhere", 1),
        ] {
            let began = Instant::now();
            let error = SqlStore::open(&url.parse().unwrap()).expect_err("it is not there");
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
            assert!(!format!("{error}{error:?}").contains("secret"));
            assert!(began.elapsed().as_secs() <= within, "{url}: {:?}", began.elapsed());
        }
        assert!(SqlStore::open(&StoreUrl::Memory).unwrap().is_none());
        if let Some(place) = Place::postgres() {
            let StoreUrl::Postgres(url) = &place.url else { panic!("it is on a server") };
            let other = StoreUrl::Postgres(format!("{url}_other"));
            let error = SqlStore::open(&other).expect_err("there is no such database");
            assert!(error.to_string().contains("does not exist"), "{error}");
        }
    }

    #[test]
    fn another_file_is_not_taken_for_a_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let open = || SqlStore::open(&StoreUrl::Sqlite(path.clone())).map(|store| store.is_some());
        for text in [&b"some text"[..], b"SQLite format 3", b"SQLite format 2\0 and more"] {
            std::fs::write(&path, text).unwrap();
            let error = open().expect_err("it is none");
            assert!(error.to_string().contains("is no SQLite database"), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), text, "it is not touched");
        }
        std::fs::write(&path, [b"SQLite format 3\0", &[7; 4096][..]].concat()).unwrap();
        let error = open().expect_err("it is none");
        assert!(error.to_string().contains("not a database"), "{error}");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(open(), Ok(true), "an empty file is a new one");
    }

    /// Hands on what two sockets say, until it is frozen.
    fn hand_on(mut from: TcpStream, mut to: TcpStream, frozen: &Arc<AtomicBool>) {
        let frozen = Arc::clone(frozen);
        std::thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut octets) {
                if frozen.load(Ordering::SeqCst) {
                    // Nobody hears of this connection any more, not even that it is over.
                    std::thread::sleep(Duration::from_secs(3600));
                }
                if to.write_all(&octets[..length]).is_err() {
                    break;
                }
            }
        });
    }

    #[test]
    fn a_server_that_is_cut_off_is_not_waited_for() {
        let Some(place) = Place::postgres() else { return };
        let StoreUrl::Postgres(url) = &place.url else { panic!("it is on a server") };
        let (head, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let frozen = Arc::new(AtomicBool::new(false));
        let (gate, server) = (Arc::clone(&frozen), server.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                hand_on(client.try_clone().unwrap(), server.try_clone().unwrap(), &gate);
                hand_on(server, client, &gate);
            }
        });
        let url = StoreUrl::Postgres(format!("{head}@{address}/{database}"));
        let store = SqlStore::open(&url).unwrap().unwrap().limited_to(Duration::from_millis(500));
        at_once(32, |_| store.check().unwrap());
        frozen.store(true, Ordering::SeqCst);
        let began = Instant::now();
        for _ in 0..2 {
            let failed = at_once(32, |_| store.check());
            assert!(failed.iter().all(|done| matches!(done, Err(StoreError::Unavailable(_)))));
        }
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        // When it is back, so is the store: no connection is kept that nobody answers on.
        frozen.store(false, Ordering::SeqCst);
        while began.elapsed() < Duration::from_secs(20) && store.check().is_err() {}
        at_once(32, |_| store.check().unwrap());
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (text, shown) in [
            ("memory", "memory"),
            ("sqlite:a b.db", "sqlite:a b.db"),
            ("postgres://u:s3cret@h:5/d?sslmode=x&password=s3cret", "postgres://h:5/d"),
            ("postgresql://u:s3c?r@et@h/d", "postgres://h/d"),
            ("postgres://h/d?password=s3cret", "postgres://h/d"),
        ] {
            let url: StoreUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("StoreUrl({shown})"));
        }
        for bad in ["", "sqlite:", "mysql://h/d", "Memory"] {
            assert!(bad.parse::<StoreUrl>().is_err());
        }
    }

    #[test]
    fn a_path_may_be_relative() {
        // Where this package is, whatever it is run from. What stands first in a URL is no host.
        let folder = tempfile::Builder::new().prefix("A b:").tempdir_in(".").unwrap();
        let name = folder.path().file_name().unwrap().to_str().unwrap();
        let url: StoreUrl = format!("sqlite:{name}/A b.db").parse().unwrap();
        SqlStore::open(&url).unwrap().unwrap().check().unwrap();
        assert!(folder.path().join("A b.db").exists());
    }

    /// How long a look-up takes does not depend on how many enrolments there are.
    #[test]
    fn look_ups_use_indices() {
        let place = Place::sqlite();
        let store = place.sql();
        let standing = rows::STANDING;
        for sql in [
            rows::FIND.to_owned(),
            format!("{standing} WHERE c.tag IN ($1, $2)"),
            format!("{standing} WHERE c.tag = e.code AND e.serial = $1 ORDER BY e.serial LIMIT 1"),
            format!("{standing} WHERE c.tag = e.code AND e.serial > $1 ORDER BY e.serial LIMIT 1"),
            format!("{standing} WHERE c.tag = e.code AND e.owner = $1 ORDER BY e.serial LIMIT 1"),
            "UPDATE token SET revoked = $2 WHERE revoked IS NULL AND code IN (SELECT tag FROM code WHERE enrolment = $1)".into(),
        ] {
            let plan = store.plan(&sql);
            let scans: Vec<_> =
                plan.iter().filter(|line| line.starts_with("SCAN") && !line.starts_with("SCAN o") && !line.starts_with("SCAN CONSTANT")).collect();
            assert_eq!(scans, Vec::<&String>::new(), "{sql}: {plan:?}");
        }
    }
}
