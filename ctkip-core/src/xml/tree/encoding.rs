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
        octets => match single_octet(octets) {
            Some((name, last)) if octets.iter().all(|octet| *octet <= last) => {
                (octets.iter().copied().map(char::from).collect(), name)
            }
            Some(_) => return fail(XmlErrorKind::Encoding, 0),
            None => (Cow::Borrowed(utf8(octets, 0)?), "UTF-8"),
        },
    };
    match declared(&text) {
        Err((kind, _)) => fail(kind, 0),
        Ok(Some(name)) if !name.eq_ignore_ascii_case(encoding) => fail(XmlErrorKind::Encoding, 0),
        Ok(_) => Ok(text),
    }
}

/// Encodings with an octet a character, which is that of Unicode, and the last octet of each.
const SINGLE_OCTET: [(&str, u8); 2] = [("US-ASCII", 0x7F), ("ISO-8859-1", 0xFF)];

/// Whether a document in an encoding of this name may have been decoded.
pub(super) fn is_known(name: &str) -> bool {
    let single = SINGLE_OCTET.iter().map(|(known, _)| *known);
    ["UTF-8", "UTF-16"].into_iter().chain(single).any(|known| known.eq_ignore_ascii_case(name))
}

/// The encoding of this kind that the XML declaration names, if it does.
fn single_octet(octets: &[u8]) -> Option<(&'static str, u8)> {
    let inside = octets.strip_prefix(b"<?xml")?;
    let end = inside.windows(2).position(|two| two == b"?>")?;
    let declaration = core::str::from_utf8(inside.get(..end)?).ok()?;
    let name = scan::declaration(declaration).ok()??;
    SINGLE_OCTET.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
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
