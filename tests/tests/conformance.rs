//! `docs/conformance.md` is complete and true: a row for every requirement and every defect, tests
//! that exist, vectors that ran.

use ctkip_tests::messages::{READERS, Vector};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(file: &str) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of all tables whose first cell is an id: the id, and the last cell.
fn rows() -> Vec<(String, String)> {
    let is_id = |cell: &str| {
        let (letter, digits) = cell.split_at_checked(1).unwrap_or_default();
        matches!(letter, "R" | "E") && digits.parse::<u32>().is_ok()
    };
    let text = read("docs/conformance.md");
    let rows: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect::<Vec<_>>())
        .filter(|cells| is_id(cells[0]))
        .map(|cells| {
            assert_eq!(cells.len(), 4, "a row has four cells: {cells:?}");
            assert!(cells.iter().all(|cell| !cell.trim().is_empty()), "an empty cell: {cells:?}");
            (cells[0].to_owned(), cells[3].to_owned())
        })
        .collect();
    assert!(!rows.is_empty(), "there are no rows");
    rows
}

/// What a row says instead of naming a test.
const REASONS: [&str; 2] = ["does not apply: ", "not done: "];

fn reason(cell: &str) -> Option<&'static str> {
    REASONS.into_iter().find(|reason| cell.starts_with(reason))
}

/// The tests that a cell names, as file and function.
fn tests(cell: &str) -> Vec<(&str, &str)> {
    cell.split('`').filter_map(|part| part.split_once("::")).collect()
}

#[test]
fn conformance_has_one_row_for_each_requirement_and_defect() {
    let specification = read("docs/spec/rfc4758-requirements.md");
    let known: BTreeSet<String> = specification
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|cell| cell.len() >= 3 && cell[1..].bytes().all(|octet| octet.is_ascii_digit()))
        .map(str::to_owned)
        .collect();
    let expected: BTreeSet<String> = (1..=299)
        .map(|number| format!("R{number:03}"))
        .chain((1..=49).map(|number| format!("E{number:02}")))
        .collect();
    assert_eq!(known, expected, "the specification numbers them so");
    let mut seen = BTreeSet::new();
    for (id, _) in rows() {
        assert!(seen.insert(id.clone()), "{id} has two rows");
    }
    assert_eq!(seen, expected);
}

#[test]
fn conformance_names_tests_that_exist_or_gives_a_reason() {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, cell) in rows() {
        if let Some(reason) = reason(&cell) {
            assert!(cell.len() > reason.len() + 20, "{id}: {cell}");
            *counts.entry(reason).or_default() += 1;
            continue;
        }
        let named = tests(&cell);
        assert!(!named.is_empty(), "{id} names no test and gives no reason: {cell}");
        for (file, function) in named {
            let text = files.entry(file.to_owned()).or_insert_with(|| read(file));
            let declared = format!("#[test]\nfn {function}()");
            assert!(text.contains(&declared), "{id}: there is no test {function} in {file}");
        }
        *counts.entry("tested").or_default() += 1;
    }
    println!("conformance: {counts:?}");
    assert!(counts.get(REASONS[1]).is_none_or(|count| *count <= 10), "too much is not done");
}

/// Every vector is there and has its verdicts, so every requirement that one names was exercised;
/// and a row that names the vectors alone is one of those.
#[test]
fn conformance_vectors_of_every_requirement_ran() {
    let vectors = Vector::all().expect("the vectors of RFC 4758 are there");
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ran: BTreeMap<&str, usize> = BTreeMap::new();
    for vector in &vectors {
        for id in vector.requirements() {
            *named.entry(id).or_default() += 1;
        }
        let outcomes = READERS.map(|(reader, profile)| vector.check(reader, profile));
        if outcomes.iter().all(Result::is_ok) {
            for id in vector.requirements() {
                *ran.entry(id).or_default() += 1;
            }
        }
    }
    assert_eq!(named, ran, "vectors named, and vectors that ran as they should");
    let rows = rows();
    for id in named.keys() {
        assert!(rows.iter().any(|(row, _)| row == id), "{id} has no row");
    }
    for (id, cell) in rows.iter().filter(|(id, _)| id.starts_with('R')) {
        let by_vectors = tests(cell).iter().any(|(file, _)| file.ends_with("vectors_rfc4758.rs"));
        assert!(!by_vectors || ran.contains_key(id.as_str()), "no vector names {id}");
    }
    println!("conformance: {} vectors name {} requirements", vectors.len(), named.len());
}
