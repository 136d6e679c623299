//! Rows as values, and back.

use ctkip_core::{Date, PinSettings, Timestamp};
use sqlx::any::{Any, AnyRow};
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::{Asked, failed, places, stamp};
use crate::code::CodeTag;
use crate::enrolment::{Dialect, Enrolment};
use crate::store::{
    AuditEntry, Code, Enrolled, EnrolmentId, Issue, Standing, StoreError, StoredKey,
};

macro_rules! standing {
    () => {
        "SELECT c.tag, c.enrolment, c.rsa_key, c.length, c.expiry, c.spent, c.withdrawn, \
         e.serial, e.owner, e.service, e.digits, e.period, e.pin_type, e.add_pin, e.expires, \
         e.device, e.dialect, e.created, e.revoked, t.code AS issued, t.session, t.digest, t.seed, \
         t.committed, t.confirmed, t.step, t.revoked AS token_revoked"
    };
}

/// A code with all that it depends on; a condition is to follow.
pub(in crate::store) const STANDING: &str = concat!(
    standing!(),
    " FROM code c JOIN enrolment e ON e.id = c.enrolment LEFT JOIN token t ON t.code = c.tag"
);

/// The standing of the code `$1`, if there is one, and the wrong codes of the source `$2` and of all
/// in the window that began at `$3`.
pub(in crate::store) const FIND: &str = concat!(
    standing!(),
    ", COALESCE((SELECT wrong FROM guess WHERE source = $2 AND since = $3), 0) AS wrong_source",
    ", COALESCE((SELECT wrong FROM guess WHERE source = '' AND since = $3), 0) AS wrong_total",
    " FROM (SELECT 1 AS one) o LEFT JOIN code c ON c.tag = $1",
    " LEFT JOIN enrolment e ON e.id = c.enrolment LEFT JOIN token t ON t.code = c.tag"
);

/// A value of a row.
fn get<'r, T, I>(row: &'r AnyRow, column: I) -> Result<T, StoreError>
where
    T: Decode<'r, Any> + Type<Any>,
    I: ColumnIndex<AnyRow>,
{
    row.try_get(column).map_err(failed)
}

fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} has a value that it cannot have"))
}

/// A number that is not negative.
pub(super) fn count<I: ColumnIndex<AnyRow>>(row: &AnyRow, column: I) -> Result<u64, StoreError> {
    u64::try_from(get::<i64, _>(row, column)?).map_err(|_| unreadable("a number"))
}

/// A number of an octet.
pub(super) fn small<I: ColumnIndex<AnyRow>>(row: &AnyRow, column: I) -> Result<u8, StoreError> {
    u8::try_from(get::<i64, _>(row, column)?).map_err(|_| unreadable("a number"))
}

fn number(row: &AnyRow, column: &str) -> Result<u32, StoreError> {
    u32::try_from(get::<i64, _>(row, column)?).map_err(|_| unreadable(column))
}

fn time(row: &AnyRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp(count(row, column)?))
}

fn time_if_any(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let seconds: Option<i64> = get(row, column)?;
    let time = |seconds| u64::try_from(seconds).map(Timestamp).map_err(|_| unreadable(column));
    seconds.map(time).transpose()
}

fn octets<const N: usize>(row: &AnyRow, column: &str) -> Result<[u8; N], StoreError> {
    get::<Vec<u8>, _>(row, column)?.try_into().map_err(|_| unreadable(column))
}

pub(super) fn tag(row: &AnyRow, column: &str) -> Result<CodeTag, StoreError> {
    octets(row, column).map(CodeTag::new)
}

fn date(row: &AnyRow, column: &str) -> Result<Date, StoreError> {
    let text: String = get(row, column)?;
    let mut parts = text.split('-');
    let mut part = || parts.next()?.parse::<u16>().ok();
    let small = |number: u16| u8::try_from(number).ok();
    let date = || {
        let (year, month, day) = (part()?, part().and_then(small)?, part().and_then(small)?);
        Some(Date { year, month, day })
    };
    let mut date = date;
    date().ok_or_else(|| unreadable(column))
}

pub(super) fn key(row: &AnyRow) -> Result<StoredKey, StoreError> {
    Ok(StoredKey {
        id: octets(row, "id")?,
        sealed: get(row, "sealed")?,
        bits: number(row, "bits")?,
        created: time(row, "created")?,
        retired: time_if_any(row, "retired")?,
    })
}

pub(super) fn audit(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        at: time(row, "at")?,
        event: get(row, "event")?,
        serial: get(row, "serial")?,
        source: get(row, "source")?,
        detail: get(row, "detail")?,
    })
}

/// `None`: the row holds no code.
pub(super) fn standing_if_any(row: &AnyRow) -> Result<Option<Standing>, StoreError> {
    let tag: Option<Vec<u8>> = get(row, "tag")?;
    tag.map(|_| standing(row)).transpose()
}

