//! From a document to its tokens: what each piece of markup is, and where it, or the text in between,
//! ends. Where a tag ends is seen when it is read, so that this needs no pass of its own.
//!
//! quick-xml's parsers find the end of processing instructions and of tags that cannot be read. They
//! are used one by one and not through its reader, which looks at each octet twice more and keeps the
//! names of open elements beside ours: that would take as long as everything else here.

use memchr::{memchr, memchr2, memchr3};
use quick_xml::parser::{ElementParser, Parser, PiParser};

use super::XmlErrorKind;
use super::scan::{self, Fault};

/// A piece of a document, without its delimiters.
pub(super) enum Token<'a> {
    /// What follows `<`: whoever reads the tag says where it ends ([`Tokens::go_on`]).
    Start(&'a str),
    /// What follows `</`, likewise.
    End(&'a str),
    /// What stands between two pieces of markup.
    Text(&'a str),
    /// `<![CDATA[…]]>`
    CData(&'a str),
    /// `&…;`
    Reference(&'a str),
    /// `<!--…-->`
    Comment,
    /// `<?…?>`
    ProcessingInstruction(&'a str),
    /// `<?xml…?>`
    Declaration(&'a str),
}

/// The tokens of a document, one after the other.
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next token and the text from it on; no token at the end.
    pub(super) fn next(&mut self) -> Result<(Option<Token<'a>>, &'a str), Fault<'a>> {
        let from = self.rest;
        let (token, length) = match from.as_bytes() {
            [] => return Ok((None, from)),
            [b'&', ..] => reference(from)?,
            [b'<', b'/', ..] => (Token::End(from.get(2..).unwrap_or_default()), 2),
            [b'<', b'!', ..] => bang(from)?,
            [b'<', b'?', ..] => {
                // From behind the question mark, which must not be the one that ends it.
                let end = from.as_bytes().get(2..).and_then(|rest| PiParser::default().feed(rest));
                let close = end.map(|end| end.saturating_add(1));
                let (inside, length) = until(from, 2, close, 2)?;
                (instruction(inside), length)
            }
            [b'<', ..] => (Token::Start(from.get(1..).unwrap_or_default()), 1),
            octets => {
                let length = memchr2(b'<', b'&', octets).unwrap_or(octets.len());
                (Token::Text(from.get(..length).unwrap_or_default()), length)
            }
        };
        self.rest = from.get(length..).unwrap_or_default();
        Ok((Some(token), from))
    }

    /// Goes on after a tag.
    pub(super) fn go_on(&mut self, rest: &'a str) {
        self.rest = rest;
    }
}

/// What is wrong with the tag at the start of `from`: nothing else counts if it does not end.
pub(super) fn tag_fault<'a>(from: &'a str, fault: Fault<'a>) -> Fault<'a> {
    let end = match from.strip_prefix("</") {
        Some(rest) => memchr(b'>', rest.as_bytes()),
        None => ElementParser::default().feed(from.as_bytes()),
    };
    if end.is_some() { fault } else { (XmlErrorKind::Markup, from) }
}

/// What stands between the first `open` octets and the place of the closing delimiter, of `width`
/// octets; and how long it is with both.
fn until(
    from: &str,
    open: usize,
    close: Option<usize>,
    width: usize,
) -> Result<(&str, usize), Fault<'_>> {
    let fault = (XmlErrorKind::Markup, from);
    let close = close.ok_or(fault)?;
    let inside = from.get(open..close).ok_or(fault)?;
    Ok((inside, close.saturating_add(width)))
}

fn reference(from: &str) -> Result<(Token<'_>, usize), Fault<'_>> {
    let fault = (XmlErrorKind::Reference, from);
    let rest = from.get(1..).unwrap_or_default();
    let end = memchr3(b';', b'&', b'<', rest.as_bytes()).ok_or(fault)?;
    match rest.split_at_checked(end) {
        Some((name, rest)) if rest.starts_with(';') => {
            Ok((Token::Reference(name), end.saturating_add(2)))
        }
        _ => Err(fault),
    }
}

/// What begins with `<!`.
fn bang(from: &str) -> Result<(Token<'_>, usize), Fault<'_>> {
    let place = |open: usize, close: &str| {
        from.get(open..).and_then(|rest| rest.find(close)).map(|at| at.saturating_add(open))
    };
    if from.starts_with("<!--") {
        let (inside, length) = until(from, 4, place(4, "--"), 3)?;
        let ends =
            from.get(inside.len().saturating_add(6)..).is_some_and(|rest| rest.starts_with('>'));
        if ends { Ok((Token::Comment, length)) } else { Err((XmlErrorKind::Comment, from)) }
    } else if from.starts_with("<![CDATA[") {
        let (inside, length) = until(from, 9, place(9, "]]>"), 3)?;
        Ok((Token::CData(inside), length))
    } else if from.starts_with("<!D") {
        Err((XmlErrorKind::DocType, from))
    } else {
        Err((XmlErrorKind::Markup, from))
    }
}

/// A processing instruction, or the XML declaration, which only looks like one.
fn instruction(inside: &str) -> Token<'_> {
    match inside.strip_prefix("xml") {
        Some(rest) if rest.bytes().next().is_none_or(scan::is_white) => Token::Declaration(rest),
        _ => Token::ProcessingInstruction(inside),
    }
}
