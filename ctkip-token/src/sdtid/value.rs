//! Integers, dates and octets as sdtid elements hold them (docs/spec/securid-token.md section
//! 5.2).

use std::{string::String, vec::Vec};

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{Error, ExpiryDay, date::days_from_civil};

/// An integer as C's `strtol` with base 0 reads it, with nothing left over: optional white space
/// and sign, then decimal, octal after `0`, or hexadecimal after `0x`. Too large ones saturate.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let magnitude = digits.chars().try_fold(0_i64, |number, digit| {
        let digit = digit.to_digit(radix)?;
        Some(number.saturating_mul(radix.into()).saturating_add(digit.into()))
    })?;
    Some(if negative { magnitude.saturating_neg() } else { magnitude })
}

/// A date `Y/M/D`, normalised like a C calendar: month 13 is next year's January. Whatever
/// follows the day is ignored. Day 0 (2000-01-01) and earlier ones are no expiry dates.
pub(super) fn date(text: &str) -> Option<ExpiryDay> {
    let (year, rest) = date_part(text)?;
    let (month, rest) = date_part(rest.strip_prefix('/')?)?;
    let (day, _) = date_part(rest.strip_prefix('/')?)?;
    let months = i64::from(month).checked_sub(1)?;
    let year = i64::from(year).checked_add(months.div_euclid(12))?;
    let month = months.rem_euclid(12).checked_add(1)?;
    let days = days_from_civil(year, month, day.into());
    ExpiryDay::from_unix_days(days).ok().filter(|day| day.days() > 0)
}

/// A decimal integer at the start of a text, and what follows it.
fn date_part(text: &str) -> Option<(i32, &str)> {
    let (negative, digits) = sign(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, rest) = digits.split_at_checked(end)?;
    let number: i32 = number.parse().ok()?;
    Some((if negative { number.checked_neg()? } else { number }, rest))
}

/// Drops white space and a sign; true for a minus.
fn sign(text: &str) -> (bool, &str) {
    let text = text.trim_ascii_start();
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Base64 of exactly 16 octets, white space ignored.
pub(super) fn octets16(text: &str) -> Option<Zeroizing<[u8; 16]>> {
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.bytes().filter(|b| !b.is_ascii_whitespace()).take(25).collect());
    let mut octets = Zeroizing::new([0; 18]);
    match STANDARD.decode_slice(&*text, &mut *octets) {
        Ok(16) => octets.first_chunk().copied().map(Zeroizing::new),
        _ => None,
    }
}

/// The octets of a Seed element: one more character, usually `=`, stands before the base64.
pub(super) fn seed_octets(text: &str) -> Result<Zeroizing<[u8; 16]>, Error> {
    let mut base64 = text.chars();
    base64.next();
    let problem = "is not one character and base64 of 16 octets";
    octets16(base64.as_str()).ok_or(Error::Element { element: "Seed", problem })
}

/// Base64 of the octets.
pub(super) fn base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}
