//! The small pieces of XML's grammar: characters, names, references, attributes, the declaration.
//!
//! Each function reads a slice of the document and, where it refuses, says which part is at fault.

use alloc::{borrow::Cow, string::String};

use memchr::{memchr, memchr2, memchr3};

use super::XmlErrorKind;
use crate::xml::OctetSet;

/// What is wrong, and the part of the text that is.
pub(super) type Fault<'a> = (XmlErrorKind, &'a str);

/// XML 1.0 section 2.3, S.
pub(super) const fn is_white(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Splits before the first octet that is `wanted`, which must not be within a character, or at
/// the end.
pub(super) fn split_before(text: &str, wanted: impl Fn(u8) -> bool) -> (&str, &str) {
    let at = text.bytes().position(wanted).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// What follows white space at the start, if any.
pub(super) fn skip_white(text: &str) -> &str {
    let white = text.bytes().take_while(|octet| is_white(*octet)).count();
    text.get(white..).unwrap_or_default()
}

/// XML 1.0 section 2.2, Char. Surrogates are no `char`s.
fn is_char(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// Refuses characters that may appear nowhere in a document. Tells whether it is plain: without
/// anything that is to be resolved or normalised in text, or in attribute values but for line feeds.
pub(super) fn characters(text: &str) -> Result<bool, Fault<'_>> {
    let (mut odd, mut special) = (false, false);
    // No branches, hence vector instructions: this is the one look at each octet.
    for octet in text.bytes() {
        // 0xEF begins U+F000 to U+FFFF.
        odd |= ((octet < b' ') & (octet != b'\n')) | (octet == 0xef);
        special |= (octet == b'&') | (octet == b']');
    }
    let bad = if odd { text.char_indices().find(|&(_, c)| !is_char(c)) } else { None };
    match bad {
        Some((at, _)) => Err((XmlErrorKind::Character, text.get(at..).unwrap_or_default())),
        None => Ok(!odd && !special),
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

/// The octets that most names consist of: those of [`is_name_char`] that are ASCII.
static USUAL: OctetSet =
    OctetSet::new(b"-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

/// Takes an NCName (Namespaces in XML 1.0 section 3), the longest there is, off the front.
fn ncname(text: &str) -> Option<(&str, &str)> {
    let (mut name, mut rest) = split_before(text, |octet| !USUAL.contains(octet));
    if rest.bytes().next().is_some_and(|octet| !octet.is_ascii()) {
        let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
        (name, rest) = text.split_at_checked(end)?;
    }
    name.starts_with(is_name_start).then_some((name, rest))
}

/// Takes a QName off the front; gives its prefix, empty if there is none, its local name, and what
/// follows: white space, an equals sign, the end of a tag or nothing.
pub(super) fn qname(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = ncname(text)?;
    let (prefix, local, rest) = match rest.strip_prefix(':') {
        None => ("", name, rest),
        Some(rest) => ncname(rest).map(|(local, rest)| (name, local, rest))?,
    };
    let ends = match rest.as_bytes() {
        [] | [b'=' | b'>', ..] | [b'/', b'>', ..] => true,
        [octet, ..] => is_white(*octet),
    };
    ends.then_some((prefix, local, rest))
}

/// Whether all of `text` is one NCName.
fn is_ncname(text: &str) -> bool {
    ncname(text).is_some_and(|(_, rest)| rest.is_empty())
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
    if memchr2(b'\r', b']', raw.as_bytes()).is_none() {
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
    if memchr(b'\r', raw.as_bytes()).is_some() {
        Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(raw)
    }
}

/// An attribute as it is written.
pub(super) struct RawAttribute<'a> {
    pub(super) prefix: &'a str,
    pub(super) local: &'a str,
    /// What is between the quotes.
    pub(super) value: &'a str,
    /// Whether a look for `<` and line feeds found none in the value.
    pub(super) even: bool,
}

/// Takes one `Name Eq AttValue` off the front; gives what follows, too.
pub(super) fn attribute(start: &str) -> Result<(RawAttribute<'_>, &str), Fault<'_>> {
    let fault = (XmlErrorKind::Attribute, start);
    let (prefix, local, equals) = qname(start).ok_or((XmlErrorKind::Name, start))?;
    let value = skip_white(skip_white(equals).strip_prefix('=').ok_or(fault)?);
    let quote = value.bytes().next().filter(|quote| matches!(quote, b'"' | b'\'')).ok_or(fault)?;
    let octets = value.as_bytes().get(1..).unwrap_or_default();

    let found = memchr3(quote, b'<', b'\n', octets).ok_or(fault)?;
    let even = octets.get(found) == Some(&quote);
    let length = if even { found } else { memchr(quote, octets).ok_or(fault)? };
    let end = length.saturating_add(1);
    let (value, after) = (value.get(1..end), value.get(end.saturating_add(1)..));
    let value = value.ok_or(fault)?;
    Ok((RawAttribute { prefix, local, value, even }, after.unwrap_or_default()))
}

/// Whether an attribute value is what it stands for.
fn is_literal(value: &str) -> bool {
    // Below the space there are only tab and line ends.
    !value.bytes().any(|octet| octet < b' ' || octet == b'&' || octet == b'<')
}

/// An attribute value, normalised (XML 1.0 section 3.3.3): references resolved, each line end and
/// tab a space. Those that came in as references stay.
pub(super) fn normalized(raw: &str) -> Result<Cow<'_, str>, Fault<'_>> {
    if is_literal(raw) {
        return Ok(Cow::Borrowed(raw));
    }
    if let Some(at) = raw.find('<') {
        return Err((XmlErrorKind::Attribute, raw.get(at..).unwrap_or_default()));
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
    if inside == " version=\"1.0\" encoding=\"UTF-8\"" {
        // As nearly all have it.
        return Ok(Some("UTF-8"));
    }
    let malformed = (XmlErrorKind::Declaration, inside);
    let mut rest = inside;
    let mut next = || {
        let start = skip_white(rest);
        if start.is_empty() {
            return Ok(None);
        }
        match attribute(start) {
            Ok((item, after)) if item.prefix.is_empty() && start.len() < rest.len() => {
                rest = after;
                Ok(Some((item.local, item.value)))
            }
            _ => Err(malformed),
        }
    };

    let mut item = next()?;
    match item {
        Some(("version", "1.0")) => item = next()?,
        Some(("version", version)) => return Err((XmlErrorKind::Version, version)),
        _ => return Err(malformed),
    }
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
    let (target, _) = split_before(inside, is_white);
    if is_ncname(target) && !target.eq_ignore_ascii_case("xml") {
        Ok(())
    } else {
        Err((XmlErrorKind::ProcessingInstruction, inside))
    }
}
