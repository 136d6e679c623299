//! Users to be enrolled, in a CSV file.

use std::collections::HashMap;
use std::path::Path;

use clap::ValueEnum;
use csv::{ReaderBuilder, StringRecord, Trim};
use ctkip_core::Timestamp;
use ctkip_server::Enrolment;
use ctkip_token::Serial;

use super::args::Wanted;
use crate::args::ProfileName;
use crate::error::{Failure, Status};
use crate::input;
use crate::value;

/// The longest file, in octets.
const MAX_FILE: usize = 64 << 20;

/// The columns that there may be.
const COLUMNS: [&str; 8] =
    ["user", "serial", "service", "digits", "interval", "expires", "device", "profile"];

/// A row: the line it begins on, and whom it enrols.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) enrolment: Enrolment,
}

/// What is wrong with a line.
pub(super) fn failure(path: &Path, line: u64, what: &str) -> Failure {
    Failure::new(
        Status::Usage,
        "csv",
        format!("{}, line {line}: {what}", path.display()),
        "Nobody was enrolled. Correct the line, and try again.",
    )
}

/// Reads all rows; `wanted` is what an empty or missing cell means.
pub(super) fn read(path: &Path, wanted: &Wanted, now: Timestamp) -> Result<Vec<Row>, Failure> {
    let content = input::read(path, MAX_FILE)?;
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(content.as_slice());
    let unreadable = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        let what = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} cells instead of {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".into(),
            _ => error.to_string(),
        };
        failure(path, line, &what)
    };
    let columns =
        columns(reader.headers().map_err(unreadable)?).map_err(|what| failure(path, 1, &what))?;

    let (mut rows, mut lines) = (Vec::new(), HashMap::new());
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |what: String| failure(path, line, &what);
        let enrolment = row(&columns, &record, wanted, now).map_err(wrong)?;
        let serial = &enrolment.serial;
        if !serial.is_empty()
            && let Some(before) = lines.insert(serial.clone(), line)
        {
            return Err(wrong(format!("serial number {serial} stands on line {before} already")));
        }
        rows.push(Row { line, enrolment });
    }
    if rows.is_empty() {
        let what = format!("there are no users in {}", path.display());
        return Err(Failure::usage(what, "Give a row for each, below the names of the columns."));
    }
    Ok(rows)
}

/// The names of the columns, in their order.
fn columns(header: &StringRecord) -> Result<Vec<&'static str>, String> {
    let mut columns = Vec::new();
    for name in header {
        let name = name.trim_start_matches('\u{FEFF}').trim();
        let known = COLUMNS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        let Some(column) = known else {
            return Err(format!("{name:?} is no column; there are {}", COLUMNS.join(", ")));
        };
        if columns.contains(&column) {
            return Err(format!("there are two columns {column}"));
        }
        columns.push(column);
    }
    if columns.contains(&"user") { Ok(columns) } else { Err("there is no column user".into()) }
}

fn row(
    columns: &[&str],
    record: &StringRecord,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Enrolment, String> {
    let (mut wanted, mut user, mut serial) = (wanted.clone(), "", None);
    let cells = columns.iter().zip(record).filter(|(_, cell)| !cell.is_empty());
    for (column, cell) in cells {
        let named = |why: String| format!("{column}: {why}");
        match *column {
            "user" => user = cell,
            "serial" => {
                serial = Some(Serial::new(cell).map_err(|error| named(error.to_string()))?);
            }
            "service" => wanted.service = cell.into(),
            "digits" => wanted.digits = cell.parse().map_err(|_| named("1 to 8".into()))?,
            "interval" => wanted.interval = value::interval(cell).map_err(named)?,
            "expires" => wanted.expires = Some(value::date(cell).map_err(named)?),
            "device" => wanted.device = Some(cell.into()),
            _ => {
                let profile = ProfileName::from_str(cell, true);
                wanted.profile = profile.map_err(|_| named("securid or rfc4758".into()))?;
            }
        }
    }
    wanted.enrolment(user, serial, now)
}