pub(super) fn standing(row: &AnyRow) -> Result<Standing, StoreError> {
    let id = EnrolmentId(get(row, "enrolment")?);
    let code = Code {
        tag: tag(row, "tag")?,
        enrolment: id,
        key: octets(row, "rsa_key")?,
        length: small(row, "length")?,
        expiry: time(row, "expiry")?,
        spent: time_if_any(row, "spent")?,
        withdrawn: time_if_any(row, "withdrawn")?,
    };
    let enrolment = Enrolment {
        serial: get(row, "serial")?,
        user: get(row, "owner")?,
        service: get(row, "service")?,
        digits: small(row, "digits")?,
        interval: number(row, "period")?,
        pin: PinSettings {
            pin_type: number(row, "pin_type")?,
            add_pin: get::<i64, _>(row, "add_pin")? != 0,
        },
        expires: date(row, "expires")?,
        device: get(row, "device")?,
        dialect: Dialect::named(&get::<String, _>(row, "dialect")?)
            .ok_or_else(|| unreadable("dialect"))?,
    };
    let (created, revoked) = (time(row, "created")?, time_if_any(row, "revoked")?);
    let enrolled = Enrolled { id, enrolment, created, revoked };
    let issued: Option<Vec<u8>> = get(row, "issued")?;
    let issue = issued.map(|_| issue(row)).transpose()?;
    Ok(Standing { code, enrolled, issue })
}

fn issue(row: &AnyRow) -> Result<Issue, StoreError> {
    Ok(Issue {
        code: tag(row, "issued")?,
        session: octets(row, "session")?,
        digest: octets(row, "digest")?,
        seed: get(row, "seed")?,
        committed: time(row, "committed")?,
        confirmed: time_if_any(row, "confirmed")?,
        step: time_if_any(row, "step")?.map(|step| step.0),
        revoked: time_if_any(row, "token_revoked")?,
    })
}

pub(super) fn insert_enrolments(rows: usize) -> String {
    format!(
        "INSERT INTO enrolment (id, code, serial, owner, service, digits, period, pin_type, \
         add_pin, expires, device, dialect, created) VALUES {} ON CONFLICT (serial) DO NOTHING",
        places(rows, 13)
    )
}

pub(super) fn bind_enrolments<'q>(query: Asked<'q>, new: &[(Enrolled, Code)]) -> Asked<'q> {
    new.iter().fold(query, |query, (Enrolled { id, enrolment, created, .. }, code)| {
        query
            .bind(id.0)
            .bind(code.tag.as_octets().to_vec())
            .bind(enrolment.serial.clone())
            .bind(enrolment.user.clone())
            .bind(enrolment.service.clone())
            .bind(i64::from(enrolment.digits))
            .bind(i64::from(enrolment.interval))
            .bind(i64::from(enrolment.pin.pin_type))
            .bind(i64::from(enrolment.pin.add_pin))
            .bind(enrolment.expires.to_string())
            .bind(enrolment.device.clone())
            .bind(enrolment.dialect.name().to_owned())
            .bind(stamp(*created))
    })
}

pub(super) fn insert_codes(rows: usize) -> String {
    format!(
        "INSERT INTO code (tag, enrolment, rsa_key, length, expiry) VALUES {} \
         ON CONFLICT (tag) DO NOTHING",
        places(rows, 5)
    )
}

pub(super) fn bind_codes<'q, 'c>(
    query: Asked<'q>,
    codes: impl IntoIterator<Item = &'c Code>,
) -> Asked<'q> {
    codes.into_iter().fold(query, |query, code| {
        query
            .bind(code.tag.as_octets().to_vec())
            .bind(code.enrolment.0)
            .bind(code.key.to_vec())
            .bind(i64::from(code.length))
            .bind(stamp(code.expiry))
    })
}

pub(super) fn insert_tokens(rows: usize) -> String {
    let places = places(rows, 5);
    format!("INSERT INTO token (code, session, digest, seed, committed) VALUES {places}")
}

pub(super) fn bind_tokens<'q>(query: Asked<'q>, issues: &[&Issue]) -> Asked<'q> {
    issues.iter().fold(query, |query, issue| {
        query
            .bind(issue.code.as_octets().to_vec())
            .bind(issue.session.to_vec())
            .bind(issue.digest.to_vec())
            .bind(issue.seed.clone())
            .bind(stamp(issue.committed))
    })
}

pub(super) fn insert_audit(rows: usize) -> String {
    format!("INSERT INTO audit (at, event, serial, source, detail) VALUES {}", places(rows, 5))
}

pub(super) fn bind_audit<'q>(query: Asked<'q>, entries: &[AuditEntry]) -> Asked<'q> {
    entries.iter().fold(query, |query, entry| {
        query
            .bind(stamp(entry.at))
            .bind(entry.event.clone())
            .bind(entry.serial.clone())
            .bind(entry.source.clone())
            .bind(entry.detail.clone())
    })
}
