//! Simple values, and the types of XML Schema that they are of.

use super::decoder::Decoder;
use super::{Element, fault};
use crate::message::Mac;
use crate::{Departure, MessageError, MessageErrorKind};
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// XML white space.
pub(super) const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The shortest nonce, in octets (R066); the schema's length, too (R067).
const NONCE: usize = 16;

/// The characters of an identifier that prose and schema of RFC 4758 both allow (R047).
const IDENTIFIER: usize = 128;

const fn base64(padding: DecodePaddingMode) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config)
}
const PADDED: GeneralPurpose = base64(DecodePaddingMode::RequireCanonical);
const UNPADDED: GeneralPurpose = base64(DecodePaddingMode::Indifferent);

impl Decoder<'_> {
    /// The text of an element that has neither attributes nor children.
    pub(super) fn text<'d>(
        &mut self,
        element: Element<'d, '_>,
        place: &'static str,
    ) -> Result<&'d str, MessageError> {
        let [] = self.attributes(element, place, [])?;
        content(element, place)
    }

    /// A URI: white space around it does not belong to it (R083).
    pub(super) fn uri(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<String, MessageError> {
        Ok(String::from(self.text(element, place)?.trim_matches(WHITE)))
    }

    /// Octets as base64.
    pub(super) fn octets(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let text = self.text(element, place)?;
        self.base64(text, place)
    }

    /// White space may stand anywhere between the characters; otherwise only the canonical form
    /// counts, so that no two texts are the same octets.
    pub(super) fn base64(
        &mut self,
        text: &str,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let compact: Vec<u8>;
        let text = if text.contains(WHITE) {
            compact = text.bytes().filter(|octet| !WHITE.contains(&char::from(*octet))).collect();
            compact.as_slice()
        } else {
            text.as_bytes()
        };
        if text.len() % 4 != 0 {
            self.depart(Departure::UnpaddedBase64, place)?;
            return UNPADDED.decode(text).map_err(|_| fault(MessageErrorKind::Base64, place));
        }
        PADDED.decode(text).map_err(|_| fault(MessageErrorKind::Base64, place))
    }

    /// A nonce that travels in the clear.
    pub(super) fn nonce(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let nonce = self.octets(element, place)?;
        if !(NONCE..=self.profile.reading.max_nonce).contains(&nonce.len()) {
            return Err(fault(MessageErrorKind::NonceLength, place));
        }
        if nonce.len() > NONCE {
            self.depart(Departure::NonceLength, place)?;
        }
        Ok(nonce)
    }

    /// A TokenID or KeyID.
    pub(super) fn key_id(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let id = self.octets(element, place)?;
        if id.len() > self.profile.reading.max_key_id {
            return Err(fault(MessageErrorKind::TooLong, place));
        }
        Ok(id)
    }

    /// A SessionID, ServiceID or UserID.
    pub(super) fn identifier(
        &mut self,
        text: &str,
        place: &'static str,
    ) -> Result<String, MessageError> {
        let reading = &self.profile.reading;
        // No more characters than octets: counting is seldom needed.
        let long = text.len() > IDENTIFIER;
        let too_many = long && text.chars().count() > reading.max_identifier_characters;
        if text.len() > reading.max_identifier || too_many {
            return Err(fault(MessageErrorKind::TooLong, place));
        }
        if long {
            self.depart(Departure::LongIdentifier, place)?;
        }
        Ok(String::from(text))
    }

    /// A big-endian number, without leading zero octets (R164).
    pub(super) fn number(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let mut number = self.octets(element, place)?;
        if number.first() == Some(&0) {
            self.depart(Departure::LeadingZero, place)?;
            let zeros = number.iter().take_while(|octet| **octet == 0).count();
            number.drain(..zeros);
        }
        Ok(number)
    }

    /// A MAC; an empty one is none.
    pub(super) fn mac(&mut self, element: Element<'_, '_>) -> Result<Option<Mac>, MessageError> {
        let [algorithm] = self.attributes(element, "Mac", ["MacAlgorithm"])?;
        let algorithm = algorithm.map(|uri| String::from(uri.trim_matches(WHITE)));
        let value = self.base64(content(element, "Mac")?, "Mac")?;
        if value.is_empty() {
            self.depart(Departure::MissingMac, "Mac")?;
            return Ok(None);
        }
        Ok(Some(Mac { algorithm, value }))
    }
}

/// The text of an element without children.
pub(super) fn content<'d>(element: Element<'d, '_>, place: &str) -> Result<&'d str, MessageError> {
    match element.children().next() {
        Some(_) => Err(fault(MessageErrorKind::Unexpected, place)),
        None => Ok(element.text()),
    }
}

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
    let leap = cycle.is_multiple_of(4) && !cycle.is_multiple_of(100) || cycle.is_multiple_of(400);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let day_in_range = (1..=days).contains(&day);

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
