//! The small pieces of XML's grammar: characters, names, references, attributes, the declaration.
//!
//! Each function reads a slice of the document and, where it refuses, says which part is at fault.

use alloc::{borrow::Cow, string::String};

use super::XmlErrorKind;

/// What is wrong, and the part of the text that is.
pub(super) type Fault<'a> = (XmlErrorKind, &'a str);

pub(super) const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(WHITE)
}

pub(super) fn is_white(text: &str) -> bool {
    text.trim_start_matches(WHITE).is_empty()
}

/// Whether any octet is `wanted`. It looks at all of them, which compiles to vector instructions:
/// for the usual answer, none, several times faster than stopping at the first.
fn any(text: &str, wanted: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |found, octet| found | wanted(octet))
}

/// XML 1.0 section 2.2, Char. Surrogates are no `char`s.
fn is_char(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// Refuses characters that may appear nowhere in a document.
pub(super) fn characters(text: &str) -> Result<(), Fault<'_>> {
    // 0xEF begins U+F000 to U+FFFF.
    let suspect = |octet| matches!(octet, 0..=8 | 0x0b | 0x0c | 0x0e..=0x1f | 0xef);
    if !any(text, suspect) {
        return Ok(());
    }
    match text.char_indices().find(|&(_, c)| !is_char(c)) {
        Some((at, _)) => Err((XmlErrorKind::Character, text.get(at..).unwrap_or_default())),
        None => Ok(()),
    }
}

/// XML 1.0 section 2.3, NameStartChar without the colon.
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// XML 1.0 section 2.3, NameChar without the colon.
fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Namespaces in XML 1.0, NCName.
fn is_ncname(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// Splits a QName into its prefix, empty when there is none, and its local name.
pub(super) fn qname(name: &str) -> Option<(&str, &str)> {
    match name.split_once(':') {
        None => is_ncname(name).then_some(("", name)),
        Some((prefix, local)) => (is_ncname(prefix) && is_ncname(local)).then_some((prefix, local)),
    }
}

/// The character that `&name;` stands for.
pub(super) fn reference(name: &str) -> Result<char, Fault<'_>> {
    let number = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "apos" => return Ok('\''),
        "quot" => return Ok('"'),
        _ => name.strip_prefix('#'),
    };
    let Some(number) = number else {
        let kind = if is_ncname(name) { XmlErrorKind::Entity } else { XmlErrorKind::Reference };
        return Err((kind, name));
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    // Rust's parser would take a sign.
    let digits = Some(digits).filter(|digits| !digits.starts_with('+'));
    digits
        .and_then(|digits| u32::from_str_radix(digits, radix).ok())
        .and_then(char::from_u32)
        .filter(|&c| is_char(c))
        .ok_or((XmlErrorKind::Reference, name))
}

/// Text between two pieces of markup, with its line ends normalised (XML 1.0 section 2.11).
pub(super) fn text(raw: &str) -> Result<Cow<'_, str>, Fault<'_>> {
    if !any(raw, |octet| matches!(octet, b'\r' | b']')) {
        return Ok(Cow::Borrowed(raw));
    }
    match raw.split_once("]]>") {
        Some((before, _)) => {
            Err((XmlErrorKind::CDataEnd, raw.get(before.len()..).unwrap_or_default()))
        }
        None => Ok(line_ends(raw)),
    }
}

/// Line ends as XML 1.0 section 2.11 has them: CR LF and CR become LF.
pub(super) fn line_ends(raw: &str) -> Cow<'_, str> {
    if any(raw, |octet| octet == b'\r') {
        Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(raw)
    }
}

/// Takes one `S Name Eq AttValue` off the front of `rest`, and gives name and raw value; `None`
/// when only white space is left.
pub(super) fn attribute<'a>(rest: &mut &'a str) -> Result<Option<(&'a str, &'a str)>, Fault<'a>> {
    let start = rest.trim_start_matches(WHITE);
    if start.is_empty() {
        return Ok(None);
    }
    let fault = (XmlErrorKind::Attribute, start);
    if start.len() == rest.len() {
        return Err(fault);
    }
    let (name, value) = start.split_once('=').ok_or(fault)?;
    let value = value.trim_start_matches(WHITE);
    let quoted = value.strip_prefix('"').map(|value| value.split_once('"'));
    let quoted = quoted.or_else(|| value.strip_prefix('\'').map(|value| value.split_once('\'')));
    let (value, after) = quoted.flatten().ok_or(fault)?;
    *rest = after;
    Ok(Some((name.trim_end_matches(WHITE), value)))
}

/// The value of an attribute, normalised (XML 1.0 section 3.3.3): references resolved, each line
/// end and tab a space. Those that came in as references stay.
pub(super) fn attribute_value(raw: &str) -> Result<Cow<'_, str>, Fault<'_>> {
    if !any(raw, |octet| matches!(octet, b'&' | b'<' | b'\t' | b'\n' | b'\r')) {
        return Ok(Cow::Borrowed(raw));
    }
    if raw.contains('<') {
        return Err((XmlErrorKind::Attribute, raw));
    }
    let mut value = String::with_capacity(raw.len());
    let spaced = |plain| line_ends(plain).replace(['\t', '\n'], " ");
    let mut pieces = raw.split('&');
    value.push_str(&spaced(pieces.next().unwrap_or_default()));
    for piece in pieces {
        let (name, plain) = piece.split_once(';').ok_or((XmlErrorKind::Reference, piece))?;
        value.push(reference(name)?);
        value.push_str(&spaced(plain));
    }
    Ok(Cow::Owned(value))
}

/// Checks the inside of `<?xml … ?>` (XML 1.0 section 2.8), `xml` itself taken off, and gives the
/// encoding it names.
pub(super) fn declaration(inside: &str) -> Result<Option<&str>, Fault<'_>> {
    let malformed = (XmlErrorKind::Declaration, inside);
    let mut rest = inside;
    let mut next = || attribute(&mut rest).map_err(|(_, part)| (XmlErrorKind::Declaration, part));

    let Some(("version", version)) = next()? else { return Err(malformed) };
    if version != "1.0" {
        return Err((XmlErrorKind::Version, version));
    }
    let mut item = next()?;
    let mut encoding = None;
    if let Some(("encoding", name)) = item {
        encoding = Some(name);
        item = next()?;
    }
    if let Some(("standalone", "yes" | "no")) = item {
        item = next()?;
    }
    if item.is_some() { Err(malformed) } else { Ok(encoding) }
}

/// Refuses the inside of a processing instruction without a proper target (XML 1.0 section 2.6).
pub(super) fn processing_instruction(inside: &str) -> Result<(), Fault<'_>> {
    let target = inside.split(WHITE).next().unwrap_or_default();
    if is_ncname(target) && !target.eq_ignore_ascii_case("xml") {
        Ok(())
    } else {
        Err((XmlErrorKind::ProcessingInstruction, inside))
    }
}
