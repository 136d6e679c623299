//! The simple types of XML Schema, as far as CT-KIP has values of them (XML Schema part 2).

use super::fault;
use crate::settings::days_of;
use crate::{MessageError, MessageErrorKind};

/// XML white space.
pub(super) const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// An `xs:boolean`.
pub(super) fn boolean(text: &str, place: &str) -> Result<bool, MessageError> {
    match text.trim_matches(WHITE) {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(fault(MessageErrorKind::Value, place)),
    }
}

/// Whether a text is an `xs:positiveInteger`, of any size.
pub(super) fn is_positive_integer(text: &str) -> bool {
    let text = text.trim_matches(WHITE);
    let digits = text.strip_prefix('+').unwrap_or(text);
    all_digits(digits) && digits.bytes().any(|digit| digit != b'0')
}

/// Whether a text is an `xs:dateTime`: a date of the Gregorian calendar with a year of four digits
/// or more, a time of day with 24:00:00 for its end, and perhaps a zone.
pub(super) fn is_date_time(text: &str) -> bool {
    date_time(text.trim_matches(WHITE)).is_some()
}

fn date_time(text: &str) -> Option<()> {
    let (date, time) = text.split_once('T')?;
    let date = date.strip_prefix('-').unwrap_or(date);
    let (month_and_year, day) = date.rsplit_once('-')?;
    let (year, month) = month_and_year.rsplit_once('-')?;
    let (month, day) = (two_digits(month)?, two_digits(day)?);
    let year_in_range = all_digits(year)
        && (year.len() == 4 || year.len() > 4 && !year.starts_with('0'))
        && year.bytes().any(|digit| digit != b'0');
    // Leap years repeat every 400 years, so four digits decide.
    let cycle: u16 = year.get(year.len().checked_sub(4)?..)?.parse().ok()?;
    let day_in_range = (1..=days_of(cycle, month)?).contains(&day);

    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at_checked(zone)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = time.split(':').map(two_digits);
    let clock = [parts.next()??, parts.next()??, parts.next()??];
    let end_of_day = clock == [24, 0, 0] && fraction.bytes().all(|digit| digit == b'0');
    let [hours, minutes, seconds] = clock;
    let time_in_range = hours < 24 && minutes < 60 && seconds < 60 || end_of_day;

    let whole = parts.next().is_none() && all_digits(fraction) && is_zone(zone);
    (year_in_range && day_in_range && time_in_range && whole).then_some(())
}

/// Nothing, `Z`, or hours and minutes up to 14:00 either way.
fn is_zone(zone: &str) -> bool {
    let Some(offset) = zone.strip_prefix(['+', '-']) else { return matches!(zone, "" | "Z") };
    let parts = offset.split_once(':');
    let parts = parts.and_then(|(hours, minutes)| Some((two_digits(hours)?, two_digits(minutes)?)));
    parts.is_some_and(|(hours, minutes)| minutes < 60 && (hours, minutes) <= (14, 0))
}

fn two_digits(text: &str) -> Option<u8> {
    (text.len() == 2 && all_digits(text)).then(|| text.parse().ok())?
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}
