//! From octets to text.

use alloc::{borrow::Cow, string::String};

use super::{Limits, XmlError, XmlErrorKind, scan};

/// The text of a document, without byte order mark.
///
/// UTF-8 is borrowed; UTF-16 is recognised by its byte order mark and transcoded (XML 1.0 section
/// 4.3.3 asks for these two). US-ASCII and ISO-8859-1 are transcoded where the XML declaration names
/// them; nothing else is accepted. Of the document itself only that declaration is looked at.
///
/// # Errors
/// - `TooLarge`: more octets than `limits.octets`; nothing has been allocated then.
/// - `Encoding`: none of these encodings, or the XML declaration names another than that of the
///   octets.
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
        octets => return by_declaration(octets),
    };
    match declared(text.as_bytes())? {
        Some(name) if !name.eq_ignore_ascii_case(encoding) => fail(XmlErrorKind::Encoding, 0),
        _ => Ok(text),
    }
}

/// Encodings with an octet a character, which is that of Unicode, and the last octet of each.
const SINGLE_OCTET: [(&str, u8); 2] = [("US-ASCII", 0x7F), ("ISO-8859-1", 0xFF)];

/// Whether a document in an encoding of this name may have been decoded.
pub(super) fn is_known(name: &str) -> bool {
    let single = SINGLE_OCTET.iter().map(|(known, _)| *known);
    ["UTF-8", "UTF-16"].into_iter().chain(single).any(|known| known.eq_ignore_ascii_case(name))
}

/// A document without byte order mark: UTF-8, or what its XML declaration names.
fn by_declaration(octets: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let Some(name) = declared(octets)?.filter(|name| !name.eq_ignore_ascii_case("UTF-8")) else {
        return utf8(octets, 0).map(Cow::Borrowed);
    };
    let known = SINGLE_OCTET.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    match known {
        Some((_, last)) if octets.iter().all(|octet| *octet <= last) => {
            Ok(octets.iter().copied().map(char::from).collect())
        }
        _ => Err(XmlError { kind: XmlErrorKind::Encoding, offset: 0 }),
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

/// The encoding that the XML declaration names, if there is one and it does. Whatever the encoding
/// of the document, a declaration is ASCII; one that is not is left to the parser.
fn declared(octets: &[u8]) -> Result<Option<&str>, XmlError> {
    let inside = octets
        .strip_prefix(b"<?xml")
        .filter(|rest| rest.first().copied().is_some_and(scan::is_white));
    let inside = inside.and_then(|rest| rest.get(..rest.windows(2).position(|two| two == b"?>")?));
    match inside.map(core::str::from_utf8) {
        Some(Ok(inside)) => {
            scan::declaration(inside).map_err(|(kind, _)| XmlError { kind, offset: 0 })
        }
        _ => Ok(None),
    }
}
