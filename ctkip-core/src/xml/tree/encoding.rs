//! From octets to text.

use alloc::{borrow::Cow, string::String};

use super::{Limits, XmlError, XmlErrorKind, scan};

/// The text of a document, without byte order mark.
///
/// UTF-8 is borrowed; UTF-16 is recognised by its byte order mark and transcoded; nothing else is
/// accepted (XML 1.0 section 4.3.3 asks for these two). Of the document itself only the XML
/// declaration is looked at, for the encoding it names.
///
/// # Errors
/// - `TooLarge`: more octets than `limits.octets`; nothing has been allocated then.
/// - `Encoding`: not UTF-8 or UTF-16 with a byte order mark, or the XML declaration names another
///   encoding than that of the octets.
/// - `NotUtf8`, `NotUtf16`: octets that the encoding does not allow, at the offset given.
/// - `Declaration`, `Version`: the XML declaration is malformed or not of version 1.0.
pub fn decode<'a>(octets: &'a [u8], limits: &Limits) -> Result<Cow<'a, str>, XmlError> {
    let fail = |kind, offset| Err(XmlError { kind, offset });
    if octets.len() > limits.octets {
        return fail(XmlErrorKind::TooLarge, limits.octets);
    }
    let (text, encoding) = match octets {
        [0xff, 0xfe, 0, 0, ..] | [b'<', 0, ..] | [0, ..] => {
            return fail(XmlErrorKind::Encoding, 0);
        }
        [0xff, 0xfe, units @ ..] => (Cow::Owned(utf16(units, u16::from_le_bytes)?), "UTF-16"),
        [0xfe, 0xff, units @ ..] => (Cow::Owned(utf16(units, u16::from_be_bytes)?), "UTF-16"),
        [0xef, 0xbb, 0xbf, octets @ ..] => (Cow::Borrowed(utf8(octets, 3)?), "UTF-8"),
        octets => (Cow::Borrowed(utf8(octets, 0)?), "UTF-8"),
    };
    match declared(&text) {
        Err((kind, _)) => fail(kind, 0),
        Ok(Some(name)) if !name.eq_ignore_ascii_case(encoding) => fail(XmlErrorKind::Encoding, 0),
        Ok(_) => Ok(text),
    }
}

fn utf8(octets: &[u8], before: usize) -> Result<&str, XmlError> {
    core::str::from_utf8(octets).map_err(|error| XmlError {
        kind: XmlErrorKind::NotUtf8,
        offset: before.saturating_add(error.valid_up_to()),
    })
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, XmlError> {
    let (units, odd) = octets.as_chunks();
    let text: Result<String, _> = char::decode_utf16(units.iter().copied().map(unit)).collect();
    match text {
        Ok(text) if odd.is_empty() => Ok(text),
        _ => Err(XmlError { kind: XmlErrorKind::NotUtf16, offset: 0 }),
    }
}

/// The encoding that the XML declaration names, if there is one and it does.
fn declared(text: &str) -> Result<Option<&str>, scan::Fault<'_>> {
    let inside =
        text.strip_prefix("<?xml").filter(|rest| rest.bytes().next().is_some_and(scan::is_white));
    match inside.and_then(|rest| rest.split_once("?>")) {
        Some((inside, _)) => scan::declaration(inside),
        None => Ok(None),
    }
}
