//! Times how long a code takes to be found among few enrolments and among many, in SQLite.
//!
//! ```text
//! lookups FOLDER ENROLMENTS
//! ```
//!
//! Makes two stores in the folder, of 1,000 enrolments and of so many, and looks codes up in both in turn,
//! so that a slow minute of the machine falls on both. Prints a line a store, and the ratio.

use ctkip_core::{Date, PinSettings, Timestamp};
use ctkip_server::store::{
    Code, Enrolled, EnrolmentId, SqlStore, Store, StoreUrl, StoredKey, Window,
};
use ctkip_server::{CodeTag, Dialect, Enrolment};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FEW: u64 = 1_000;
const ROUNDS: usize = 20;
/// Lookups of a round in each store.
const LOOKUPS: u64 = 2_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, many] = args.as_slice() else { return Err("lookups FOLDER ENROLMENTS".into()) };
    let folder = PathBuf::from(folder);
    let stores = [FEW, many.parse()?].map(|enrolments| (enrolments, open(&folder, enrolments)));
    let mut times = [const { Vec::new() }; 2];
    let mut next = 1;
    for round in 0..=ROUNDS {
        for ((enrolments, store), times) in stores.iter().zip(&mut times) {
            let store = store.as_ref().map_err(ToString::to_string)?;
            let start = Instant::now();
            for _ in 0..LOOKUPS {
                next = scrambled(next);
                let window = Window { source: "192.0.2.1", since: Timestamp(0) };
                let (found, _) = store.find(&tag(next % enrolments), window)?;
                found.ok_or("a code is not there")?;
            }
            // The first round is not counted: it warms up.
            if round > 0 {
                times.push(start.elapsed());
            }
        }
    }
    let mut medians = Vec::new();
    for ((enrolments, _), mut times) in stores.iter().zip(times) {
        times.sort_unstable();
        let median: Duration = times[times.len() / 2];
        let each = median.as_secs_f64() * 1e6 / LOOKUPS as f64;
        println!(
            "Among {enrolments} enrolments a code is found in {each:.1} µs (median of {ROUNDS} rounds)."
        );
        medians.push(each);
    }
    println!("ratio {:.2}", medians[1] / medians[0]);
    Ok(())
}

fn open(folder: &Path, enrolments: u64) -> Result<SqlStore, Failure> {
    let url = StoreUrl::Sqlite(folder.join(format!("lookups-{enrolments}.db")));
    let store = SqlStore::open(&url)?.ok_or("no store in SQL")?;
    let now = Timestamp(0);
    let key =
        StoredKey { id: [1; 32], sealed: Vec::new(), bits: 2048, created: now, retired: None };
    store.add_key(&key, true, now)?;
    for first in (0..enrolments).step_by(10_000) {
        let rows: Vec<_> = (first..enrolments.min(first + 10_000)).map(row).collect();
        store.enrol(&rows)?;
    }
    Ok(store)
}

fn row(number: u64) -> (Enrolled, Code) {
    let id = EnrolmentId(scrambled(number).cast_signed());
    let enrolment = Enrolment {
        serial: format!("{number:012}"),
        user: format!("user {number}"),
        service: "example.com".into(),
        digits: 8,
        interval: 60,
        pin: PinSettings::default(),
        expires: Date { year: 2035, month: 12, day: 31 },
        device: None,
        dialect: Dialect::Securid,
    };
    let enrolled = Enrolled { id, enrolment, created: Timestamp(0), revoked: None };
    let code = Code {
        tag: tag(number),
        enrolment: id,
        key: [1; 32],
        length: 12,
        expiry: Timestamp(u64::MAX >> 1),
        spent: None,
        withdrawn: None,
    };
    (enrolled, code)
}

/// As spread as the tag of a real code.
fn tag(number: u64) -> CodeTag {
    let mut octets = [0; CodeTag::LENGTH];
    let (first, second) = octets.split_at_mut(8);
    first.copy_from_slice(&scrambled(number).to_be_bytes());
    second.copy_from_slice(&number.to_be_bytes()[2..]);
    CodeTag::new(octets)
}

/// A number that looks random, another for each (splitmix64).
const fn scrambled(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
